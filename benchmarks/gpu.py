"""The tasks of a graphics card: agreement with the CPU, rendering, points per second of training, time to a Jaccard index.

    python benchmarks/gpu.py --out gpu           on a CUDA device, at most 10 minutes
    python benchmarks/gpu.py --out gpu --small   a small size, also on a CPU

Simulated dividing cells are prepared and sampled, a network learns them, and that network is compared and rendered. All
steps are those of `cytoform simulate`, `prepare`, `train` and `reconstruct`. The table, OUT/gpu.md and OUT/gpu.json, is
written anew after every row. A row for which no time is left, or which fails, says so. Preparing the cells of the full size
takes about 45 CPU minutes and is not cut short: ten minutes are kept with 16 cores, not with a few.
"""

import argparse
import copy
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cytoform.base.files import write_json
from cytoform.base.parallel import no_progress
from cytoform.base.provenance import software_versions
from cytoform.base.system import n_processors
from cytoform.errors import InputError
from cytoform.representations.bounds import Bounds, measure_bounds, uniform_points
from cytoform.representations.config import RepresentationConfig
from cytoform.representations.global_code.evaluator import FrameEvaluator
from cytoform.representations.threads import small_products_alone
from cytoform.runs.autodecoder import AutoDecoder, new_model
from cytoform.runs.config import load_config
from cytoform.runs.samples import draw_pool, training_frames
from cytoform.runs.trainer import Trainer
from cytoform.shapes.grid import Grid, frame_times
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.synthesis.field import CodeField
from cytoform.synthesis.render import BAND_VOXELS, render_sequence
from cytoform.training.team import make_fabric

sys.path.append(str(Path(__file__).parents[1] / "experiments"))

from data_sets import SIZES, make_simulated
from train import Judge, Ours, learn

TARGET, LEARNER = 0.97, "best"
# Sizes of components that `train` finds in the data.
FOUND_BY_TRAIN = ("model.nodes=32", "model.knots=24")
PRESETS = "paper", "best", "unseen"
CHECKED_POINTS, CHECKED_FRAMES = 100_000, 3
AFTER_TRAINING = 0.5  # share of the time that is kept for the rows after the training
COMPILING_S = 60.0  # time without which no compiled step is begun


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    cells: int
    frames: int
    grid: int
    pool_points: int  # a frame
    epochs: int  # of the training to the target
    rendered: tuple[int, ...]  # grids
    check_grid: int
    speed_s: float  # least time of a measurement of points per second
    settings: tuple[str, ...] = ()  # beside those of the presets


FULL = Size(33, 30, 256, 30_000, 600, (256, 512), 128, 4.0)
SMALL = Size(4, 6, 64, 10_000, 400, (64, 128), 64, 1.0)


@dataclass(frozen=True)
class Mode:
    """A way to train: precision of the products, and `torch.compile` in one of its modes."""

    precision: str = "32-true"
    products: str = "highest"  # see torch.set_float32_matmul_precision; high: TF32
    compiled: str = ""
    on_cpu: bool = False  # whether it exists there


MODES = {
    "fp32": Mode(on_cpu=True),
    "tf32": Mode(products="high"),
    "bf16": Mode("bf16-mixed", on_cpu=True),
    "tf32, torch.compile": Mode(products="high", compiled="default"),
    "tf32, torch.compile with CUDA graphs": Mode(products="high", compiled="reduce-overhead"),
}


@dataclass
class Table:
    """Rows of results, written to files as they come; `minutes` is the time for all."""

    out: Path
    device: torch.device
    minutes: float
    size: Size
    rows: list[dict[str, Any]] = field(default_factory=list)
    start: float = field(default_factory=time.perf_counter)

    @property
    def left_s(self) -> float:
        """Seconds until the end."""
        return 60 * self.minutes - (time.perf_counter() - self.start)

    def measure(self, name: str, work: Callable[[], dict[str, Any]], *, needs_s: float) -> None:
        """Add a row with the outcome of `work`, or with the reason why there is none."""
        found: dict[str, Any] = {"missing": "no time was left"}
        if self.left_s > needs_s:
            try:
                found = work()
            except (RuntimeError, ValueError, InputError) as fault:
                found = {"missing": f"failed: {str(fault).strip().splitlines()[0]}"}
        self.add(name, found)

    def add(self, name: str, found: dict[str, Any]) -> None:
        """Add a row."""
        self.rows.append({"name": name, **found})
        print(f"{60 * self.minutes - self.left_s:6.1f} s  {self._line(self.rows[-1])}", flush=True)
        cuda = self.device.type == "cuda"
        device = torch.cuda.get_device_name(self.device) if cuda else f"CPU, {torch.get_num_threads()} threads"
        head = {"device": device, "size": vars(self.size), "minutes": self.minutes, "software": software_versions()}
        write_json(self.out / "gpu.json", {**head, "rows": self.rows})
        lines = [f"| {device} | measured |", "|---|---|", *map(self._line, self.rows)]
        (self.out / "gpu.md").write_text("\n".join(lines) + "\n")

    @staticmethod
    def _line(row: dict[str, Any]) -> str:
        found = "; ".join(f"{key}: {_text(value)}" for key, value in row.items() if key != "name")
        return f"| {row['name']} | {found} |"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def simulated(folder: Path, size: Size) -> ShapeStore:
    """The simulated dividing cells of the paper's experiments, at another size."""
    wanted = replace(SIZES["paper"], sequences=size.cells, held_out=0, frames=size.frames, grid=size.grid)
    how = {"seed": 0, "workers": n_processors(), "overwrite": False, "progress": no_progress}
    make_simulated("mitosis", wanted, folder, **how)
    return ShapeStore.open(folder / "shapes.zarr")


def make_trainer(store: ShapeStore, folder: Path, table: Table, preset: str, *settings: str) -> Trainer:
    """A trainer of the product, ready to run; all presets share the samples of one."""
    known = load_config(preset=preset).model
    smaller = [each for each in (*FOUND_BY_TRAIN, *table.size.settings) if _applies(each, known)]
    config = load_config(preset=preset, settings=[*smaller, *settings])
    sampling = load_config(preset=LEARNER, settings=[f"sampling.pool_points={table.size.pool_points}"]).sampling
    frames = training_frames(store, store.names, stride=1)
    mirrored = config.data.mirrored
    pool = draw_pool(store, frames, folder, sampling=sampling, seed=0, mirrored=mirrored, workers=n_processors())
    model = new_model(config, len(store), seed=0, copies=pool.copies)
    fabric = make_fabric(table.device.type, config.training.precision, devices=1, nodes=1)
    return Trainer(model, pool, config.training, seed=0, fabric=fabric)


def _applies(setting: str, model: RepresentationConfig) -> bool:
    """Whether a kind of representation has the setting "section.key=value"."""
    section, _, key = setting.partition("=")[0].partition(".")
    return section != "model" or key in type(model).model_fields


def learned(trainer: Trainer, store: ShapeStore, seconds: float) -> dict[str, Any]:
    """Train for `seconds` or to the end."""
    model = trainer.raw_model
    ours = Ours(trainer, lambda row, time: FrameEvaluator(model.decoder, model.codes[row].detach(), time))
    curve = learn(ours, Judge(store), f"preset {LEARNER}", seconds=seconds, now=time.perf_counter)
    reached, (trained_s, jaccard) = curve.seconds_to(TARGET), curve.points[-1]
    return {f"s to {TARGET}": reached or "not reached", "trained, s": trained_s, "Jaccard index at the end": jaccard}


@torch.no_grad()
def agreement(model: AutoDecoder) -> dict[str, Any]:
    """The largest difference to the plain decoder in double precision on the CPU, in half extents."""
    reference = copy.deepcopy(model.decoder).cpu().double()
    points, found = uniform_points(np.random.default_rng(0), CHECKED_POINTS, model.codes.detach()), 0.0
    for code, time_ in _checked(model):
        exact_code, exact_points = code[None].cpu().double(), points[None].cpu().double()
        exact = reference.distances(exact_code, torch.tensor([time_]).double(), exact_points)
        near = model.decoder.frame(code, time_)(points).cpu().double()
        found = max(found, float((near - exact[0]).abs().max()))
    return {"largest difference, half extents": found, "asked for": "1e-4"}


def masks(model: AutoDecoder, bounds: Bounds, half_extent_um: float, grid: int) -> dict[str, Any]:
    """Voxels on another side of the surface than on the dense grid of the CPU."""
    differing, on_cpu = 0, copy.deepcopy(model.decoder).cpu()
    for code, time_ in _checked(model):
        frame = CodeField(model.decoder, code, half_extent_um, bounds).render(time_, grid)
        dense = CodeField(on_cpu, code.cpu(), half_extent_um, bounds).render(time_, grid, method="dense")
        differing += int((frame.mask() != dense.mask()).sum())
    return {"differing voxels": differing, "of": CHECKED_FRAMES * grid**3}


def _checked(model: AutoDecoder) -> list[tuple[torch.Tensor, float]]:
    codes = model.codes.detach()
    return [(codes[n % len(codes)], float(t)) for n, t in enumerate(np.linspace(-1, 1, CHECKED_FRAMES))]


def rendering(model: AutoDecoder, bounds: Bounds, like: ShapeStore, folder: Path, grid: int) -> dict[str, Any]:
    """Seconds from the network to the finished store of one sequence, and the device's memory."""
    cell = CodeField(model.decoder, model.codes[0].detach(), like.grid.half_extent_um, bounds)
    times = frame_times(like[like.names[0]].info.n_frames).tolist()
    cell.render(times[0], grid)
    cuda = model.codes.device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    to = Grid(grid, cell.half_extent_um)
    store = ShapeStore.create(
        folder / f"{grid}.zarr", to, band_um=BAND_VOXELS * to.spacing_um, attributes={"command": "benchmark"}
    )
    sequence = store.add(SequenceInfo("cell", len(times), time_step_s=60.0))
    render_sequence((cell.render(t, grid) for t in times), sequence, lambda: None)
    memory = {"GB on the device": torch.cuda.max_memory_allocated() / 1e9} if cuda else {}
    return {"s": time.perf_counter() - start, **memory}


def speed(make: Callable[..., Trainer], preset: str, mode: Mode, seconds: float) -> dict[str, Any]:
    """Points per second, median over epochs after the first."""
    torch.set_float32_matmul_precision(mode.products)
    try:
        trainer = make(preset, f'training.precision="{mode.precision}"', "training.epochs=1000000")
        epochs, found = trainer.run(lambda: False), []
        with small_products_alone():
            next(epochs)  # makes the parts that are made once, which a compiler could not trace
            if mode.compiled:
                trainer.raw_model.compile(mode=mode.compiled)
                next(epochs)
            start = time.perf_counter()
            while time.perf_counter() < start + seconds or len(found) < 2:
                found.append(next(epochs).points_per_second)
        return {"points/s": round(float(np.median(found)))}
    finally:
        torch.set_float32_matmul_precision("highest")


def measure_all(table: Table, folder: Path) -> None:
    """All rows; without data or a network there is nothing to measure, so faults there end the run."""
    size = table.size
    what = f"{size.cells} × {size.frames} × {size.grid}³"
    start = table.left_s
    store = simulated(folder, size)
    table.add(f"{what} simulated and prepared, {n_processors()} CPU cores", {"s": start - table.left_s})
    start = table.left_s
    make = partial(make_trainer, store, folder / "samples", table)
    trainer = make(LEARNER, f"training.epochs={size.epochs}")
    table.add(f"{size.pool_points:,} points of each frame drawn", {"s": start - table.left_s})
    allowed_s = table.left_s * (1 - AFTER_TRAINING)
    table.add(f"training, {what}, preset {LEARNER}, {size.epochs} epochs", learned(trainer, store, allowed_s))
    model, half_um = trainer.raw_model, store.grid.half_extent_um
    bounds = measure_bounds(model.decoder, model.codes.detach(), seed=0)
    table.measure("distances against the CPU", partial(agreement, model), needs_s=10)
    check = f"masks at {size.check_grid}³ against dense ones of the CPU"
    table.measure(check, partial(masks, model, bounds, half_um, size.check_grid), needs_s=20)
    for grid in size.rendered:
        work = partial(rendering, model, bounds, store, folder, grid)
        table.measure(f"rendering {size.frames} × {grid}³ to a store", work, needs_s=20)
    for name, mode in MODES.items():
        if table.device.type == "cpu" and not mode.on_cpu:
            table.add(f"training, {name}", {"missing": "on a CUDA device only"})
            continue
        for preset in PRESETS:
            work = partial(speed, make, preset, mode, size.speed_s)
            needs_s = COMPILING_S if mode.compiled else 3 * size.speed_s
            table.measure(f"training, preset {preset}, {name}", work, needs_s=needs_s)


def main(arguments: list[str] | None = None) -> int:
    """Write the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args(arguments)
    if not (options.small or torch.cuda.is_available()):
        print("no CUDA device is available here; use --small to see that the script runs on a CPU", file=sys.stderr)
        return 2
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, suppress(KeyboardInterrupt):
        measure_all(Table(options.out, device, options.minutes, SMALL if options.small else FULL), Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
