"""Time, memory and disk use of a benchmark data set: python benchmarks/scenes.py RUN --cells 50 --frames 30 --workers 2."""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from prepare import SAMPLE_EVERY_S, memory_mb


@dataclass(frozen=True)
class SceneCost:
    """Cost of one run; memory is the proportional set size, which counts shared pages once."""

    seconds: float
    cpu_s: float
    largest_mb: float
    sum_mb: float
    disk_mb: float
    work_mb: float
    card: str


def cpu_seconds(process: psutil.Popen, known: dict[int, float]) -> None:
    """Record the CPU seconds of every process in `known`, by process id."""
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.Error:
            continue
        known[one.pid] = times.user + times.system


def size_mb(folder: Path) -> float:
    """Disk use of a folder in MB."""
    found = subprocess.run(["du", "-sm", str(folder)], capture_output=True, text=True, check=False).stdout
    return float(found.split()[0]) if found else 0.0


def measure(arguments: list[str], out: Path) -> SceneCost:
    """Run `cytoform benchmark` in its own process."""
    command = [sys.executable, "-m", "cytoform", "benchmark", *arguments, "--out", str(out), "--quiet"]
    work = out.with_name(f".{out.name}.partial")
    start, cpu = time.perf_counter(), dict[int, float]()
    process = psutil.Popen(command)
    largest = total = cells = 0.0
    while process.poll() is None:
        now = memory_mb(process)
        cpu_seconds(process, cpu)
        largest, total = max([largest, *now]), max(total, sum(now))
        cells = max(cells, size_mb(work / "cells")) if (work / "cells").exists() else cells
        time.sleep(10 * SAMPLE_EVERY_S)
    seconds = time.perf_counter() - start
    if process.returncode:
        sys.exit(process.returncode)
    card = (out / "README.md").read_text()
    return SceneCost(seconds, sum(cpu.values()), largest, total, size_mb(out), cells, card)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--cells", type=int, nargs="+", default=[50])
    parser.add_argument("--frames", type=int, nargs="+", default=[30])
    parser.add_argument("--size", nargs=3, default=["64", "512", "512"])
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    options, more = parser.parse_known_args()
    size = " × ".join(options.size)
    print(f"| cells | frames | workers ({size}) | s | CPU s | largest MB | all MB | MB | cells MB | overlap |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for cells in options.cells:
        for frames in options.frames:
            for workers in options.workers:
                with tempfile.TemporaryDirectory() as folder:
                    chosen = {"--cells": cells, "--frames": frames, "--workers": workers}
                    pairs = [str(word) for pair in chosen.items() for word in pair]
                    found = measure([*options.runs, *pairs, "--size", *options.size, *more], Path(folder) / "out")
                shared = re.search(r"claimed by two cells \| (\d+)", found.card)
                assert shared
                print(
                    f"| {cells} | {frames} | {workers} | {found.seconds:.0f} | {found.cpu_s:.0f} | {found.largest_mb:.0f} | "
                    f"{found.sum_mb:.0f} | {found.disk_mb:.0f} | {found.work_mb:.0f} | {shared[1]} |",
                    flush=True,
                )
