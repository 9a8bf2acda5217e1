"""Error of prepared distances for real cells with known exact surfaces, for several methods of preparation.

    python benchmarks/distance.py            3 T cells x 5 frames, as in docs/results.md
    python benchmarks/distance.py --frames 2

Prints a Markdown table: mean absolute error in µm within ±1 µm of the surface, and seconds per frame.
"""

import argparse
import sys
import time
from itertools import product
from pathlib import Path

import edt
import numpy as np
from scipy.ndimage import map_coordinates

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "experiments")]

from tcell_surfaces import SPACINGS_ZYX_UM, Distance, Triple, real_case  # noqa: E402

from cytoform.shapes import level  # noqa: E402
from cytoform.shapes.distance import signed_distance  # noqa: E402
from cytoform.shapes.grid import Grid  # noqa: E402

NAMES = ("seq00_cell01", "seq12_cell14", "seq25_cell24")
GRID = Grid(96, 15.0)


def _index(grid: Grid, centre_um: Triple, spacing_um: Triple) -> list[np.ndarray]:
    """Index coordinates of the grid's voxel centres in the mask, one array per axis."""
    return [(grid.centres_um - grid.half_extent_um + c) / s - 0.5 for c, s in zip(centre_um, spacing_um, strict=True)]


def nearest_then_transform(mask: np.ndarray, spacing_um: Triple, grid: Grid, centre_um: Triple) -> np.ndarray:
    """The naive method: nearest-neighbour resize of the mask, then a distance transform."""
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
    """The chosen method without step 2: exact distance to the zero level of the transform."""
    share = level._smoothing_share
    level._smoothing_share = lambda crop: np.zeros(crop.shape, np.float32)
    try:
        return signed_distance(mask, spacing_um, grid, centre_um)
    finally:
        level._smoothing_share = share


METHODS: dict[str, Distance] = {
    "nearest-neighbour resize, then transform (naive)": nearest_then_transform,
    "transform, linear interpolation": transform_then_interpolate(1),
    "transform, cubic interpolation": transform_then_interpolate(3),
    "transform, exact distance to its zero level": without_smoothing,
    "smoothed transform, exact distance (chosen)": signed_distance,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=5, help="number of frames, evenly spaced, of ten")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    options = parser.parse_args()
    frames = np.linspace(0, 9, options.frames).round().astype(int).tolist()
    errors: dict[tuple[str, str], list[float]] = {(method, kind): [] for method in METHODS for kind in SPACINGS_ZYX_UM}
    seconds: dict[str, list[float]] = {method: [] for method in METHODS}
    for name, kind, frame in product(NAMES, SPACINGS_ZYX_UM, frames):
        case = real_case(options.data, name, kind, frame=frame, grid=GRID)
        for method, measure in METHODS.items():
            start = time.process_time()
            errors[method, kind].append(case.mean_error_um(measure))
            seconds[method].append(time.process_time() - start)
    print("| method | 0.25 µm isotropic | 1.0×0.2×0.2 µm (z5) | 1.0×0.09×0.09 µm (z11) | CPU s a frame |")
    print("|---|---|---|---|---|")
    for method in METHODS:
        cells = [f"{np.mean(errors[method, kind]):.3f}" for kind in SPACINGS_ZYX_UM]
        print(f"| {method} | {' | '.join(cells)} | {np.mean(seconds[method]):.2f} |")


if __name__ == "__main__":
    main()
