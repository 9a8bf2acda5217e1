"""A source that is a shape store or a label movie, as a shape store."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from cytoform.commands.common import ScaleOptions


@contextlib.contextmanager
def as_store(
    source: Path,
    *,
    out: Path,
    scale: ScaleOptions,
    grid_size: int,
    half_extent_um: float | None,
    say: Callable[[str], None],
    workers: int = 1,
) -> Iterator[Path]:
    """The shape store `source`, or a temporary one beside `out`, prepared from a label movie with its gaps kept.

    What is left out of a movie, and what looks wrong in it, is said.
    """
    import tempfile

    from cytoform.base.kinds import Kind, kind_of
    from cytoform.errors import InputError
    from cytoform.prepare.stage import prepare
    from cytoform.prepare.summary import remarks

    if kind_of(source) is Kind.SHAPE_STORE:
        if scale != ScaleOptions():
            raise InputError(f"{source}: a shape store knows its scale; leave --voxel-size and --time-step out")
        yield source
        return
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.absolute().parent) as folder:
        shapes = Path(folder) / "shapes.zarr"
        try:
            prepared = prepare(
                [source],
                shapes,
                voxel_size_zyx_um=scale.voxel_size,
                time_step_s=scale.time_step,
                grid_size=grid_size,
                half_extent_um=half_extent_um,
                gaps="keep",
                workers=workers,
            )
        except BaseException as stop:
            stop.__notes__ = []  # on how to resume `prepare`, whose store is temporary here
            raise
        if prepared.failures:
            raise InputError(prepared.failures[0].reason)
        for line in remarks(prepared.movies):
            say(line)
        yield shapes
