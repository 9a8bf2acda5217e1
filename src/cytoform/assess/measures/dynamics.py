"""Changes of a cell from frame to frame, and its division."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Integer

from cytoform.assess.measures.descriptors import Descriptor
from cytoform.assess.measures.masks import jaccard
from cytoform.shapes.cleaning import SPECK_SHARE
from cytoform.shapes.components import components

BOX_JENKINS = "Box and Jenkins 1976"
LAG_1 = "autocorrelation at a lag of one frame"
LINKS = "bodies linked to the one they share most voxels with"
DYNAMICS = {
    "size_change": Descriptor(
        "Size change per frame", "", "mean of the absolute value of V(t+1) / V(t) - 1", "this project"
    ),
    "surface_change": Descriptor(
        "Surface change per frame", "", "mean of the absolute value of A(t+1) / A(t) - 1", "this project"
    ),
    "jaccard_next": Descriptor(
        "Jaccard with next frame",
        "",
        "mean Jaccard index of neighbouring frames, as they lie in the store",
        "this project",
    ),
    "splits": Descriptor("Splits", "", f"one body becoming two, over the sequence; {LINKS}", "this project"),
    "merges": Descriptor("Merges", "", f"two bodies becoming one, over the sequence; {LINKS}", "this project"),
    "division_frame": Descriptor(
        "Frame of division",
        "",
        "first, from 0, from which on there are at least two bodies until the end",
        "this project",
    ),
    "division_time_s": Descriptor("Time of division", "s", "frame of division times the time step", "this project"),
    "size_autocorrelation": Descriptor("Size autocorrelation", "", f"{LAG_1} of the size", BOX_JENKINS),
    "surface_autocorrelation": Descriptor("Surface autocorrelation", "", f"{LAG_1} of the surface area", BOX_JENKINS),
    "sphericity_autocorrelation": Descriptor(
        "Sphericity autocorrelation", "", f"{LAG_1} of the sphericity", BOX_JENKINS
    ),
}
# In images: the same of area, perimeter and circularity.
FLAT_DYNAMICS = {
    "size_change": Descriptor(
        "Area change per frame", "", "mean of the absolute value of A(t+1) / A(t) - 1", "this project"
    ),
    "perimeter_change": Descriptor(
        "Perimeter change per frame", "", "mean of the absolute value of P(t+1) / P(t) - 1", "this project"
    ),
    **{name: DYNAMICS[name] for name in ("jaccard_next", "splits", "merges", "division_frame", "division_time_s")},
    "size_autocorrelation": Descriptor("Area autocorrelation", "", f"{LAG_1} of the area", BOX_JENKINS),
    "perimeter_autocorrelation": Descriptor("Perimeter autocorrelation", "", f"{LAG_1} of the perimeter", BOX_JENKINS),
    "circularity_autocorrelation": Descriptor(
        "Circularity autocorrelation", "", f"{LAG_1} of the circularity", BOX_JENKINS
    ),
}
# A series that varies by less, relative to its mean, is constant but for rounding: meshes are of single precision.
LEAST_VARIATION = 1e-6


@runtime_checkable
class FrameSize(Protocol):
    """Size, extent of the boundary and roundness of a frame in any number of dimensions."""

    @property
    def size(self) -> float: ...
    @property
    def extent(self) -> float: ...
    @property
    def roundness(self) -> float: ...


@dataclass(frozen=True)
class Bodies:
    """Connected components (26 or 8 neighbours) with at least 1 % of a frame's voxels, numbered from 1."""

    labels: Integer[np.ndarray, "*zyx"]
    n: int

    @classmethod
    def of(cls, mask: Bool[np.ndarray, "*zyx"]) -> "Bodies":
        if not mask.size:  # the box of an empty frame
            return cls(np.zeros(mask.shape, np.uint16), 0)
        pieces = components(mask)
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        kept = (sizes > 0) & (sizes >= SPECK_SHARE * sizes.sum())
        number = np.where(kept, np.cumsum(kept), 0)
        return cls(number.astype(pieces.dtype)[pieces], int(kept.sum()))


@dataclass(frozen=True)
class FrameState:
    """Properties of a frame that are compared with the next frame."""

    descriptors: FrameSize
    mask: Bool[np.ndarray, "*zyx"]
    bodies: Bodies


@dataclass(frozen=True)
class FrameStep:
    """Changes from one frame to the next, relative to the first; NaN if one of them is empty."""

    size_change: float
    surface_change: float
    jaccard_next: float
    splits: int
    merges: int


@dataclass(frozen=True)
class Dynamics:
    """Dynamics of a sequence, a field for each of DYNAMICS; NaN if undefined.

    No step, no division, an unknown time step, and a size, surface or sphericity that never changes leave one undefined.
    """

    size_change: float
    surface_change: float
    jaccard_next: float
    splits: float
    merges: float
    division_frame: float
    division_time_s: float
    size_autocorrelation: float
    surface_autocorrelation: float
    sphericity_autocorrelation: float

    @property
    def perimeter_change(self) -> float:
        """In images, what the surface is in space."""
        return self.surface_change

    @property
    def perimeter_autocorrelation(self) -> float:
        """In images, what the surface is in space."""
        return self.surface_autocorrelation

    @property
    def circularity_autocorrelation(self) -> float:
        """In images, what the sphericity is in space."""
        return self.sphericity_autocorrelation


def step(before: FrameState, after: FrameState) -> FrameStep:
    """The changes between two frames."""
    return FrameStep(
        size_change=_relative(before.descriptors.size, after.descriptors.size),
        surface_change=_relative(before.descriptors.extent, after.descriptors.extent),
        jaccard_next=jaccard(before.mask, after.mask),
        splits=_joined(after.bodies, before.bodies),
        merges=_joined(before.bodies, after.bodies),
    )


def dynamics(
    frames: Sequence[FrameSize], steps: Sequence[FrameStep], n_bodies: Sequence[int], *, time_step_s: float | None
) -> Dynamics:
    """Summarise the frames of a sequence, the steps between them, and the number of bodies of each frame."""
    division = division_frame(n_bodies)

    def series(name: str) -> Float[np.ndarray, " frames"]:
        return np.array([getattr(frame, name) if frame.size > 0 else math.nan for frame in frames])

    return Dynamics(
        size_change=_mean([abs(s.size_change) for s in steps]),
        surface_change=_mean([abs(s.surface_change) for s in steps]),
        jaccard_next=_mean([s.jaccard_next for s in steps]),
        splits=float(sum(s.splits for s in steps)) if steps else math.nan,
        merges=float(sum(s.merges for s in steps)) if steps else math.nan,
        division_frame=division,
        division_time_s=math.nan if time_step_s is None else division * time_step_s,
        size_autocorrelation=autocorrelation(series("size")),
        surface_autocorrelation=autocorrelation(series("extent")),
        sphericity_autocorrelation=autocorrelation(series("roundness")),
    )


def autocorrelation(series: Float[np.ndarray, " frames"]) -> float:
    """Autocorrelation of a series at lag 1 about its own mean (Box and Jenkins 1976); steps to and from NaN are left out.

    The sum of the products of neighbours over the sum of squares. NaN with fewer than three defined values, and for a
    series that is constant but for rounding.
    """
    defined = series[np.isfinite(series)]
    if len(defined) < 3 or np.ptp(defined) <= LEAST_VARIATION * abs(defined.mean()):
        return math.nan
    away = series - defined.mean()
    return float(np.nansum(away[1:] * away[:-1]) / np.nansum(away**2))


def division_frame(n_bodies: Sequence[int]) -> float:
    """The first frame from which there are at least two bodies until the end; NaN if there is none."""
    first = len(n_bodies)
    while first > 0 and n_bodies[first - 1] >= 2:
        first -= 1
    return float(first) if first < len(n_bodies) else math.nan


def _joined(many: Bodies, few: Bodies) -> int:
    """Number of bodies in `many` that overlap most with a body of `few` which another one overlaps most with, too."""
    both = (many.labels > 0) & (few.labels > 0)
    shared = np.zeros((many.n + 1, few.n + 1), int)
    np.add.at(shared, (many.labels[both], few.labels[both]), 1)
    partners = [int(row.argmax()) for row in shared if row.any()]
    return len(partners) - len(set(partners))


def _relative(before: float, after: float) -> float:
    return after / before - 1 if before > 0 and after > 0 else math.nan


def _mean(values: Sequence[float]) -> float:
    defined = [value for value in values if math.isfinite(value)]
    return float(np.mean(defined)) if defined else math.nan
