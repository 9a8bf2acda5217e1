"""Compares our training with the published loop: points per second, and CPU time to a Jaccard index.

    cytoform prepare ../shared/data/tcells/masks/seq0[0-7]*.tif --out t8.zarr --grid 96 --frames 10
    python benchmarks/train.py t8.zarr [--presets linear best] [--published-minutes 30] [--minutes 60] [--set KEY=VALUE …]

Points per second are measured for the paper's network on both sides, alternately. Then every preset is trained to its end,
or for the given time, and the published loop for the given time. All times are CPU seconds of the process, which other work
on the machine changes little. The clock stops while the Jaccard index is measured, on every second voxel along each axis
(--every) of two frames per sequence. The time of a preset with components begins with their learning; the preset `linear`
is nothing else.

The published loop is reimplemented after docs/method.md: distances of a frame clipped at 32 voxels and divided by their
maximum; samples at voxel centres, 70 % of them at or below 0.3; codes and times repeated for every point and concatenated
at the layers that use them; Adam at 1e-4, halved every 100 epochs. The published text does not give the batch size; we use
10 frames × 2048 points.
"""

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import cast

import edt
import numpy as np
import torch
from torch import Tensor, nn

from cytoform.base.files import write_atomically
from cytoform.base.parallel import no_progress
from cytoform.representations.global_code.decoder import Decoder
from cytoform.representations.global_code.evaluator import FrameEvaluator
from cytoform.representations.refined.representation import InGrid
from cytoform.representations.representation import SCALE, Frame
from cytoform.representations.rotation import to_matrix
from cytoform.representations.threads import small_products_alone
from cytoform.runs.autodecoder import new_model
from cytoform.runs.components import learn_components
from cytoform.runs.config import load_config
from cytoform.runs.refined import Bringing, learn_base, read_base
from cytoform.runs.samples import draw_pool, training_frames
from cytoform.runs.trainer import Trainer
from cytoform.shapes.grid import frame_times
from cytoform.shapes.store import ShapeStore
from cytoform.training.folder import CONFIG
from cytoform.training.team import make_fabric

FrameOf = Callable[[int, float], Frame]  # the frame of a sequence, by its row, at a time
TARGETS = 0.80, 0.90, 0.95
CODE_LAYERS = 1, 5, 8
CUT_VOXELS = 32  # the published script clips distances here


class Judge:
    """Measures the Jaccard index of a model on a subset of voxels and frames."""

    def __init__(self, store: ShapeStore, every: int = 2) -> None:
        n = store.grid.size
        centres = torch.arange(1, 2 * n, 2 * every) / n - 1
        z, y, x = torch.meshgrid(centres, centres, centres, indexing="ij")
        self.points = torch.stack([x, y, z], dim=-1).reshape(-1, 3)
        self.frames = []
        for code, name in enumerate(store.names):
            times = frame_times(store[name].info.n_frames)
            for frame in (len(times) // 4, 3 * len(times) // 4):
                mask = torch.from_numpy(store[name].mask(frame)[::every, ::every, ::every].reshape(-1))
                self.frames.append((code, float(times[frame]), mask))

    def jaccard(self, frame_of: FrameOf) -> float:
        """Jaccard index, mean over the frames."""
        found = []
        for code, time_, mask in self.frames:
            frame = frame_of(code, time_)
            inside = (frame(self.points.to(frame.device)) <= 0).cpu()
            found.append(int((inside & mask).sum()) / max(int((inside | mask).sum()), 1))
        return float(np.mean(found))


@dataclass
class LearningCurve:
    """Jaccard index against seconds of training."""

    name: str
    points: list[tuple[float, float]]

    def add(self, seconds: float, jaccard: float) -> None:
        """Record a Jaccard index and print it."""
        self.points.append((seconds, jaccard))
        print(f"{self.name}: {seconds:.1f} s, Jaccard {jaccard:.3f}", file=sys.stderr, flush=True)

    def seconds_to(self, target: float) -> float | None:
        """CPU seconds to a Jaccard index by linear interpolation; None if it was not reached."""
        for (t0, j0), (t1, j1) in pairwise([(0.0, 0.0), *self.points]):
            if j1 >= target:
                return t1 if j1 == j0 else t0 + (t1 - t0) * max(target - j0, 0) / (j1 - j0)
        return None


class Published:
    """The published network and training loop, reimplemented; the decoder has our layout, so that both are judged alike."""

    def __init__(self, store: ShapeStore, *, frames: int = 10, points: int = 2048) -> None:
        self.frames, self.points_per_frame, self.epoch = frames, points, 0
        self.decoder = Decoder(
            width=128, depth=9, code_dim=192, code_layers=CODE_LAYERS, activation="sine", omega=30.0, seed=0
        )
        self.codes = nn.Embedding(len(store), 192)
        nn.init.normal_(self.codes.weight, 0.0, 1 / np.sqrt(192))
        groups = [{"params": self.decoder.parameters()}, {"params": self.codes.parameters()}]
        self.optimizer = torch.optim.Adam(groups, lr=1e-4)
        self.samples = []
        n = store.grid.size
        for code, name in enumerate(store.names):
            for frame, time_ in enumerate(frame_times(store[name].info.n_frames)):
                voxels = -edt.sdf(store[name].mask(frame).astype(np.uint8), parallel=1)
                sdf = torch.from_numpy(voxels.clip(-CUT_VOXELS, CUT_VOXELS)).reshape(-1)
                sdf /= sdf.abs().max()
                near = sdf <= 0.3
                self.samples.append((code, float(time_), sdf, (near.nonzero()[:, 0], (~near).nonzero()[:, 0])))
        centres = (torch.arange(n) + 0.5) * 2 / n - 1
        z, y, x = torch.meshgrid(centres, centres, centres, indexing="ij")
        self.grid = torch.stack([x, y, z], dim=-1).reshape(-1, 3)

    def steps(self) -> Iterator[int]:
        """Train for one epoch; yield the number of points of each step."""
        for group in self.optimizer.param_groups:
            group["lr"] = 1e-4 * 0.5 ** (self.epoch // 100)
        order = torch.randperm(len(self.samples))
        for batch in order.split(self.frames):
            drawn = [self._draw(int(row)) for row in batch]
            xyzt, codes, truth = (torch.cat(parts) for parts in zip(*drawn, strict=True))
            vectors = self.codes(codes)
            predicted = self._forward(xyzt, vectors)
            loss = (predicted - truth).abs().sum() / len(truth)
            penalty = 1e-4 * min(1, self.epoch / 1000) * vectors.norm(dim=1).sum() / len(truth)
            self.optimizer.zero_grad()
            (loss + penalty).backward()
            self.optimizer.step()
            yield len(truth)
        self.epoch += 1

    def _draw(self, row: int) -> tuple[Tensor, Tensor, Tensor]:
        code, time_, sdf, (near, far) = self.samples[row]
        n = self.points_per_frame
        n_near = int(0.7 * n)
        chosen = torch.cat([near[torch.randint(len(near), (n_near,))], far[torch.randint(len(far), (n - n_near,))]])
        xyzt = torch.cat([self.grid[chosen], torch.full((n, 1), time_)], dim=1)
        return xyzt, torch.full((n,), code), sdf[chosen]

    def _forward(self, xyzt: Tensor, vectors: Tensor) -> Tensor:
        hidden = torch.empty(len(xyzt), 0)
        for layer in self.decoder.layers:
            inputs = torch.cat([hidden, xyzt, vectors][: 3 if layer.n_code else 2], dim=1)
            hidden = torch.sin(30 * nn.functional.linear(inputs, layer.weight, layer.bias))
        return self.decoder.output(hidden)[:, 0]


@dataclass
class Ours:
    """Our trainer for a preset, ready to run, after so many CPU seconds of learning in closed form."""

    trainer: Trainer
    frame_of: FrameOf
    seconds: float = 0.0


def our_trainer(store: ShapeStore, folder: Path, preset: str, settings: list[str]) -> Ours:
    """Our trainer for a preset."""
    config = load_config(preset=preset, settings=settings)
    frames = training_frames(store, store.names, config.data.frame_stride)
    fabric = make_fabric("cpu", config.training.precision, devices=1, nodes=1)
    sampling = {"sampling": config.sampling, "mirrored": config.data.mirrored, "seed": 0}
    if config.model.kind != "refined":
        pool = draw_pool(store, frames, folder / preset, **sampling)
        model = new_model(config, len(store), seed=0, copies=pool.copies)
        trainer = Trainer(model, pool, config.training, seed=0, fabric=fabric)
        return Ours(
            trainer, lambda row, time_: FrameEvaluator(model.decoder, model.codes[pool.copies * row].detach(), time_)
        )
    run = folder / f"{preset}-run"
    run.mkdir()
    start = time.process_time()
    config = learn_base(store, frames, config, run, workers=1, progress=no_progress)
    seconds = time.process_time() - start
    write_atomically(run / CONFIG, config.to_toml().encode())
    base = read_base(run)
    pool = draw_pool(store, frames, folder / preset, changed=Bringing(run, config.sampling.truncation).of, **sampling)
    model = new_model(config, len(store), seed=0, copies=pool.copies, **base.start(pool.copies))

    def frame_of(row: int, time_: float) -> Frame:
        turn = to_matrix(base.rotations[row : row + 1])[0]
        refined = base.refined(config, cast(InGrid, model.decoder))
        return refined.frame(model.own_codes[row], time_, rotation=turn, variables={SCALE: base.scales[row]})

    return Ours(Trainer(model, pool, config.training, seed=0, fabric=fabric), frame_of, seconds)


def learn_linear(store: ShapeStore, folder: Path, judge: Judge) -> LearningCurve:
    """Learn components of distances, which are there all at once."""
    config = load_config(preset="linear")
    start = time.process_time()
    frames = training_frames(store, store.names, 1)
    found = learn_components(store, frames, config, folder, workers=1, progress=no_progress)
    seconds = time.process_time() - start

    def frame_of(row: int, time_: float) -> Frame:
        turn = to_matrix(found.rotations[row : row + 1])[0]
        return found.decoder.frame(found.codes[row], time_, rotation=turn, variables={SCALE: found.scales[row]})

    curve = LearningCurve("preset linear", [(seconds, 0.0)])
    curve.add(seconds, judge.jaccard(frame_of))
    return curve


def clocked(work: Callable[[], float]) -> float:
    """Points per CPU second of `work`, which returns the number of points."""
    start = time.process_time()
    return work() / (time.process_time() - start)


def speeds(store: ShapeStore, folder: Path, rounds: int) -> None:
    """Print points per second of the paper's network: published loop and ours, alternately."""
    published = Published(store)
    trainer = our_trainer(store, folder, "quick", [
        "model.width=128", "model.depth=9", f"model.code_layers={list(CODE_LAYERS)}", "model.omega=30.0",
        "training.epochs=1000000",
    ]).trainer  # fmt: skip
    epochs = trainer.run(lambda: False)
    per_epoch = len(store) * store[store.names[0]].info.n_frames * trainer.training.points_per_frame
    found: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        with small_products_alone():
            ours = clocked(lambda: sum(per_epoch for _ in zip(range(6), epochs, strict=False)))
        found.append((clocked(lambda: sum(n for n in published.steps())), ours))
    theirs, ours = np.median(found[1:], axis=0)
    ratio = np.median([b / a for a, b in found[1:]])
    print(
        f"paper's network, points per CPU second: published loop {theirs:,.0f}, ours {ours:,.0f} ({ratio:.1f}×)",
        flush=True,
    )


def learn(
    ours: Ours, judge: Judge, name: str, *, seconds: float = math.inf, now: Callable[[], float] = time.process_time
) -> LearningCurve:
    """Train to the end, or for `seconds` of the clock `now`: of the CPU, unless a device does the work."""
    curve, clock, next_look = LearningCurve(name, []), ours.seconds, 0.0
    epochs = ours.trainer.run(lambda: False)
    if clock:
        curve.add(clock, judge.jaccard(ours.frame_of))
    while True:
        start = now()
        with small_products_alone():
            done = next(epochs, None)
        clock += now() - start
        is_last = done is None or clock >= seconds
        if clock >= next_look or is_last:
            curve.add(clock, judge.jaccard(ours.frame_of))
            next_look = clock * 1.3 + 1
        if is_last:
            return curve


def learn_published(store: ShapeStore, seconds: float, judge: Judge) -> LearningCurve:
    """Train the published loop for `seconds`."""
    loop, curve, clock, next_look = Published(store), LearningCurve("published loop", []), 0.0, 0.0
    while clock < seconds:
        start = time.process_time()
        for _ in loop.steps():
            pass
        clock += time.process_time() - start
        if clock >= next_look or clock >= seconds:
            curve.add(
                clock, judge.jaccard(lambda row, t: FrameEvaluator(loop.decoder, loop.codes.weight[row].detach(), t))
            )
            next_look = clock * 1.2 + 5
    return curve


def row(curve: LearningCurve) -> str:
    """A table row: seconds to each target."""
    reached = [curve.seconds_to(target) for target in TARGETS]
    seconds, jaccard = curve.points[-1]
    cells = [f"{value:.1f}" if value is not None else "not reached" for value in reached]
    return f"| {curve.name} | " + " | ".join(cells) + f" | {seconds:.0f} | {jaccard:.3f} |"


def main() -> None:
    """Print the speeds and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", type=Path)
    parser.add_argument("--presets", nargs="*", default=["quick", "best"])
    parser.add_argument("--published-minutes", type=float, default=30)
    parser.add_argument("--minutes", type=float, default=math.inf, help="CPU minutes of every preset at most")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--every", type=int, default=2, help="measure on every so many voxels along each axis")
    parser.add_argument("--set", nargs="*", default=[], help="settings of all networks")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    store = ShapeStore.open(arguments.shapes)
    judge = Judge(store, arguments.every)
    print(f"{torch.get_num_threads()} threads")
    with tempfile.TemporaryDirectory() as folder:
        if arguments.rounds:
            speeds(store, Path(folder), arguments.rounds)
        print("| loop | " + " | ".join(f"CPU s to {target:.2f}" for target in TARGETS) + " | trained | Jaccard |")
        print("|---" * (len(TARGETS) + 3) + "|", flush=True)
        if arguments.published_minutes:
            print(row(learn_published(store, 60 * arguments.published_minutes, judge)), flush=True)
        for preset in arguments.presets:
            if preset == "linear":
                print(row(learn_linear(store, Path(folder), judge)), flush=True)
                continue
            ours = our_trainer(store, Path(folder), preset, arguments.set)
            print(row(learn(ours, judge, f"preset {preset}", seconds=60 * arguments.minutes)), flush=True)


if __name__ == "__main__":
    main()
