"""Are synthetic data useful? A fixed segmenter and tracker are trained on real pairs, on synthetic pairs and on both.

python experiments/usefulness.py --data nuclei --size cpu      # or paper, on a GPU; --help for more

Tests use real frames that are not used for training. The synthetic data use the same share of real pairs and nothing else:
cells are simulated and scaled to the size of cells in the share, and the image texture is learned from the share. Everything
is in out/experiments/SIZE/usefulness:

results.json                          all scores, by data set
DATA SET/truth                        the test frames in the format of py-ctcmetrics
DATA SET/N-frames/seed-S/scores.json  scores of one training, beside all intermediate data
"""

import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter

from cytoform.assess.segmenter.objects import ObjectSizes
from cytoform.assess.segmenter.segmenter import SEGMENTERS
from cytoform.base.digest import folder_sha256
from cytoform.base.files import write_json
from cytoform.base.parallel import run_all
from cytoform.base.provenance import software_versions
from cytoform.commands.common import Common, Device, WorkerOptions
from cytoform.errors import InputError
from cytoform.movies.pairs.pairs import MaskedImage
from experiment import DOCS, ROOT, SHARED, run_script
from tables import Row, share_std, update_table
from usefulness_data import NAMES, Name, RealSet, open_set, part_of, write_truth
from usefulness_gain import gain, in_words, summary
from usefulness_scores import scores
from usefulness_synthetic import Amounts, Recipe, TextureKind, simulated_cells

COLUMNS = ("data set", "size", "real frames", "real cells", "learned from", "SEG", "DET", "TRA", "in words")
ARMS = ("real", "synthetic", "both")
METRICS = ("SEG", "DET", "TRA")
# A number of real frames, all frames of the training part, or a part of a frame with a handful of cells.
Share = int | Literal["all", "handful"]


@dataclass(frozen=True)
class Size:
    """Amount of computation."""

    name: str
    steps: int  # of the segmenter, with four crops each, for all training data
    seeds: int
    shares: tuple[Share, ...]  # real frames
    amounts: Amounts


SIZES = {
    # Only tests that everything runs.
    "tiny": Size("tiny", 4, 2, (1,), Amounts(2, 3, 24, 2, 16, 64)),
    # Nuclei in about 40 minutes on two cores.
    "cpu": Size("cpu", 1600, 3, ("handful", 1), Amounts(12, 8, 32, 10, 480)),
    "paper": Size("paper", 6400, 3, ("handful", 1, 4, "all"), Amounts(33, 16, 64, 40, 12000)),
}


@dataclass(frozen=True)
class Job:
    """One seed of one share of a data set."""

    real: RealSet
    size: Size
    share: Fraction  # of frames
    recipe: Recipe
    truth: Path

    def settings(self) -> dict[str, Any]:
        """Everything that determines its scores, except the data."""
        size = {key: value for key, value in asdict(self.size).items() if key not in ("name", "seeds", "shares")}
        known = {"texture": self.real.texture or self.recipe.kind, "cells_sha256": folder_sha256(self.recipe.cells)}
        frames = {"training": self.real.training, "test": self.real.test, "share": str(self.share), **known}
        found: dict[str, Any] = json.loads(
            json.dumps({**size, **frames, "frames": self.frames(), "seed": self.recipe.seed})
        )
        return found

    def frames(self) -> list[int]:
        """Frames used for training: drawn at random, because frames differ in value."""
        n, rng = max(1, int(self.share)), np.random.default_rng([self.recipe.seed, *self.share.as_integer_ratio()])
        return sorted(rng.choice(self.real.training_frames, n, replace=False).tolist())

    def known(self) -> list[MaskedImage]:
        """The real training pairs: whole frames, or a part of one."""
        planes, rng = self.real.planes(self.frames()), np.random.default_rng(self.recipe.seed)
        return planes if self.share >= 1 else [part_of(plane, self.share, rng) for plane in planes]


def run_job(job: Job) -> dict[str, Any]:
    """Scores of all arms; existing results are reused. Raises InputError if they were made with other settings."""
    folder, settings = job.recipe.folder, job.settings()
    folder.mkdir(parents=True, exist_ok=True)
    begun, record = folder / "settings.json", folder / "scores.json"
    if begun.exists() and json.loads(begun.read_text()) != settings:
        raise InputError(f"{folder}: made with other settings; give another --out, or --overwrite")
    write_json(begun, settings)
    if not record.exists():
        share = job.known()
        synthetic = job.recipe.planes(share)
        scores_of = {arm: _learned(job, share, synthetic, arm) for arm in ARMS}
        write_json(record, {"frames": job.frames(), "cells": n_cells(share), **scores_of})
    found: dict[str, Any] = json.loads(record.read_text())
    return found


def _learned(
    job: Job, share: Sequence[MaskedImage], synthetic: Sequence[MaskedImage], arm: str
) -> dict[str, float | None]:
    """Train the segmenter on one arm and score it on the test frames."""
    record = job.recipe.folder / f"{arm}.json"
    if not record.exists():
        n = max(len(share), len(synthetic))
        # Real and synthetic pairs have equal weight in `both`, and every arm sees the same number of crops.
        planes = {"real": share, "synthetic": synthetic, "both": [*_repeated(share, n), *_repeated(synthetic, n)]}[arm]
        sizes = ObjectSizes.of(plane.labels_yx for plane in share)
        assert sizes is not None
        from cytoform.training.device import torch_device

        segmenter = SEGMENTERS["unet"](
            planes, steps=job.size.steps, seed=job.recipe.seed, device=torch_device(job.recipe.device), sizes=sizes
        )
        tests, tracked = job.real.planes(job.real.test_frames), job.real.lineage is not None
        write_json(record, scores(segmenter, tests, job.truth, tracked=tracked, most_px=sizes.diameter_px))
    found: dict[str, float | None] = json.loads(record.read_text())
    return found


def in_frames(share: Share, real: RealSet) -> Fraction:
    """Number of frames in a share, at most all training frames."""
    if share == "handful":
        return real.handful
    n = len(real.training_frames)
    return Fraction(n if share == "all" else min(share, n))


def n_cells(planes: Sequence[MaskedImage]) -> int:
    """Number of cells, summed over frames."""
    return sum(len(np.unique(plane.labels_yx)) - 1 for plane in planes)


def _repeated(planes: Sequence[MaskedImage], n: int) -> list[MaskedImage]:
    return [planes[i % len(planes)] for i in range(n)]


def measure(real: RealSet, size: Size, recipe: Recipe, common: Common, workers: int) -> dict[str, Any]:
    """All scores of a data set by share, and the gain of synthetic data."""
    start = time.perf_counter()
    truth = recipe.folder / "truth"
    write_truth(real, truth)
    shares = sorted({in_frames(share, real) for share in size.shares})
    jobs = []
    for share in shares:
        for seed in range(common.seed, common.seed + size.seeds):
            folder = recipe.folder / f"{float(share):g}-frames" / f"seed-{seed}"
            jobs.append(Job(real, size, share, replace(recipe, folder=folder, seed=seed), truth))
    with common.progress(real.name, len(jobs)) as advance:
        found = run_all(run_job, [(job,) for job in jobs], workers=workers, done=advance)
    by_share = {str(part): [one for job, one in zip(jobs, found, strict=True) if job.share == part] for part in shares}
    gains = {n: {m: gain(single, m) for m in METRICS} for n, single in by_share.items()}
    return {
        "scores": by_share,
        "gain": gains,
        "verdict": {n: in_words(n, gains[n]["SEG"]) for n in by_share},
        "provenance": {
            "texture": real.texture or recipe.kind,
            "versions": software_versions() | {name: version(name) for name in ("laptrack", "monai", "py-ctcmetrics")},
            "seconds": time.perf_counter() - start,
        },
    }


def rows(name: str, size: str, results: dict[str, Any]) -> list[Row]:
    """Rows with mean and standard deviation over seeds for every arm; the gain in words is in the row of `both`."""
    found = []
    for n, single in results["scores"].items():
        for arm in ARMS:
            words = results["verdict"][n] if arm == "both" else ""
            cells = f"{np.mean([one['cells'] for one in single]):.0f}"
            found.append((name, size, n, cells, arm, *(share_std(summary(single, arm, m)) for m in METRICS), words))
    return found


def command(
    *,
    size: Literal["tiny", "cpu", "paper"] = "cpu",
    data: Annotated[list[Name], Parameter(consume_multiple=True, negative=())] = list(NAMES),  # noqa: B006
    texture: TextureKind = "learned",
    cells: Path | None = None,
    seeds: int | None = None,
    out: Path | None = None,
    shared: Path = SHARED,
    docs: Path = DOCS,
    no_docs: Annotated[bool, Parameter(negative=())] = False,
    device: Device = "auto",
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Measure each data set without a result for these options, write results.json, and update the table in the docs.

    Parameters
    ----------
    size
        tiny only tests that everything runs; cpu takes about 40 minutes on two cores for the nuclei; paper is for a GPU.
    data
        nuclei and dic are real images; embryo is real nuclei in images of known optics, so that only shapes differ.
    texture
        Texture of synthetic images, estimated from the share of real ones: by a network (learned) or by calibrated optics.
    cells
        Shape store with the cells of synthetic scenes, for example of 'cytoform generate'; default: simulated cells.
    seeds
        Number of repetitions with new random seeds; default: three. Existing repetitions are reused.
    out
        Working folder; default: out/experiments/SIZE/usefulness in the project.
    shared
        Folder with fluo_hela_nuclei, dic_hela and blastospim_nuclei.
    docs
        Markdown file with the table to update; tiny updates it only if it is given explicitly.
    no_docs
        Update no table.
    device
        Where to compute.
    """
    folder = ROOT / "out" / "experiments" / size / "usefulness" if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "results.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    table = None if no_docs or (size == "tiny" and docs == DOCS) else docs
    if seeds is not None and seeds < 1:
        raise InputError(f"--seeds {seeds}: at least one")
    amount = SIZES[size] if seeds is None else replace(SIZES[size], seeds=seeds)
    options = {"size": asdict(amount), "texture": texture, "cells": cells and str(cells.resolve()), "seed": common.seed}
    asked = json.loads(json.dumps(options))
    with workers.ready() as n_workers:
        for name in data:
            if common.overwrite:
                shutil.rmtree(folder / name, ignore_errors=True)
            if common.overwrite or results.get(name, {}).get("asked") != asked:
                (folder / name).mkdir(exist_ok=True)
                real, amounts = open_set(name, shared, folder), amount.amounts
                population = cells or simulated_cells(folder / name, amounts, seed=common.seed)
                recipe = Recipe(real, amounts, texture, population, folder / name, common.seed, device)
                results[name] = {"asked": asked, **measure(real, amount, recipe, common, n_workers)}
                write_json(path, results)
            for words in results[name]["verdict"].values():
                common.say(f"{name}: {words}")
            if table is not None:
                update_table(table, "usefulness", COLUMNS, rows(name, size, results[name]))
    common.done(path)


def main(arguments: Sequence[str]) -> int:
    """Run the experiment from the command line; returns the exit status."""
    return run_script("usefulness", command, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
