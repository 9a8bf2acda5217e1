"""Benefit of aligning sequences to a common pose: python benchmarks/rotations.py [SHAPES.zarr] [--held-out NAME ...].

Trains every method of alignment for equally many steps, reconstructs the training cells, and fits held-out cells with a
frozen network. Prints the Jaccard index, mean and worst frame. Without a shape store, uses simulated dividing cells with
random rotations, computed analytically to avoid resampling. With several seeds, prints one row per seed.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from cytoform.runs.config import load_config
from cytoform.runs.stage import train
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.simulate import MitosisParameters, population
from cytoform.synthesis.cells import load
from cytoform.synthesis.fitting.stage import complete
from cytoform.synthesis.sequences import reconstruct

METHODS = {"none": [], "principal": ["data.align=principal"], "learned": ["model.rotations=learned"],
        "principal, then learned": ["data.align=principal", "model.rotations=learned"]}  # fmt: skip


def write_turned_cells(path: Path, *, n_cells: int, n_frames: int, grid_size: int) -> None:
    """Write simulated dividing cells, frames centred on their centroids, each cell rotated by a random (Haar) rotation."""
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
    """Jaccard index of every rendered frame."""
    found = []
    for name in rendered.names:
        for frame in range(original[name].info.n_frames):
            a, b = original[name].mask(frame), rendered[name].mask(frame)
            found.append((a & b).sum() / max((a | b).sum(), 1))
    return np.array(found)


def measure(
    shapes: Path, folder: Path, settings: list[str], arguments: argparse.Namespace, seed: int
) -> list[np.ndarray]:
    """Jaccard indices of the frames of training cells and of held-out cells."""
    original = ShapeStore.open(shapes)
    config = load_config(preset=arguments.preset, settings=[f"training.epochs={arguments.epochs}", *settings])
    learned = tuple(name for name in original.names if name not in arguments.held_out)
    config = config.model_copy(update={"data": config.data.model_copy(update={"sequences": learned})})
    train(shapes, folder / "run", config, device="cpu", seed=seed, overwrite=True)
    cells = load(folder / "run", device="cpu")
    reconstruct(cells, folder / "known.zarr", overwrite=True)
    found = [jaccard(original, ShapeStore.open(folder / "known.zarr"))]
    if arguments.held_out:
        complete(cells, shapes, folder / "unseen.zarr", names=arguments.held_out, seed=seed, overwrite=True)
        found.append(jaccard(original, ShapeStore.open(folder / "unseen.zarr")))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", type=Path, nargs="?")
    parser.add_argument("--preset", default="best")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--cells", type=int, default=12)
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--grid", type=int, default=48)
    parser.add_argument(
        "--held-out", nargs="*", default=[], help="names of sequences; of simulated cells, the last ones"
    )
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], help="a setting of cytoform train")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shapes = arguments.shapes or folder / "turned.zarr"
        if arguments.shapes is None:
            write_turned_cells(shapes, n_cells=arguments.cells, n_frames=arguments.frames, grid_size=arguments.grid)
        print(
            "| method | seed | learned cells, worst frame | cells held out, worst frame | s |\n|---|---|---|---|---|",
            flush=True,
        )
        for seed in range(arguments.seeds):
            for method, settings in METHODS.items():
                start = time.perf_counter()
                found = measure(shapes, folder, [*settings, *arguments.set], arguments, seed)
                figures = [f"{values.mean():.3f} ({values.min():.3f})" for values in found] + [""] * (2 - len(found))
                print(f"| {method} | {seed} | {' | '.join(figures)} | {time.perf_counter() - start:.0f} |", flush=True)


if __name__ == "__main__":
    main()
