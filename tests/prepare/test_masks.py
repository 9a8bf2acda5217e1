"""Masks that wait on disk are the masks that were kept, in every bit and in the order of their memory."""

from pathlib import Path

import numpy as np
import pytest

from cytoform.base.triples import triple
from cytoform.movies.families import find_families
from cytoform.movies.lineage import Lineage
from cytoform.movies.movie import LabelMovie
from cytoform.prepare import prepare
from cytoform.prepare.masks import Masks
from cytoform.shapes.box import bounding_box
from cytoform.shapes.cleaning import clean_mask
from cytoform.shapes.distance import signed_distance
from cytoform.shapes.store import ShapeStore
from cytoform.simulate.analytic import Ball


@pytest.mark.parametrize("frame", [0, 4])
def test_labels_and_cleaned_masks_come_back(
    frame: int, division: np.ndarray, lineage: Lineage, spacing_zyx_um: tuple[float, float, float], tmp_path: Path
) -> None:
    movie = LabelMovie(
        "m", "m.tif", len(division), division.shape[1:], spacing_zyx_um, 1.0, lineage, lambda t: division[t]
    )
    masks = Masks(tmp_path)
    (family,) = find_families(movie, keep=lambda *kept: masks.keep_labels("m", *kept)).families
    at = family.at(frame)
    (labels,) = masks.labels_of("m", frame, [at])
    whole = division[frame][at.box_zyx]
    assert np.array_equal(labels, np.where(np.isin(whole, at.labels), whole, 0))
    cleaned = clean_mask(whole, at.labels).mask
    masks.keep_cleaned("m", frame, [at], [cleaned])
    (back,) = masks.cleaned("m", frame, [at])
    assert np.array_equal(back, cleaned)
    # Sums of floats over thick slices differ in their last digits in another order.
    assert back.strides == cleaned.strides


def test_distances_are_those_of_the_mask_as_it_was_cleaned(write, tmp_path: Path) -> None:
    """To the last bit, with slices ten times as thick as the pixels, which are refined by splines."""
    spacing_zyx_um, shape = (2.0, 0.2, 0.2), (14, 90, 80)
    axes = [(np.arange(n) + 0.5) * s for n, s in zip(shape, spacing_zyx_um, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = Ball(6.3, centre_zyx_um=(13.1, 8.7, 8.2)).distance_um(points, 0).reshape(shape) <= 0
    movie = write["ome-tiff"](tmp_path / "m", inside[None].astype(np.uint16))
    prepare([movie], tmp_path / "s.zarr", grid_size=48, voxel_size_zyx_um=spacing_zyx_um)
    (sequence,) = ShapeStore.open(tmp_path / "s.zarr")
    box = bounding_box(inside)
    corner_um = np.array([side.start for side in box]) * spacing_zyx_um
    cleaned = clean_mask(inside[box].astype(np.uint16), (1,)).mask
    centre_um = triple(sequence.info.offsets_zyx_um[0] - corner_um)
    expected = signed_distance(cleaned, spacing_zyx_um, sequence.grid, centre_um)
    stored = expected.clip(-sequence.band_um, sequence.band_um).astype(np.float16).astype(np.float32)
    assert np.array_equal(sequence.sdf_um(0), stored)
