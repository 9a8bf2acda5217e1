"""Pairs of a real image and its instance mask, read on demand, plane by plane."""

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
from cytoform.movies.pairs.pair_sources import PairedMovie, find_pairs

PlaneMode = Literal["projection", "slices"]

FEWEST_PAIRS = 4
KEPT_BYTES = 1 << 29  # size of the cache of recently read frames
# Clipping by a camera or a conversion leaves many pixels at the maximum. Real data sets have less than a tenth of this
# share (docs/texture.md); a few bright specks are not saturation.
SATURATED_SHARE, SATURATED_PIXELS = 0.01, 25


@dataclass(frozen=True)
class MaskedImage:
    """A 2D image and its instance mask (0 is background). `z` is None for 2D data and for projections."""

    image_yx: Shaped[np.ndarray, "y x"]
    labels_yx: UInt16[np.ndarray, "y x"]
    movie: str
    frame: int
    z: int | None


@dataclass(frozen=True)
class PlaneIndex:
    """Position of a plane: movie number, frame, and z (None for 2D data and projections)."""

    movie: int
    frame: int
    z: int | None


@dataclass(frozen=True)
class Pairs(Sequence[MaskedImage]):
    """Image-mask pairs ordered by movie, frame and z; one shape per movie, one dtype for all."""

    movies: tuple[PairedMovie, ...]
    places: tuple[PlaneIndex, ...]
    dtype: np.dtype
    # None if neither the user nor the files give a voxel size.
    spacing_zyx_um: Triple | None
    read: Callable[[int, int], tuple[np.ndarray, np.ndarray]]

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> MaskedImage: ...
    @overload
    def __getitem__(self, index: slice) -> "Pairs": ...
    def __getitem__(self, index: int | slice) -> "MaskedImage | Pairs":
        return replace(self, places=self.places[index]) if isinstance(index, slice) else self.at(index)

    def at(self, index: int) -> MaskedImage:
        """Read one pair."""
        place = self.places[index]
        name = self.movies[place.movie].name
        image, labels = self.read(place.movie, place.frame)
        if place.z is not None:
            return MaskedImage(image[place.z], labels[place.z], name, place.frame, place.z)
        return MaskedImage(image.max(axis=0), project_labels(labels), name, place.frame, None)

    def frames(self, first: int, last: int) -> "Pairs":
        """Pairs of the frames numbered `first` to `last` (inclusive) of every movie."""
        return replace(self, places=tuple(place for place in self.places if first <= place.frame <= last))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the movies."""
        return tuple(movie.name for movie in self.movies)


def open_pairs(
    sources: Sequence[Path], *, planes: PlaneMode = "projection", spacing_zyx_um: Triple | None = None
) -> Pairs:
    """Open image-mask pairs and check every frame once.

    A source is a Cell Tracking Challenge folder (a dataset, or one sequence DIR/01) with masks of every frame in
    01_ST/SEG, 01_GT/SEG or 01_GT/TRA; or IMAGE.zarr:LABELS.zarr, two OME-Zarr images; or one image with labels/. In 3D,
    `planes` selects maximum projections (labels: see `project_labels`) or all slices. Raises InputError for unusable
    images (see `check_frames`) and for fewer than four pairs.
    """
    found = [movie for source in sources for movie in find_pairs(Path(source))]
    movies = _named_apart(found)
    largest = max(8 * int(np.prod(movie.images.shape_zyx)) for movie in movies)
    reader = lru_cache(maxsize=max(1, KEPT_BYTES // largest))(partial(_read, movies))
    places = tuple(
        PlaneIndex(number, frame, z)
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


def _planes_of(movie: PairedMovie, planes: PlaneMode) -> Sequence[int | None]:
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
    """Voxel size recorded in the files, images first. Raises InputError for contradictory sizes."""
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
    """Project a label volume along z: each pixel gets the label of the lowest plane that has one."""
    first = (labels_zyx > 0).argmax(axis=0)
    return np.take_along_axis(labels_zyx, first[None], axis=0)[0]


@dataclass(frozen=True)
class _Plateau:
    """Share of a frame's pixels at its maximum grey value."""

    frame: int
    highest: float
    share: float
    n_pixels: int


def check_frames(movie: PairedMovie, read: Callable[[int], tuple[np.ndarray, np.ndarray]]) -> None:
    """Raise InputError for a movie without cells, with a single grey value, or with a saturated frame.

    Saturated: more than 1 % of the pixels of a frame, or of its cells, have the maximum value of the movie.
    """
    n_cells, lowest, plateaus = 0, np.inf, []
    for frame in movie.images.frames:
        image, labels = read(frame)
        inside = labels > 0
        n_cells += int(inside.any())
        lowest = min(lowest, image.min())
        plateaus.append(_plateau(frame, image, inside))
    highest = max(plateau.highest for plateau in plateaus)
    if not n_cells:
        raise InputError(f"{movie.labels.source}: no cell in any frame; masks with cells are needed")
    if lowest == highest:
        raise InputError(f"{movie.images.source}: all grey values are {lowest:g}; give images that show something")
    worst = max((plateau for plateau in plateaus if plateau.highest == highest), key=lambda plateau: plateau.share)
    if worst.share > SATURATED_SHARE and worst.n_pixels >= SATURATED_PIXELS:
        raise InputError(
            f"{movie.images.where(worst.frame)}: saturated, {worst.share:.0%} of its cells or of the whole are at the "
            f"highest value {highest:g}; take images with less exposure or gain"
        )


def _plateau(frame: int, image: np.ndarray, inside: np.ndarray) -> _Plateau:
    highest = image.max()
    top = image == highest
    n_top, n_inside = int(top.sum()), int(inside.sum())
    shares = [n_top / image.size, int((top & inside).sum()) / n_inside if n_inside else 0.0]
    return _Plateau(frame, float(highest), max(shares), n_top)
