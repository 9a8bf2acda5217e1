"""Do synthetic pairs help a segmenter? Eight seeds with intervals: real pairs alone, and mixed with synthetic ones.

python experiments/usefulness_seeds.py --choose      # compare the ways of mixing, on frames before the test frames
python experiments/usefulness_seeds.py               # the chosen one, on the test frames; writes the table

The synthetic side knows the same real cells and nothing else: a scene of cells in contact (`cytoform benchmark` with a packaged
model), brought to the size of the real cells, in images made of their pixels (usefulness_transfer.py). Both sides have equally
many crops. Everything is in out/experiments/usefulness_seeds:

scene                                    the scene, the same for all
DATA SET-SPLIT/truth                     the test frames in the format of py-ctcmetrics
DATA SET-SPLIT/SHARE/seed-S/ARM.json     scores of one training; existing ones are kept
results-DATA SET-SPLIT.json              scores and gains by share
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter

from cytoform.assess.segmenter.objects import ObjectSizes
from cytoform.assess.segmenter.segmenter import CHANNELS, TRAINING_STEPS, train_segmenter
from cytoform.base.files import write_json
from cytoform.base.gate import Record, read_json
from cytoform.base.parallel import run_all
from cytoform.base.provenance import software_versions
from cytoform.commands.common import Common, WorkerOptions
from cytoform.errors import InputError
from cytoform.movies.pairs.pairs import MaskedImage
from cytoform.scenes.request import SceneRequest
from cytoform.scenes.stage import benchmark
from cytoform.zoo.find import find_run
from experiment import ROOT, Places, run_script
from tables import Row, share_std
from usefulness_arms import ARMS, Known, scene_sha256
from usefulness_data import RealSet, open_set, part_of, write_truth
from usefulness_gain import gain, in_words, summary
from usefulness_mixing import MIXINGS
from usefulness_scores import scores

OUT = ROOT / "out" / "experiments" / "usefulness_seeds"
COLUMNS = ("data set", "frames", "real frames", "real cells", "learned from", "SEG", "DET", "TRA", "in words")
METRICS = ("SEG", "DET", "TRA")
REAL = "real"
Name = Literal["nuclei", "dic"]
Split = Literal["choice", "test"]
# Steps and channels: a network of half the usual width learns in a third of the time.
Network = Literal["half", "usual"]
Amount = Literal["handful", "frame"]
NETWORKS: dict[Network, tuple[int, tuple[int, ...]]] = {
    "half": (1000, (8, 16, 32, 64)),
    "usual": (TRAINING_STEPS, CHANNELS),
}
SEEDS: dict[Split, range] = {"choice": range(100, 102), "test": range(8)}
# The way of mixing, chosen on the choice split.
CHOSEN = "both"
SCENE = SceneRequest(
    sources=(find_run("zoo:mitosis-2d"),),
    cells=22,
    frames=6,
    size_zyx=(1, 512, 512),
    voxel_size_zyx_um=(0.3, 0.3, 0.3),
    time_step_s=1200.0,
    speed_um_per_min=0.5,
    cycle_min=1200.0,
    cell_size=363.0,
    cell_size_spread=0.25,
    contact=0.12,
    texture="none",
    ome_zarr=False,
    geff=False,
    seed=2,
)


@dataclass(frozen=True)
class Job:
    """One training: a share of the real frames of a data set, a seed, and an arm."""

    real: RealSet
    share: Fraction  # of frames
    seed: int
    arm: str
    folder: Path
    scene: Path
    steps: int
    channels: tuple[int, ...]

    @property
    def record(self) -> Path:
        """File with the scores."""
        return self.folder / f"{float(self.share):g}-frames" / f"seed-{self.seed}" / f"{self.arm}.json"

    def known(self) -> list[MaskedImage]:
        """The real training pairs: a whole frame at random, or a part of it."""
        rng = np.random.default_rng([self.seed, *self.share.as_integer_ratio()])
        planes = self.real.planes([int(rng.choice(self.real.training_frames))])
        return planes if self.share >= 1 else [part_of(plane, self.share, rng) for plane in planes]


class Scored(Record):
    """Scores of one training, the number of real cells, the number of steps, and the checksum of the scene's masks."""

    SEG: float
    DET: float
    TRA: float | None
    cells: int
    steps: int
    scene: str  # empty where none is used


def run_job(job: Job) -> Scored:
    """Train and score, or read existing scores. Raises InputError if they were made with other settings or another scene."""
    settings = {"steps": job.steps, "scene": "" if job.arm == REAL else scene_sha256(job.scene)}
    if not job.record.exists():
        known = job.known()
        sizes = ObjectSizes.of(plane.labels_yx for plane in known)
        if sizes is None:
            raise InputError(f"{job.real.source}: no cell in the training frames")
        mixed = None if job.arm == REAL else ARMS[job.arm].mixed(Known(known, sizes, job.scene, job.seed))
        segmenter = train_segmenter(
            known, steps=job.steps, seed=job.seed, sizes=sizes, mixed=mixed, channels=job.channels
        )
        tests, tracked = job.real.planes(job.real.test_frames), job.real.lineage is not None
        found = scores(segmenter, tests, job.folder / "truth", tracked=tracked, most_px=sizes.diameter_px)
        n_cells = sum(len(np.unique(plane.labels_yx)) - 1 for plane in known)
        job.record.parent.mkdir(parents=True, exist_ok=True)
        write_json(job.record, {**found, "cells": n_cells, **settings})
    found = read_json(job.record, Scored, remedy="remove it")
    if {"steps": found.steps, "scene": found.scene} != settings:
        raise InputError(f"{job.record}: made with other settings or another scene; give another --out, or remove it")
    return found


def make_scene(out: Path) -> None:
    """Make the scene of all data sets in a folder, unless it is there."""
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "scene").exists():
        benchmark(SCENE, out / "scene")


def part_of_split(real: RealSet, split: Split) -> RealSet:
    """The data set, or for the choice of settings its training part alone: the first half to learn, the last third to test."""
    if split == "test":
        return real
    first, n = real.training[0], len(real.training_frames)
    return replace(real, training=(first, first + n // 2 - 1), test=(first + n - n // 3, real.training[1]))


def measure(
    name: Name, split: Split, arms: Sequence[str], seeds: Sequence[int], folder: Path, run: "Run"
) -> dict[str, Any]:
    """Scores of all arms by share, and their gains beyond real pairs alone."""
    real = part_of_split(open_set(name, run.shared, folder), split)
    place = folder / run.named(name, split)
    place.mkdir(exist_ok=True)
    write_truth(real, place / "truth")
    found: dict[str, Any] = {}
    jobs = {
        share: [
            Job(real, share, seed, arm, place, folder / "scene", run.steps, run.channels)
            for seed in seeds
            for arm in (REAL, *arms)
        ]
        for share in ({"handful": real.handful, "frame": Fraction(1)}[amount] for amount in run.amounts)
    }
    every = [job for single in jobs.values() for job in single]
    with run.common.progress(f"{name}, {split}", len(every)) as advance:
        scored = dict(
            zip(every, run_all(run_job, [(job,) for job in every], workers=run.workers, done=advance), strict=True)
        )
    for share, single in jobs.items():
        of_seeds = [{job.arm: scored[job].model_dump() for job in single if job.seed == seed} for seed in seeds]
        names = [arm for arm in of_seeds[0] if arm != REAL]
        gains = {arm: {metric: gain(of_seeds, metric, arm) for metric in METRICS} for arm in names}
        words = {arm: in_words(str(share), gains[arm]["SEG"]) for arm in names}
        found[str(share)] = {"scores": of_seeds, "gain": gains, "verdict": words}
    return found


@dataclass(frozen=True)
class Run:
    """Options of the command line."""

    shared: Path
    workers: int
    common: Common
    network: Network
    steps: int
    amounts: Sequence[Amount]

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of the network's levels."""
        return NETWORKS[self.network][1]

    def named(self, *parts: str) -> str:
        """A name of files and rows: the parts, and the network if it is not the first."""
        return "-".join([*parts, *(["usual"] if self.network == "usual" else [])])


def rows(name: str, split: str, results: dict[str, Any]) -> list[Row]:
    """Rows with mean and standard deviation over seeds for every arm."""
    found = []
    for share, single in results.items():
        of_seeds = single["scores"]
        for arm in of_seeds[0]:
            cells = f"{np.mean([one[REAL]['cells'] for one in of_seeds]):.0f}"
            values = (share_std(summary(of_seeds, arm, metric)) for metric in METRICS)
            found.append((name, split, share, cells, arm, *values, single["verdict"].get(arm, "")))
    return found


def command(
    *,
    data: Annotated[list[Name], Parameter(consume_multiple=True, negative=())] = ["nuclei", "dic"],  # noqa: B006
    choose: Annotated[bool, Parameter(negative=())] = False,
    mixing: Annotated[list[str], Parameter(consume_multiple=True, negative=())] = [],  # noqa: B006
    seeds: int | None = None,
    network: Network = "half",
    frame_only: Annotated[bool, Parameter(negative=())] = False,
    steps: int | None = None,
    out: Path = OUT,
    places: Places = Places(),  # noqa: B008 (frozen)
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Measure each data set, write results-SPLIT.json, and update the table in the docs.

    Parameters
    ----------
    data
        nuclei and dic are real images of HeLa cells.
    choose
        Compare all ways of mixing, with other seeds, on frames of the training part: learned from its first half, tested on
        its last third.
    mixing
        Ways of mixing; by default the chosen one, and all with --choose.
    seeds
        Number of repetitions; by default eight, and two with --choose.
    network
        half the usual width and 1,000 steps; or the usual network of 'cytoform texture evaluate' and 1,600 steps.
    frame_only
        Leave out the handful of cells.
    steps
        Other steps of each training, of four crops.
    out
        Working folder.
    """
    if unknown := sorted(set(mixing) - set(MIXINGS)):
        raise InputError(f"--mixing {unknown[0]}: no such way of mixing; choose from {', '.join(MIXINGS)}")
    if seeds is not None and seeds < 1:
        raise InputError(f"--seeds {seeds}: at least one")
    split: Split = "choice" if choose else "test"
    drawn = SEEDS[split] if seeds is None else range(SEEDS[split].start, SEEDS[split].start + seeds)
    arms = mixing or list(MIXINGS if choose else [CHOSEN])
    amounts: tuple[Amount, ...] = ("frame",) if frame_only else ("handful", "frame")
    make_scene(out)
    with workers.ready() as n_workers:
        run = Run(places.shared, n_workers, common, network, steps or NETWORKS[network][0], amounts)
        for name in data:
            results = measure(name, split, arms, drawn, out, run)
            settings = {"steps": run.steps, "channels": list(run.channels)}
            made = {"results": results, **settings, "versions": software_versions()}
            write_json(out / f"results-{run.named(name, split)}.json", made)
            for share in results.values():
                for arm, words in share["verdict"].items():
                    common.say(f"{name}, {arm}: {words}")
            places.update("usefulness_seeds", COLUMNS, rows(name, run.named(split), results))
    common.done(out)


def main(arguments: Sequence[str]) -> int:
    """Run the experiment from the command line; returns the exit status."""
    return run_script("usefulness_seeds", command, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
