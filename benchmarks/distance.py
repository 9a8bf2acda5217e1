"""How far prepared distances are from the exact surface of real cells, for several ways to prepare them.

    python benchmarks/distance.py            3 T cells x 10 frames, as in docs/results.md
    python benchmarks/distance.py --frames 2

Prints a Markdown table: mean absolute error in µm within ±1 µm of the surface, and seconds a frame.
"""

import argparse
import sys
import time
from pathlib import Path

import edt
import numpy as np
from scipy.ndimage import map_coordinates

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from tcell_surfaces import SPACINGS_ZYX_UM, Distance, distance_error_um  # noqa: E402

from cytoform.shapes import level  # noqa: E402
from cytoform.shapes.distance import signed_distance  # noqa: E402
from cytoform.shapes.grid import Grid  # noqa: E402

NAMES = ("seq00_cell01", "seq12_cell14", "seq25_cell24")
GRID = Grid(96, 15.0)
Triple = tuple[float, float, float]


def _index(grid: Grid, centre_um: Triple, spacing_um: Triple) -> list[np.ndarray]:
    """Index coordinates of the grid's voxel centres in the mask, an array an axis."""
    return [(grid.centres_um - grid.half_extent_um + c) / s - 0.5 for c, s in zip(centre_um, spacing_um, strict=True)]


def nearest_then_transform(mask: np.ndarray, spacing_um: Triple, grid: Grid, centre_um: Triple) -> np.ndarray:
    """The naive way: nearest-neighbour resize of the mask, then a distance transform."""
    index = [np.round(axis).astype(int) + 1 for axis in _index(grid, centre_um, spacing_um)]
    resized = np.pad(mask, 1)[np.ix_(*(axis.clip(0, n + 1) for axis, n in zip(index, mask.shape, strict=True)))]
    return -edt.sdf(resized.astype(np.uint8), anisotropy=(grid.spacing_um,) * 3)


def transform_then_interpolate(order: int) -> Distance:
    """Distance transform with the physical voxel size, interpolated at the grid's voxel centres."""

    def measure(mask: np.ndarray, spacing_um: Triple, grid: Grid, centre_um: Triple) -> np.ndarray:
        margin = [int(np.ceil(3 / s)) for s in spacing_um]
        transform = -edt.sdf(np.pad(mask, [(m, m) for m in margin]).astype(np.uint8), anisotropy=spacing_um)
        index = [axis + m for axis, m in zip(_index(grid, centre_um, spacing_um), margin, strict=True)]
        return map_coordinates(transform, np.meshgrid(*index, indexing="ij"), order=order, mode="nearest")

    return measure


def without_smoothing(mask: np.ndarray, spacing_um: Triple, grid: Grid, centre_um: Triple) -> np.ndarray:
    """The chosen way with step 2 left out: exact distance to the zero of the transform."""
    share = level._smoothing_share
    level._smoothing_share = lambda crop: np.zeros(crop.shape, np.float32)
    try:
        return signed_distance(mask, spacing_um, grid, centre_um)
    finally:
        level._smoothing_share = share


WAYS: dict[str, Distance] = {
    "nearest-neighbour resize, then transform (naive)": nearest_then_transform,
    "transform, linear interpolation": transform_then_interpolate(1),
    "transform, cubic interpolation": transform_then_interpolate(3),
    "transform, exact distance to its zero level": without_smoothing,
    "smoothed transform, exact distance (chosen)": signed_distance,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    options = parser.parse_args()
    print("| way | 0.25 µm isotropic | 1.0×0.2×0.2 µm (z5) | 1.0×0.09×0.09 µm (z11) | s a frame |")
    print("|---|---|---|---|---|")
    for way, measure in WAYS.items():
        seconds: list[float] = []

        def timed(*arguments: object, measure: Distance = measure, seconds: list[float] = seconds) -> np.ndarray:
            start = time.process_time()
            result = measure(*arguments)  # type: ignore[arg-type]
            seconds.append(time.process_time() - start)
            return result

        errors = [
            np.mean([
                distance_error_um(options.data, name, kind, frame, grid=GRID, measure=timed)
                for name in NAMES
                for frame in range(options.frames)
            ])
            for kind in SPACINGS_ZYX_UM
        ]  # fmt: skip
        print(
            f"| {way} | " + " | ".join(f"{error:.3f}" for error in errors) + f" | {np.mean(seconds):.2f} |", flush=True
        )


if __name__ == "__main__":
    main()
