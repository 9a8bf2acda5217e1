"""What makes images hard: each dial changes the microscope or the things in its field, and never the masks.

Every dial is an entry of one of two tables. Frames are independent: a change depends on the frame and the seed only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt16

from cytoform.base.triples import Triple
from cytoform.imaging.optics.parameters import OpticsParameters

# Streams of random numbers.
DEBRIS, MISSING = 0xDEB215, 0x315516
# Radius of a piece of debris in radii of a cell: median, and standard deviation of its logarithm.
DEBRIS_SIZE = (0.2, 0.4)
# How far it moves in a frame, in its radii.
DEBRIS_STEP = 0.05
LAST_LABEL = 65535
Labels = UInt16[np.ndarray, "z y x"]


@dataclass(frozen=True)
class Moment:
    """A frame of a movie, with the scale that its images have."""

    frame: int
    n_frames: int
    spacing_zyx_um: Triple
    # Of a cell of median size, as a ball or disc.
    cell_radius_um: float
    seed: int

    @property
    def passed(self) -> float:
        """Share of the movie that is over: 0 in its first frame, 1 in its last."""
        return self.frame / max(self.n_frames - 1, 1)


def _brighter(optics: OpticsParameters, snr: float, _: Moment) -> OpticsParameters:
    """`snr`² times the light: with shot noise, the signal-to-noise ratio grows with the square root of light."""
    background = optics.background
    lit = background.model_copy(update={"photons_per_pixel": snr**2 * background.photons_per_pixel})
    return _stained(optics.model_copy(update={"background": lit}), snr**2)


def _bleached(optics: OpticsParameters, lost: float, moment: Moment) -> OpticsParameters:
    """Fluorescence decays exponentially; `lost` is the share that is gone in the last frame."""
    return _stained(optics, (1 - lost) ** moment.passed)


def _blurred(optics: OpticsParameters, blur_um: float, _: Moment) -> OpticsParameters:
    """More lateral blur, as a standard deviation."""
    wider_um = float(np.hypot(optics.microscope.extra_blur_um, blur_um))
    return optics.model_copy(update={"microscope": optics.microscope.model_copy(update={"extra_blur_um": wider_um})})


def _defocused(optics: OpticsParameters, drift_um: float, moment: Moment) -> OpticsParameters:
    """The focus leaves the cells evenly, and is `drift_um` away in the last frame: a point becomes a disc, by ray optics."""
    slope = np.tan(np.arcsin(min(optics.microscope.numerical_aperture / optics.microscope.immersion_index, 0.99)))
    # The standard deviation of a disc along an axis is half its radius.
    return _blurred(optics, float(drift_um * moment.passed * slope / 2), moment)


def _stained(optics: OpticsParameters, factor: float) -> OpticsParameters:
    stain = optics.fluorophores
    lit = stain.model_copy(update={"photons_per_pixel": factor * stain.photons_per_pixel})
    return optics.model_copy(update={"fluorophores": lit})


def _with_debris(labels: Labels, n: float, moment: Moment) -> Labels:
    """`n` small bodies between the cells, which glow like cells and hardly move; as labels from the largest downwards."""
    n_dims = 2 if len(labels) == 1 else 3
    spacing, shape = np.array(moment.spacing_zyx_um[-n_dims:]), np.array(labels.shape[-n_dims:])
    room = labels.copy().reshape(shape)
    for number in range(round(n)):
        rng = np.random.default_rng([DEBRIS, moment.seed, number])
        median, spread = DEBRIS_SIZE
        radius_um = moment.cell_radius_um * median * float(np.exp(rng.normal(0, spread)))
        place_um = rng.uniform(0, shape * spacing) + moment.frame * rng.normal(0, DEBRIS_STEP * radius_um, n_dims)
        low = np.clip(np.floor((place_um - radius_um) / spacing), 0, shape).astype(int)
        high = np.clip(np.ceil((place_um + radius_um) / spacing), low, shape).astype(int)
        box = tuple(slice(l, h) for l, h in zip(low, high, strict=True))
        centres = np.meshgrid(*((np.arange(l, h) + 0.5) for l, h in zip(low, high, strict=True)), indexing="ij")
        away_um = np.stack(centres, axis=-1) * spacing - place_um
        room[box][(np.linalg.norm(away_um, axis=-1) <= radius_um) & (room[box] == 0)] = LAST_LABEL - number
    return room.reshape(labels.shape)


def _emptied(labels: Labels, share: float, moment: Moment) -> Labels:
    """In a missing frame, the field without cells."""
    missing = moment.frame in missing_frames(share, moment.n_frames, moment.seed)
    return np.zeros_like(labels) if missing else labels


def missing_frames(share: float, n_frames: int, seed: int) -> frozenset[int]:
    """The frames without an image: a share of all, never the first or the last."""
    inner = np.random.default_rng([MISSING, seed]).permutation(np.arange(1, max(n_frames - 1, 1)))
    return frozenset(inner[: round(share * n_frames)].tolist())


# By the name of the dial: what a number changes in a frame.
OF_OPTICS: Mapping[str, Callable[[OpticsParameters, float, Moment], OpticsParameters]] = {
    "snr": _brighter,
    "bleaching": _bleached,
    "blur_um": _blurred,
    "focus_drift_um": _defocused,
}
OF_LABELS: Mapping[str, Callable[[Labels, float, Moment], Labels]] = {"debris": _with_debris, "missing": _emptied}
IMAGE_DIALS = (*OF_OPTICS, *OF_LABELS)
