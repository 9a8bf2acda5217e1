"""Condition channels: inputs of a network, computed from the labels of the whole frame so that crops and tiles agree."""

from collections.abc import Iterator

import edt
import numpy as np
from jaxtyping import Bool, Float32, Integer

from cytoform.imaging.cell_noise import cell_noise
from cytoform.imaging.inheritance import ALONE, Inheritance

CHANNELS = ("inside", "edges", "depth", "cell_noise", "field_noise", "frame_noise")
# Depth is on a logarithmic scale up to this limit: resolution matters most near borders, and nuclei and whole cells both fit.
DEEPEST_PX = 64
FIELD, FRAME = 1, 2  # random streams

Labels2D = Integer[np.ndarray, "y x"]
Conditions = Float32[np.ndarray, "channels y x"]


def conditions(
    labels_yx: Labels2D, *, plane: int = 0, frame: int, seed: int, inherited: Inheritance = ALONE
) -> Conditions:
    """The CHANNELS of a single plane: 2D, a projection, or a slice in training.

    inside: 0 or 1. edges: between instances and to the background (Wang et al. 2018). depth: in a cell, negative outside.
    cell_noise moves with the cells, field_noise is fixed in the field of view, frame_noise is new in every frame. In
    training, use a new seed for every draw, so that the network cannot recognise cells by their noise.
    """
    moving = cell_noise(
        labels_yx[None], spacing_zyx_um=(1.0, 1.0, 1.0), correlation_um=0.0, seed=seed, inherited=inherited
    )[0]
    return _stack(labels_yx, moving, plane=plane, frame=frame, seed=seed)


def volume_conditions(
    labels_zyx: Integer[np.ndarray, "z y x"], *, frame: int, seed: int, inherited: Inheritance = ALONE
) -> Iterator[Conditions]:
    """The CHANNELS of every plane of a volume; cell_noise follows the cells in 3D."""
    moving = cell_noise(labels_zyx, spacing_zyx_um=(1.0, 1.0, 1.0), correlation_um=0.0, seed=seed, inherited=inherited)
    for plane, labels_yx in enumerate(labels_zyx):
        yield _stack(labels_yx, moving[plane], plane=plane, frame=frame, seed=seed)


def instance_edges(labels_yx: Labels2D) -> Bool[np.ndarray, "y x"]:
    """Pixels with a different label among their four neighbours."""
    edges = np.zeros(labels_yx.shape, bool)
    for one, other in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        differ = labels_yx[one] != labels_yx[other]
        edges[one] |= differ
        edges[other] |= differ
    return edges


def signed_depth(labels_yx: Labels2D) -> Float32[np.ndarray, "y x"]:
    """Depth of a pixel in its cell, negative outside: logarithmic, scaled to -1 … 1."""
    inside = edt.edt(np.ascontiguousarray(labels_yx), black_border=False)
    outside = edt.edt(np.ascontiguousarray(labels_yx == 0), black_border=False)
    scale = np.float32(1 / np.log1p(DEEPEST_PX))
    return (np.log1p(np.minimum(inside, DEEPEST_PX)) - np.log1p(np.minimum(outside, DEEPEST_PX))) * scale


def _stack(labels_yx: Labels2D, moving: np.ndarray, *, plane: int, frame: int, seed: int) -> Conditions:
    shape = labels_yx.shape
    stays = np.random.default_rng([seed, FIELD, plane]).standard_normal(shape, np.float32)
    new = np.random.default_rng([seed, FRAME, plane, frame]).standard_normal(shape, np.float32)
    channels = (labels_yx > 0, instance_edges(labels_yx), signed_depth(labels_yx), moving, stays, new)
    return np.stack([channel.astype(np.float32, copy=False) for channel in channels])
