"""Rendering: narrow band against dense and against the plain way of the published code, in one run.

    python benchmarks/render.py --run tcell=RUN --run mitosis=RUN --run filopodia=RUN [--grids 64 128 256 512]

Prints one table. Dense and plain are timed on a few planes of a frame and multiplied (every voxel costs the same); voxels
are compared with the dense grid on `--check-frames` frames at `--check-grid`. The narrow band is timed on whole frames,
and once as the whole command, from loading the run to the finished store.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import cytoform
from cytoform.model.bounds import Bounds
from cytoform.model.decoder import Decoder
from cytoform.shapes.analytic import SpikedBall
from cytoform.shapes.grid import frame_times
from cytoform.synthesis.evaluator import FrameEvaluator
from cytoform.synthesis.field import Field
from cytoform.synthesis.narrow_band import Evaluate, evaluate_all, search
from cytoform.synthesis.render import BAND_VOXELS, SAFETY

PLAIN_CHUNK = 32_768
TIMED_POINTS = 400_000


def plain_points_per_second(field: Field, time_: float) -> float:
    """The published way, written afresh: code and time repeated for every point and concatenated at every layer."""
    decoder: Decoder = field.decoder
    points = torch.rand(TIMED_POINTS // 4, 3) * 2 - 1
    start = time.perf_counter()
    with torch.no_grad():
        for chunk in points.split(PLAIN_CHUNK):
            n = len(chunk)
            place = torch.cat([chunk, torch.full((n, 1), time_)], dim=1)
            code = field.code.expand(n, -1).contiguous()
            hidden = torch.empty(n, 0)
            for layer in decoder.layers:
                inputs = torch.cat([hidden, place, code][: 3 if layer.n_code else 2], dim=1)
                hidden = decoder.activation(torch.nn.functional.linear(inputs, layer.weight, layer.bias))
            torch.nn.functional.linear(hidden, decoder.output.weight, decoder.output.bias)
    return len(points) / (time.perf_counter() - start)


def dense_points_per_second(evaluate: Evaluate) -> float:
    """The dense way with folded biases and chunks that stay in the cache."""
    points = torch.rand(TIMED_POINTS, 3) * 2 - 1
    evaluate(points[:8192])
    start = time.perf_counter()
    evaluate(points)
    return len(points) / (time.perf_counter() - start)


def narrow(evaluate: Evaluate, grid: int, bounds: Bounds) -> tuple[float, int]:
    """Seconds and points of one frame."""
    start = time.perf_counter()
    box = search(evaluate, grid, bounds=bounds, band=BAND_VOXELS * 2 / grid, device=torch.device("cpu"))
    return time.perf_counter() - start, box.n_evaluated


def differing(evaluate: Evaluate, grid: int, bounds: Bounds) -> int:
    """Voxels whose occupancy differs from the dense grid."""
    device = torch.device("cpu")
    box = search(evaluate, grid, bounds=bounds, band=BAND_VOXELS * 2 / grid, device=device)
    dense = evaluate_all(evaluate, grid, device=device).distances <= 0
    z, y, x = (slice(low, low + n) for low, n in zip(box.corner_zyx, box.distances.shape, strict=True))
    inside = torch.zeros_like(dense)
    inside[z, y, x] = box.distances <= 0
    return int((inside != dense).sum())


def whole_command(run: Path, name: str, grid: int, frames: int) -> tuple[float, float]:
    """Seconds and peak GB of `cytoform reconstruct` of one sequence, from loading the run to the finished store."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cytoform", "reconstruct", str(run), "--out", f"{folder}/rec.zarr", "--quiet"]
        command += ["--grid", str(grid), "--frames", str(frames), "--sequences", name]
        code = (
            "import resource, subprocess, sys, time, json; start = time.perf_counter();"
            "subprocess.run(json.loads(sys.argv[1]), check=True);"
            "print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, json.dumps(command)], capture_output=True, text=True, check=True
        )
        seconds, kilobytes = done.stdout.split()[-2:]
        return float(seconds), float(kilobytes) / 1e6


def spikes() -> Evaluate:
    """An analytic field: a ball with a spike one voxel of 256³ thin."""
    shape = SpikedBall(0.3, 0.5 * 2 / 256, 0.85, centre_zyx_um=(0.003, -0.002, -0.1))

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
    arguments = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, safety {arguments.safety:g}")
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
    print("|---" * len(heads) + "|")
    for entry in arguments.run:
        name, _, path = entry.partition("=")
        table_rows(name, Path(path), arguments)
    differing_spikes = differing(spikes(), 256, Bounds(1.0, float("inf")).times(arguments.safety))
    print(f"spike one voxel thin, 256³: {differing_spikes} voxels differ from dense")
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def table_rows(name: str, path: Path, arguments: argparse.Namespace) -> None:
    """One row a grid, and the comparison with dense."""
    cells = cytoform.load(path)
    field = cells.field(cells.names[0])
    bounds = field.bounds.times(arguments.safety)
    frames = [FrameEvaluator(field.decoder, field.code, float(t)) for t in frame_times(arguments.timed_frames)]
    dense = float(np.median([dense_points_per_second(frame) for frame in frames[:3]]))
    plain = float(np.median([plain_points_per_second(field, float(t)) for t in (-1.0, 0.0, 1.0)]))
    for grid in arguments.grids:
        timed = [narrow(frame, grid, bounds) for frame in frames]
        seconds, points = float(np.median([s for s, _ in timed])), float(np.mean([n for _, n in timed]))
        dense_s, plain_s = grid**3 / dense, grid**3 / plain
        whole_s, peak = whole_command(path, cells.names[0], grid, arguments.frames)
        print(
            f"| {name} | {grid}³ | {seconds:.3f} | {points:,.0f} | {points / grid**3:.2%} | {dense_s:.1f} | {plain_s:.1f} "
            f"| {dense_s / seconds:.0f}× | {plain_s / seconds:.0f}× | {whole_s:.1f} | {peak:.2f} |",
            flush=True,
        )
    if arguments.check_frames:
        n = arguments.check_frames
        count = sum(
            differing(FrameEvaluator(field.decoder, field.code, float(t)), arguments.check_grid, bounds)
            for t in frame_times(n)
        )
        print(f"{name}: {count} of {n} × {arguments.check_grid}³ voxels differ from dense", flush=True)


if __name__ == "__main__":
    main()
