"""Pairs of a real image and its masks, read when asked for, plane by plane."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain, count
from pathlib import Path
from typing import Literal, overload

import numpy as np
from jaxtyping import Integer, Shaped, UInt16

from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.movies.pairs.pair_checks import check_frames
from cytoform.movies.pairs.pair_sources import PairedMovie, find_pairs

Planes = Literal["projection", "slices"]

FEWEST_PAIRS = 4
KEPT_BYTES = 1 << 29  # of frames read last


@dataclass(frozen=True)
class Plane:
    """An image of one plane and its instances; 0 is background. `z` is None in 2D and for a projection."""

    image_yx: Shaped[np.ndarray, "y x"]
    labels_yx: UInt16[np.ndarray, "y x"]
    movie: str
    frame: int
    z: int | None


@dataclass(frozen=True)
class Place:
    """Which plane of which movie."""

    movie: int
    frame: int
    z: int | None


@dataclass(frozen=True)
class Pairs(Sequence[Plane]):
    """Planes in the order movie, frame, z. Of equal shape within a movie, and of one type."""

    movies: tuple[PairedMovie, ...]
    places: tuple[Place, ...]
    dtype: np.dtype
    # None where neither the user nor the files say.
    spacing_zyx_um: Triple | None
    read: Callable[[int, int], tuple[np.ndarray, np.ndarray]]

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> Plane: ...
    @overload
    def __getitem__(self, index: slice) -> "Pairs": ...
    def __getitem__(self, index: int | slice) -> "Plane | Pairs":
        return replace(self, places=self.places[index]) if isinstance(index, slice) else self.at(index)

    def at(self, index: int) -> Plane:
        """Read one."""
        place = self.places[index]
        name = self.movies[place.movie].name
        image, labels = self.read(place.movie, place.frame)
        if place.z is not None:
            return Plane(image[place.z], labels[place.z], name, place.frame, place.z)
        return Plane(image.max(axis=0), project_labels(labels), name, place.frame, None)

    def frames(self, first: int, last: int) -> "Pairs":
        """Those of the frames with numbers from `first` to `last`, both included, of every movie."""
        return replace(self, places=tuple(place for place in self.places if first <= place.frame <= last))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the movies."""
        return tuple(movie.name for movie in self.movies)


def open_pairs(
    sources: Sequence[Path], *, planes: Planes = "projection", spacing_zyx_um: Triple | None = None
) -> Pairs:
    """The pairs of some sources, all frames checked once.

    A source is a Cell Tracking Challenge folder (a dataset, or one of its sequences DIR/01) with masks of every frame
    in 01_ST/SEG, 01_GT/SEG or 01_GT/TRA, or IMAGE.zarr:LABELS.zarr, two OME-Zarr images, or one with its labels/. Of
    3D, `planes` are maximum projections (labels: see `project_labels`) or all slices. Raises InputError for all that
    is not usable (see `pair_checks`), and for fewer than four pairs.
    """
    found = [movie for source in sources for movie in find_pairs(Path(source))]
    movies = _named_apart(found)
    largest = max(8 * int(np.prod(movie.images.shape_zyx)) for movie in movies)
    reader = lru_cache(maxsize=max(1, KEPT_BYTES // largest))(partial(_read, movies))
    places = tuple(
        Place(number, frame, z)
        for number, movie in enumerate(movies)
        for frame in movie.images.frames
        for z in _planes_of(movie, planes)
    )
    if len(places) < FEWEST_PAIRS:
        pairs = "1 pair" if len(places) == 1 else f"{len(places)} pairs"
        given = ", ".join(str(source) for source in sources)
        raise InputError(f"{given}: {pairs} of image and mask, at least {FEWEST_PAIRS} are needed; add images")
    dtype = movies[0].images.dtype
    for number, movie in enumerate(movies):
        if movie.images.dtype != dtype:
            one, other = movie.images, movies[0].images
            raise InputError(
                f"{one.source}: {one.dtype}, but {other.source} is {other.dtype}; images of one type are needed"
            )
        check_frames(movie, partial(reader, number))
    return Pairs(movies, places, dtype, spacing_zyx_um or _recorded_spacing(movies), reader)


def _read(movies: Sequence[PairedMovie], movie: int, frame: int) -> tuple[np.ndarray, np.ndarray]:
    return movies[movie].read(frame)


def _planes_of(movie: PairedMovie, planes: Planes) -> Sequence[int | None]:
    n_planes = movie.images.shape_zyx[0]
    return range(n_planes) if planes == "slices" and n_planes > 1 else [None]


def _named_apart(movies: Sequence[PairedMovie]) -> tuple[PairedMovie, ...]:
    named: dict[str, PairedMovie] = {}
    for movie in movies:
        if any(movie.images.source == other.images.source for other in named.values()):
            raise InputError(f"{movie.images.source}: given twice; give every source once")
        candidates = chain([movie.name], (f"{movie.name}_{n}" for n in count(2)))
        name = next(name for name in candidates if name not in named)
        named[name] = replace(movie, name=name)
    return tuple(named.values())


def _recorded_spacing(movies: Sequence[PairedMovie]) -> Triple | None:
    """What the files say, of images first. Raises InputError where they contradict each other."""
    known = {}
    for movie in movies:
        for part in (movie.images, movie.labels):
            if part.recorded.spacing_zyx_um is not None:
                known[part.source] = part.recorded.spacing_zyx_um
    if not known:
        return None
    first, spacing = next(iter(known.items()))
    for source, other in known.items():
        if not np.allclose(spacing, other, rtol=0.01):
            sizes = [" ".join(f"{size:g}" for size in sizes) for sizes in (other, spacing)]
            raise InputError(f"{source}: voxels of {sizes[0]} µm, but {first} has {sizes[1]}; pass --voxel-size Z Y X")
    return spacing


def project_labels(labels_zyx: Integer[np.ndarray, "z y x"]) -> Integer[np.ndarray, "y x"]:
    """The label of the lowest plane that has one, as a viewer in front of the first plane sees them."""
    first = (labels_zyx > 0).argmax(axis=0)
    return np.take_along_axis(labels_zyx, first[None], axis=0)[0]
