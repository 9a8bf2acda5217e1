"""What it buys to turn sequences into a common pose: python benchmarks/rotations.py [SHAPES.zarr] [--epochs N].

Trains every way of turning them for equally many steps and reconstructs the training cells: Jaccard index, mean and worst
frame. Without a shape store, on simulated dividing cells, each turned by a random rotation: analytically, so that
nothing is resampled. Training and Jaccard index are of one seed.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from cytoform.config import load_config
from cytoform.model.train import train
from cytoform.movies.simulate import MitosisParameters, population
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.synthesis.cells import load
from cytoform.synthesis.sequences import reconstruct

WAYS = {"none": [], "principal": ["data.align=principal"], "learned": ["model.rotations=learned"],
        "principal, then learned": ["data.align=principal", "model.rotations=learned"]}  # fmt: skip


def write_turned_cells(path: Path, *, n_cells: int, n_frames: int, grid_size: int) -> None:
    """Simulated dividing cells, every frame about its centroid, each cell turned by a Haar rotation."""
    families = population(MitosisParameters(), n_cells=n_cells, n_frames=n_frames, seed=0)
    rng = np.random.default_rng(0)
    half_um = 0.6 * max(np.linalg.norm(np.multiply(each.shape_zyx, each.spacing_zyx_um)) for each in families)
    grid = Grid(grid_size, float(half_um))
    points = grid.points_zyx_um() - half_um
    coarse = Grid(24, float(half_um)).points_zyx_um() - half_um
    store = ShapeStore.create(path, grid, band_um=4 * grid.spacing_um, attributes={"command": "benchmark"})
    for family in families:
        turn = Rotation.random(random_state=rng)
        sequence = store.add(SequenceInfo(f"cell{family.name}", n_frames))
        middle = np.multiply(family.shape_zyx, family.spacing_zyx_um) / 2
        for frame in range(n_frames):
            inside = family.distance_um(coarse + middle, frame) <= 0
            centroid = coarse[inside].mean(axis=0) + middle
            distance = family.distance_um(turn.apply(points) + centroid, frame)
            sequence.write(frame, distance.reshape(grid.shape).astype(np.float32))


def jaccard(original: ShapeStore, rendered: ShapeStore) -> np.ndarray:
    """The Jaccard index of every frame."""
    found = []
    for name in original.names:
        for frame in range(original[name].info.n_frames):
            a, b = original[name].mask(frame), rendered[name].mask(frame)
            found.append((a & b).sum() / max((a | b).sum(), 1))
    return np.array(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", type=Path, nargs="?")
    parser.add_argument("--preset", default="best")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--cells", type=int, default=12)
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--grid", type=int, default=48)
    parser.add_argument("--set", action="append", default=[], help="one more setting, as of cytoform train")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shapes = arguments.shapes or Path(folder) / "turned.zarr"
        if arguments.shapes is None:
            write_turned_cells(shapes, n_cells=arguments.cells, n_frames=arguments.frames, grid_size=arguments.grid)
        original = ShapeStore.open(shapes)
        print("| way | Jaccard index | worst frame | loss | training, s |\n|---|---|---|---|---|", flush=True)
        for number, (way, settings) in enumerate(WAYS.items()):
            run, rendered = Path(folder) / f"run{number}", Path(folder) / f"rec{number}.zarr"
            epochs = f"training.epochs={arguments.epochs}"
            config = load_config(preset=arguments.preset, settings=[epochs, *settings, *arguments.set])
            start = time.perf_counter()
            loss = train(shapes, run, config, device="cpu").loss
            seconds = time.perf_counter() - start
            reconstruct(load(run, device="cpu"), rendered)
            found = jaccard(original, ShapeStore.open(rendered))
            print(f"| {way} | {found.mean():.3f} | {found.min():.3f} | {loss:.5f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
