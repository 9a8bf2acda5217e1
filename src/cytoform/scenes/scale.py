"""The scale of a scene: voxel size, time step, and the dimensions of its cells."""

from dataclasses import dataclass
from pathlib import Path

from cytoform.base.kinds import Kind, kind_of
from cytoform.base.triples import Floats, Triple
from cytoform.errors import InputError
from cytoform.scenes.request import MIN_SIDE, SHORTEST_CYCLE, SettledRequest
from cytoform.shapes.grid import NAMES


@dataclass(frozen=True)
class SceneScale:
    """Voxel size and time step of a scene, and the dimensions of its cells; a scene of 2D cells has one plane."""

    voxel_size_zyx_um: Triple
    time_step_s: float
    n_dims: int

    @property
    def spacing_um(self) -> Floats:
        """Voxel size along the axes that the cells have."""
        return self.voxel_size_zyx_um[-self.n_dims :]


def settle_scale(request: SettledRequest) -> SceneScale:
    """The scale of a scene, by default that of its first source.

    Raises InputError if no time step is known, and for cells that do not fit together or into the size of the scene.
    """
    from cytoform.scenes.sources import load_cells
    from cytoform.shapes.store import ShapeStore

    first = request.sources[0]
    if kind_of(first) is Kind.RUN:
        learned = load_cells(first, request.device).run.learned
        grid, time_step_s = learned.cube, learned.sequences[0].time_step_s
    else:
        store = ShapeStore.open(first)
        grid, time_step_s = store.grid, next((sequence.info.time_step_s for sequence in store), None)
    _check_dimensions(request, grid.n_dims)
    time_step_s = request.time_step_s or time_step_s
    if time_step_s is None:
        raise InputError(f"{first}: no time step is recorded; pass --time-step, in seconds")
    if request.cycle_min is not None and 60 * request.cycle_min < SHORTEST_CYCLE * time_step_s:
        raise InputError(
            f"--cycle {request.cycle_min:g}: shorter than {SHORTEST_CYCLE:g} frames of {time_step_s:g} s; choose at least "
            f"{SHORTEST_CYCLE * time_step_s / 60:.3g}, or a shorter --time-step"
        )
    scale = SceneScale(request.voxel_size_zyx_um or (grid.spacing_um,) * 3, time_step_s, grid.n_dims)
    if request.gap_um > (most := 2 * min(scale.spacing_um)):
        raise InputError(f"--gap {request.gap_um:g}: at most two voxels, here {most:g} µm; choose less")
    return scale


def _check_dimensions(request: SettledRequest, n_dims: int) -> None:
    """Raise InputError for sources of 2D and of 3D cells, and for options that their dimensions rule out."""
    first = request.sources[0]
    for source in request.sources[1:]:
        if (others := source_dimensions(source, request.device)) != n_dims:
            raise InputError(f"{source}: its cells are {others}D, those of {first} {n_dims}D; make a scene of each")
    shown = " ".join(str(n) for n in request.size_zyx)
    n_z = request.size_zyx[0]
    if min(request.size_zyx[-n_dims:]) < MIN_SIDE:
        raise InputError(f"--size {shown}: a scene of {n_dims}D cells has at least {MIN_SIDE} {NAMES[n_dims]} a side")
    if n_dims == 3:
        return
    if n_z > 1:
        raise InputError(
            f"--size {shown}: the cells of {first} are 2D, a scene of them has one plane; make the first 1"
        )
    for name in ("projection", "meshes"):
        if getattr(request, name):
            raise InputError(f"--{name}: only for 3D cells, and those of {first} are 2D; leave it out")


def source_dimensions(source: Path, device: str) -> int:
    """Dimensions of the cells of a run or shape store. Raises InputError."""
    from cytoform.scenes.sources import load_cells
    from cytoform.shapes.store import ShapeStore

    if kind_of(source) is Kind.RUN:
        return load_cells(source, device).run.learned.dimensions
    return ShapeStore.open(source).grid.n_dims
