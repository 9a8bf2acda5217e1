"""The cube that all sequences of a data set share, and its voxels; of images, the square and its pixels."""

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.base.triples import Ints
from cytoform.errors import InputError

MIN_SIZE, MAX_SIZE = 8, 1024
AXES, EXPONENTS, NAMES = "zyx", {3: "³", 2: "²"}, {3: "voxels", 2: "pixels"}
CUBES = {3: "cube", 2: "square"}
# Words for sentences about cells in images, by the words about cells in volumes; phrases before their words.
WORDS: dict[int, dict[str, str]] = {
    3: {},
    2: {
        "a face, an edge or a corner": "an edge or a corner",
        "handles + cavities": "holes",
        "26 neighbours": "8 neighbours",
        "3D player": "player",
        "a surface": "an outline",
        "surface": "outline",
        "voxel": "pixel",
        "volume": "area",
        "cube": "square",
        "ball": "disc",
        "tube": "strip",
    },
}
# A length from a volume or from an area.
ROOTS: dict[int, np.ufunc] = {3: np.cbrt, 2: np.sqrt}


@dataclass(frozen=True)
class Grid:
    """An isotropic grid of `size` voxels a side over a cube of half-width `half_extent_um`, in `n_dims` dimensions.

    Voxel (k, j, i) has its centre at ((k, j, i) + 0.5) · spacing from the corner of the cube. The network sees the cube
    as Ω = [-1, 1]³ (paper section 2). With two dimensions (y and x), the cube is a square and a voxel a pixel.
    """

    size: int
    half_extent_um: float
    n_dims: int = 3

    def __post_init__(self) -> None:
        if not MIN_SIZE <= self.size <= MAX_SIZE:
            raise InputError(
                f"--grid {self.size}: a grid has {MIN_SIZE} to {MAX_SIZE} voxels a side; choose another size"
            )
        if not (np.isfinite(self.half_extent_um) and self.half_extent_um > 0):
            raise InputError(f"--half-extent {self.half_extent_um}: must be a positive number of micrometres")

    @property
    def spacing_um(self) -> float:
        """Side of a voxel."""
        return 2 * self.half_extent_um / self.size

    @property
    def shape(self) -> Ints:
        """Voxels along every axis."""
        return (self.size,) * self.n_dims

    @property
    def voxels_text(self) -> str:
        """The number of voxels, for people: 128³ or 128²."""
        return f"{self.size}{EXPONENTS[self.n_dims]}"

    @property
    def text(self) -> str:
        """The voxels, for people: 128³ voxels of 0.25 µm, or 128² pixels."""
        return f"{self.voxels_text} {NAMES[self.n_dims]} of {self.spacing_um:.4g} µm"

    @property
    def axes(self) -> str:
        """The letters of the axes."""
        return AXES[-self.n_dims :]

    @property
    def centres_um(self) -> Float[np.ndarray, " size"]:
        """Positions of the voxel centres along one axis, from the corner of the cube."""
        return (np.arange(self.size) + 0.5) * self.spacing_um

    def points_zyx_um(self) -> Float[np.ndarray, "n dims"]:
        """All voxel centres in C order. Takes 24 bytes per voxel: for small grids only."""
        axes = [self.centres_um] * self.n_dims
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, self.n_dims)


def worded(text: str, n_dims: int) -> str:
    """A sentence about cells in volumes, in the words for a number of dimensions of space (`WORDS`)."""
    for word, other in WORDS[n_dims].items():
        for old, new in ((word, other), (word.capitalize(), other.capitalize())):
            text = re.sub(rf"\b{re.escape(old)}(?=s?\b)", new, text)
    return text


def frame_times(n_frames: int) -> Float[np.ndarray, " frames"]:
    """Network times of `n_frames` frames, evenly spread from -1 to +1; a single frame has time -1."""
    if n_frames < 1:
        raise InputError(f"--frames {n_frames}: a sequence has at least one frame")
    return np.linspace(-1.0, 1.0, n_frames)
