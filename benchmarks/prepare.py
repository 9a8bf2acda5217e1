"""Time, memory and disk use of prepare: python benchmarks/prepare.py SOURCES... --grid 256 --workers 1 2.

CPU time is the sum over the command and its workers, user and system. On a busy machine only CPU time is comparable.
"""

import argparse
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_EVERY_S = 0.05


@dataclass(frozen=True)
class PrepareCost:
    """Cost of one run; memory is the proportional set size, which counts shared pages once."""

    seconds: float
    cpu_seconds: float
    largest_mb: float
    sum_mb: float
    disk_mb: float


def memory_mb(process: psutil.Popen) -> list[float]:
    """Memory of a process and of all its descendants."""
    found = []
    for one in (process, *process.children(recursive=True)):
        try:
            found.append(one.memory_full_info().pss / 2**20)
        except psutil.Error:
            continue  # it has ended
    return found


def cpu_seconds() -> float:
    """CPU time of all commands that have ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(sources: list[str], grid: int, workers: int, options: list[str]) -> PrepareCost:
    """Run `cytoform prepare` in its own process."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "shapes.zarr"
        command = [sys.executable, "-m", "cytoform", "prepare", *sources, "--out", str(out), "--quiet"]
        start, cpu_before = time.perf_counter(), cpu_seconds()
        process = psutil.Popen([*command, "--grid", str(grid), "--workers", str(workers), *options])
        largest = total = 0.0
        while process.poll() is None:
            now = memory_mb(process)
            largest, total = max([largest, *now]), max(total, sum(now))
            time.sleep(SAMPLE_EVERY_S)
        seconds = time.perf_counter() - start
        if process.returncode:
            sys.exit(process.returncode)
        disk = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return PrepareCost(seconds, cpu_seconds() - cpu_before, largest, total, disk / 2**20)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--grid", type=int, default=256)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--frames", type=int)
    given = parser.parse_args()
    options = [] if given.frames is None else ["--frames", str(given.frames)]
    print("| workers | seconds | CPU seconds | largest process, MiB | all processes, MiB | store, MiB |")
    print("|---|---|---|---|---|---|")
    for workers in given.workers:
        run = measure(given.sources, given.grid, workers, options)
        print(
            f"| {workers} | {run.seconds:.1f} | {run.cpu_seconds:.1f} "
            f"| {run.largest_mb:.0f} | {run.sum_mb:.0f} | {run.disk_mb:.1f} |",
            flush=True,
        )
