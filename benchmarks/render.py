"""Rendering by narrow band, densely, and by the published code's method, in one run.

    python benchmarks/render.py --run tcell=RUN --run mitosis=RUN --run filopodia=RUN [--grids 64 128 256 512]

Prints one table. Dense and published methods are timed on part of a frame and extrapolated (all voxels cost the same). The
narrow band is timed on whole frames, and on a whole sequence from loading the run to the finished store. On `--check-frames`
frames at `--check-grid`, the sign of every voxel and the distances within the band are compared with the dense grid. Of
runs that are no networks (presets linear and parts) only the narrow band is timed, with the CPU seconds of a frame.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

import cytoform
from cytoform.representations.bounds import Bounds
from cytoform.representations.global_code.decoder import Decoder
from cytoform.representations.global_code.evaluator import FrameEvaluator
from cytoform.shapes.grid import frame_times
from cytoform.simulate.analytic import SpikedBall
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.field import Field
from cytoform.synthesis.narrow_band import Evaluate, evaluate_all, search
from cytoform.synthesis.render import BAND_VOXELS, SAFETY

PLAIN_CHUNK = 32_768
TIMED_POINTS = 400_000


def clocked(work: Callable[[], object]) -> float:
    """Wall-clock seconds of `work`."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


@torch.no_grad()
def plain(field: Field, time_: float, points: torch.Tensor) -> None:
    """The published method, reimplemented: code and time are repeated for every point and concatenated at every layer."""
    decoder: Decoder = field.decoder
    for chunk in points.split(PLAIN_CHUNK):
        n = len(chunk)
        place = torch.cat([chunk, torch.full((n, 1), time_, device=chunk.device)], dim=1)
        code = field.code.expand(n, -1).contiguous()
        hidden = torch.empty(n, 0, device=chunk.device)
        for layer in decoder.layers:
            inputs = torch.cat([hidden, place, code][: 3 if layer.n_code else 2], dim=1)
            hidden = decoder.activation(torch.nn.functional.linear(inputs, layer.weight, layer.bias))
        torch.nn.functional.linear(hidden, decoder.output.weight, decoder.output.bias)


def seconds_per_point(work: Callable[[torch.Tensor], object], n: int, device: torch.device) -> float:
    """Seconds per point, median of three runs."""
    points = torch.rand(n, 3, device=device) * 2 - 1
    work(points[: n // 10])
    return float(np.median([clocked(lambda: work(points)) for _ in range(3)])) / n


def narrow(evaluate: FrameEvaluator, grid: int, bounds: Bounds) -> int:
    """Render one frame; return the number of evaluated points."""
    band = BAND_VOXELS * 2 / grid
    return search(evaluate, grid, bounds=bounds, band=band, device=evaluate.device).n_evaluated


def differing(evaluate: Evaluate, grid: int, bounds: Bounds, device: torch.device) -> np.ndarray:
    """Number of voxels with another sign than on the dense grid, and of voxels in the band with another distance."""
    band = BAND_VOXELS * 2 / grid
    box = search(evaluate, grid, bounds=bounds, band=band, device=device)
    dense = evaluate_all(evaluate, grid, device=device).distances
    found = torch.full_like(dense, float("inf"))
    z, y, x = (slice(low, low + n) for low, n in zip(box.corner_zyx, box.distances.shape, strict=True))
    found[z, y, x] = box.distances
    near = dense.abs() <= band
    return np.array([int(((found <= 0) != (dense <= 0)).sum()), int((found[near] != dense[near]).sum())])


def whole_sequence(run: Path, name: str, grid: int, arguments: argparse.Namespace) -> str:
    """Two cells: seconds from loading the run to the finished store of one sequence, and peak GB, in a separate process."""
    code = """
import json, resource, sys, tempfile, time
from pathlib import Path
from cytoform.synthesis.cells import load
from cytoform.synthesis.sequences import Rendering, reconstruct
run, name, grid, frames, safety, device = json.loads(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    start, cpu = time.perf_counter(), time.process_time()
    rendering = Rendering(grid, frames, safety=safety)
    reconstruct(load(Path(run), device=device), Path(folder) / "rec.zarr", names=[name], rendering=rendering)
    print(time.perf_counter() - start, time.process_time() - cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""
    given = json.dumps([str(run), name, grid, arguments.frames, arguments.safety, arguments.device])
    done = subprocess.run([sys.executable, "-c", code, given], capture_output=True, text=True, check=True)
    seconds, cpu_s, gigabytes = map(float, done.stdout.split())
    return f"{seconds:.1f} ({cpu_s:.1f} CPU s) | {gigabytes:.2f}"


def spikes(n: int) -> Evaluate:
    """An analytic field: a ball with a spike one voxel of n³ wide."""
    shape = SpikedBall(0.3, 0.5 * 2 / n, 0.85, centre_zyx_um=(0.003, -0.002, -0.1))

    def evaluate(points: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(shape.distance_um(points.numpy()[:, ::-1].astype(float), 1.0).astype(np.float32))

    return evaluate


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="append", required=True, help="NAME=RUN folder")
    parser.add_argument("--grids", type=int, nargs="+", default=[64, 128, 256, 512])
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--timed-frames", type=int, default=5)
    parser.add_argument("--check-grid", type=int, default=128)
    parser.add_argument("--check-frames", type=int, default=30)
    parser.add_argument("--safety", type=float, default=SAFETY)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, {arguments.device}, safety {arguments.safety:g}")
    values = np.random.default_rng(0).normal(0, 10, (128, 1024)).astype(np.float32)
    libraries = {"NumPy": lambda: np.sin(values), "PyTorch": torch.from_numpy(values).sin}
    times = {
        name: np.median([clocked(sine) for _ in range(50)]) / values.size * 1e9 for name, sine in libraries.items()
    }
    print("a sine: " + ", ".join(f"{name} {ns:.2f} ns" for name, ns in times.items()))
    heads = (
        "field",
        "grid",
        "narrow s/frame",
        "points",
        "share",
        "dense s/frame",
        "plain s/frame",
        "vs dense",
        "vs plain",
    )
    heads += (f"{arguments.frames} frames to a store, s", "peak GB")
    print("| " + " | ".join(heads) + " |")
    print("|---" * len(heads) + "|", flush=True)
    for entry in arguments.run:
        name, _, path = entry.partition("=")
        table_rows(name, Path(path), arguments)
    if arguments.check_frames:
        found = differing(spikes(256), 256, Bounds.of_slope(1.0).times(arguments.safety), torch.device("cpu"))
        print(f"spike one voxel thin, 256³: {found[0]} voxels on another side, {found[1]} of the band differ")
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def other_rows(name: str, path: Path, cells: Cells, arguments: argparse.Namespace) -> None:
    """One row per grid, of a run that is no network: frames as they are rendered, and the whole sequence."""
    field, times = cells.field(cells.names[0]), frame_times(arguments.timed_frames).tolist()
    for grid in arguments.grids:
        start = time.process_time()
        seconds = [clocked(lambda t=t, n=grid: field.render(t, n, safety=arguments.safety)) for t in times]
        cpu_s = (time.process_time() - start) / len(times)
        whole = whole_sequence(path, cells.names[0], grid, arguments)
        print(f"| {name} | {grid}³ | {np.median(seconds):.3f} ({cpu_s:.3f} CPU s) |{' |' * 6} {whole} |", flush=True)


def table_rows(name: str, path: Path, arguments: argparse.Namespace) -> None:
    """One row per grid, and the comparison with the dense grid."""
    cells = cytoform.load(path, device=arguments.device)
    field = cells.field(cells.names[0])
    if cells.run.parts or not isinstance(field.decoder, Decoder):
        other_rows(name, path, cells, arguments)
        return
    bounds = field.bounds.times(arguments.safety)
    frames = [FrameEvaluator(field.decoder, field.code, float(t)) for t in frame_times(arguments.timed_frames)]
    device = frames[0].device
    factor = 1 if device.type == "cpu" else 100
    dense = seconds_per_point(frames[0], factor * TIMED_POINTS, device)
    published = seconds_per_point(lambda points: plain(field, 0.0, points), factor * TIMED_POINTS // 4, device)
    for grid in arguments.grids:
        points = float(np.mean([narrow(frame, grid, bounds) for frame in frames]))
        seconds = float(np.median([clocked(partial(narrow, frame, grid, bounds)) for frame in frames]))
        dense_s, plain_s = grid**3 * dense, grid**3 * published
        whole = whole_sequence(path, cells.names[0], grid, arguments)
        print(
            f"| {name} | {grid}³ | {seconds:.3f} | {points:,.0f} | {points / grid**3:.2%} | {dense_s:.1f} | {plain_s:.1f} "
            f"| {dense_s / seconds:.0f}× | {plain_s / seconds:.0f}× | {whole} |",
            flush=True,
        )
    if n := arguments.check_frames:
        grid = arguments.check_grid
        found = sum(
            differing(FrameEvaluator(field.decoder, field.code, float(t)), grid, bounds, device) for t in frame_times(n)
        )
        print(f"{name}, {n} × {grid}³: {found[0]} voxels on another side, {found[1]} of the band differ", flush=True)


if __name__ == "__main__":
    main()
