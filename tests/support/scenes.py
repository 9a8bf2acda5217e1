"""Small scenes of exact shapes: stores of balls and dividing pairs, and a texture without training."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from stores import ball

from cytoform.scenes.request import SceneRequest
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.simulate.analytic import DividingPair

GRID = Grid(32, 8.0)
RADIUS_UM = 2.6
N_FRAMES = 7
# From this frame, the two balls are more than a voxel diagonal apart.
DIVISION = 5


def boxed_ball(radius_um: float) -> BoxedField:
    """A ball in the middle of the cube."""
    return BoxedField(GRID, (0, 0, 0), ball(radius_um, grid=GRID), 2.0)


def read_labels(out: Path, frame: int) -> np.ndarray:
    """The label image of a frame of the first sequence of a data set."""
    return tifffile.imread(out / "01_GT" / "TRA" / f"man_track{frame:03d}.tif")


def write_pairs(path: Path, names: str = "ab", *, n_frames: int = N_FRAMES, end_um: float = 7.4) -> Path:
    """Write a store of balls that divide into two balls along x."""
    store = ShapeStore.create(path, GRID, band_um=2.0, attributes={"command": "test"})
    pair = DividingPair(RADIUS_UM, end_um, centre_zyx_um=(8.0, 8.0, 8.0))
    for name in names:
        sequence = store.add(SequenceInfo(name, n_frames, time_step_s=60.0))
        for frame in range(n_frames):
            sdf_um = pair.distance_um(GRID.points_zyx_um(), frame / (n_frames - 1)).reshape(GRID.shape)
            sequence.write(frame, sdf_um.astype(np.float32))
    return path


def request(*sources: Path, **options: Any) -> SceneRequest:
    """A request for a small scene without images, in which all cells stay in view."""
    small = {"cells": 3, "frames": 8, "size_zyx": (24, 72, 72), "voxel_size_zyx_um": (0.5, 0.5, 0.5), "seed": 3}
    plain = {"texture": "none", "leave": "none", "ome_zarr": False, "geff": False}
    return SceneRequest(sources=sources, **{**small, **plain, **options})


class Flat:
    """A texture: grey value proportional to the label, background 0, projections are maxima."""

    dtype = np.dtype(np.uint16)

    def render(self, labels_zyx: np.ndarray, *, projection: bool = False, **_: Any) -> np.ndarray:
        """100 times the label."""
        image = (100 * labels_zyx).astype(np.uint16)
        return image.max(axis=0, keepdims=True) if projection else image


def files_of(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def challenge_scores(out: Path, room: Path) -> dict[str, float]:
    """The challenge's measures of the truth itself as a result; -1 where its check refuses it."""
    from ctc_metrics.scripts.evaluate import evaluate_sequence
    from ctc_metrics.scripts.validate import validate_sequence

    for path in (out / "01_GT" / "TRA").iterdir():
        name = path.name.replace("man_track.txt", "res_track.txt").replace("man_track", "mask")
        shutil.copyfile(path, room / name)
    if validate_sequence(str(room), threads=1) != {"Valid": 1}:
        return {}
    found = evaluate_sequence(str(room), str(out / "01_GT"), metrics=["Valid", "SEG", "DET", "TRA"], threads=1)
    return {name: float(found[name]) for name in ("SEG", "DET", "TRA")}
