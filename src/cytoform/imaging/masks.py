"""Opens masks for rendering: sequences of a shape store, or 2D and 3D label movies."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt16

from cytoform.base.kinds import Kind, kind_of
from cytoform.base.triples import Triple, int_triple
from cytoform.errors import InputError
from cytoform.movies.movie import LabelMovie
from cytoform.movies.readers import name_apart, open_movies
from cytoform.shapes.store import ShapeStore


@dataclass(frozen=True)
class StoredMasks:
    """Reads the masks of one sequence of a shape store, with label 1."""

    store: Path
    name: str

    def __call__(self, frame: int) -> UInt16[np.ndarray, "z y x"]:
        mask = ShapeStore.open(self.store)[self.name].mask(frame)
        return mask.reshape((1,) * (3 - mask.ndim) + mask.shape).astype(np.uint16)


def open_masks(
    source: Path, *, voxel_size_zyx_um: Triple | None = None, time_step_s: float | None = None
) -> list[LabelMovie]:
    """Masks of a shape store (one movie per sequence) or of label movies (2D or 3D). Raises InputError."""
    if kind_of(source) is not Kind.SHAPE_STORE:
        return name_apart(open_movies(source, voxel_size_zyx_um=voxel_size_zyx_um, time_step_s=time_step_s, flat=True))
    if voxel_size_zyx_um is not None:
        raise InputError(f"{source}: a shape store records its voxel size; leave --voxel-size out")
    store = ShapeStore.open(source)
    size = store.grid.spacing_um
    return [
        LabelMovie(
            name=sequence.info.name,
            source=str(source),
            n_frames=sequence.info.n_frames,
            shape_zyx=int_triple((*[1] * (3 - store.grid.n_dims), *store.grid.shape)),
            spacing_zyx_um=(size, size, size),
            time_step_s=sequence.info.time_step_s if time_step_s is None else time_step_s,
            lineage=None,
            read=StoredMasks(source.absolute(), sequence.info.name),
        )
        for sequence in store
    ]


def numbered(movies: list[LabelMovie], names: Collection[str] | None) -> dict[int, LabelMovie]:
    """The movies with these names (or all), keyed by their index. Raises InputError for an unknown name."""
    chosen = {number: movie for number, movie in enumerate(movies) if names is None or movie.name in names}
    if unknown := sorted(set(names or ()) - {movie.name for movie in movies}):
        known = ", ".join(movie.name for movie in movies[:5])
        raise InputError(f"{movies[0].source}: no sequence {unknown[0]!r}; it has {known}{' …' * (len(movies) > 5)}")
    return chosen
