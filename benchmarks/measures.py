"""Run time of measuring: seconds per frame of each measure, and of `evaluate` as a whole.

    python benchmarks/measures.py [--store shapes.zarr] [--sequences 33] [--frames 30] [--grid 128] [--workers 2]

Makes two stores in a temporary folder: the sequences of `--store` on another grid (or balls with filopodia), and slightly
larger copies. Prints CPU seconds (summed over processes) and wall-clock seconds, memory of the largest process, and the run
time of evaluate: paired, unpaired, and against two stores at once.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.ndimage import zoom

from cytoform.assess.measures.curvature import curvature_spread_per_um, mean_curvature_per_um
from cytoform.assess.measures.descriptors import describe, elongation, solidity
from cytoform.assess.measures.dynamics import Bodies, FrameState, step
from cytoform.assess.measures.masks import topology
from cytoform.assess.measures.protrusion_tracks import TakenApart
from cytoform.assess.measures.protrusions import protrusion_lengths_um
from cytoform.assess.measures.sequences import compare_shapes, measure_frame
from cytoform.assess.measures.surface_distance import surface_distance
from cytoform.assess.measures.thin_parts import compare_thin_parts
from cytoform.assess.results import evaluate_all
from cytoform.assess.stores import select
from cytoform.base.parallel import run_all
from cytoform.shapes.distance import band_um
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import mesh_from_distance
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.simulate.analytic import SpikedBall

OPENING_VOXELS = 4.0  # radius of the ball that takes cells apart


def frames_of(source: Path | None, number: int, n_frames: int, grid: Grid) -> list[np.ndarray]:
    """Signed distances of one sequence on `grid`."""
    if source is not None:
        store = ShapeStore.open(source)
        sequence = store[store.names[number % len(store)]]
        chosen = np.linspace(0, sequence.info.n_frames - 1, n_frames).round().astype(int).tolist()
        return [zoom(sequence.sdf_um(t), grid.size / store.grid.size, order=1) for t in chosen]
    shape = SpikedBall(0.4 * grid.half_extent_um, 0.05 * grid.half_extent_um, 0.85 * grid.half_extent_um,
                       centre_zyx_um=(grid.half_extent_um + 0.01 * number,) * 3)  # fmt: skip
    points = grid.points_zyx_um()
    return [
        shape.distance_um(points, t).reshape(grid.shape).astype(np.float32)
        for t in np.linspace(0, 1, n_frames).tolist()
    ]


def fill(folder: Path, source: Path | None, number: int, n_frames: int) -> None:
    """Write sequence `number` into both stores."""
    stores = [ShapeStore.open(folder / name, writable=True) for name in ("a.zarr", "b.zarr")]
    grid = stores[0].grid
    name = f"seq{number:03d}"
    for t, sdf_um in enumerate(frames_of(source, number, n_frames, grid)):
        for store, larger in zip(stores, (0, 0.2 * grid.spacing_um), strict=True):
            store[name].write(t, sdf_um - larger)


def make(folder: Path, source: Path | None, arguments: argparse.Namespace) -> tuple[Path, Path]:
    """Create both stores."""
    half_extent_um = ShapeStore.open(source).grid.half_extent_um if source else 15.0
    grid = Grid(arguments.grid, half_extent_um)
    paths = folder / "a.zarr", folder / "b.zarr"
    for path in paths:
        store = ShapeStore.create(path, grid, band_um=band_um(grid), attributes={"command": "benchmark"})
        for number in range(arguments.sequences):
            store.add(SequenceInfo(f"seq{number:03d}", arguments.frames, time_step_s=60.0))
    tasks = [(folder, source, number, arguments.frames) for number in range(arguments.sequences)]
    run_all(fill, tasks, workers=arguments.workers)
    return paths


def seconds_by_measure(paths: tuple[Path, Path], n_frames: int) -> dict[str, float]:
    """CPU seconds per frame (of one side, or of a pair) for every measure."""
    spent: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        start = time.process_time()
        work()
        spent.setdefault(name, []).append(time.process_time() - start)

    stores = [ShapeStore.open(path) for path in paths]
    names = stores[0].names
    for i in range(n_frames):
        sequences = [store[names[i % len(names)]] for store in stores]
        t = i % sequences[0].info.n_frames
        a, b = (measure_frame(path, sequence, t) for path, sequence in zip(paths, sequences, strict=True))
        spacing = sequences[0].grid.spacing_um
        timed("reading", lambda s=sequences[0], t=t: s.box(t))
        tight = sequences[0].box(t).tight(margin=2)
        cut, mask = tight.box_sdf_um, tight.inside
        timed("mesh", lambda c=cut, s=spacing: mesh_from_distance(c, s))
        mesh = mesh_from_distance(cut, spacing)
        timed("all descriptors", lambda c=cut, m=mesh, s=spacing: describe(c, m, s))
        timed("- protrusions", lambda m=mask, s=spacing: protrusion_lengths_um(m, s))
        timed("- elongation, solidity", lambda m=mesh: (elongation(m), solidity(m)))
        timed("- curvature", lambda m=mesh: mean_curvature_per_um(m))
        timed("- curvature spread", lambda c=cut, m=mesh, s=spacing: curvature_spread_per_um(c, m, s))
        timed("topology", lambda m=mask: topology(m))
        timed("bodies", lambda m=mask: Bodies.of(m))
        state = FrameState(a.frame.descriptors, mask, Bodies.of(mask))
        timed("step to the next frame", lambda s=state: step(s, s))
        radius_um = OPENING_VOXELS * spacing
        timed("taking apart", lambda f=tight, r=radius_um: TakenApart.of(f, r))
        apart = [(shape.field, TakenApart.of(shape.field, radius_um)) for shape in (a, b)]
        timed("pair: protrusions alone", lambda p=apart: compare_thin_parts(*p))
        timed("pair: all", lambda a=a, b=b: compare_shapes(a, b))
        timed("- ASSD, HD95, normals", lambda a=a, b=b: surface_distance(a.mesh, b.mesh))
    return {name: float(np.mean(values)) for name, values in spent.items()}


def cpu_seconds() -> float:
    """CPU seconds of this process and its finished children."""
    return sum(
        u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--sequences", type=int, default=33)
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--grid", type=int, default=128)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--timed-frames", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = make(Path(folder), arguments.store, arguments)
        print("| measure | CPU s/frame |\n|---|---|")
        for name, seconds in seconds_by_measure(paths, arguments.timed_frames).items():
            print(f"| {name} | {seconds:.4f} |", flush=True)
        print("\n| evaluate | clock s | CPU s | results.json s |\n|---|---|---|---|", flush=True)
        for name, paired in {"paired": [True], "as sets": [False], "both at once": [True, False]}.items():
            start, cpu = time.perf_counter(), cpu_seconds()
            selection = select(paths[0], [paths[1]] * len(paired), paired=paired)
            found = evaluate_all(selection, workers=arguments.workers)
            middle = time.perf_counter()
            for results in found:
                results.write(Path(folder) / "results.json")
            end = time.perf_counter()
            row = f"{middle - start:.0f} | {cpu_seconds() - cpu:.0f} | {end - middle:.1f}"
            print(f"| {name} | {row} |", flush=True)
    peaks = [resource.getrusage(who).ru_maxrss / 1e6 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(f"\npeak memory: {peaks[0]:.2f} GB here, {peaks[1]:.2f} GB in the largest worker")


if __name__ == "__main__":
    main()
