"""Do synthetic scenes help a tracker that learns, and where divisions are rare?

python experiments/linking.py --choose     # kinds of classifier, on the halves of the movie exchanged
python experiments/linking.py              # writes the table

DIC-HeLa with true masks and tracks, 84 frames: a linker (linking_model.py) learns from the first half and links the second. The
synthetic side is a scene of `cytoform benchmark` like the first half, in contact, from a packaged model, with more divisions.
Each seed has a scene of its own. Nothing but masks is used. Beside it stand two that learn nothing: the largest overlap, and
laptrack with the width of a cell as its limit.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tifffile
from cyclopts import Parameter

from cytoform.base.files import write_json
from cytoform.base.parallel import run_all
from cytoform.base.provenance import software_versions
from cytoform.commands.common import Common, WorkerOptions
from cytoform.movies.ctc import CtcWriter
from cytoform.movies.lineage import Lineage, Track, read_lineage
from cytoform.scenes.request import SceneRequest
from cytoform.scenes.stage import benchmark
from cytoform.zoo.find import find_run
from experiment import ROOT, Places, Seeds, run_script
from linking_model import (
    Cells,
    Divisions,
    Examples,
    Kind,
    Linker,
    Links,
    Movie,
    by_overlap,
    examples,
    f1,
    linked,
    tracked,
)
from tables import Row, difference, share_std
from usefulness_data import within
from usefulness_gain import gain, summary
from usefulness_scores import ctc_scores, track

OUT = ROOT / "out" / "experiments" / "linking"
METRICS = ("TRA", "LNK", "links", "divisions", "divisions_1")
TITLES = ("TRA", "LNK", "links, F1", "divisions, F1", "divisions within a frame, F1")
COLUMNS = ("learned from", "real steps", "real divisions", *TITLES, "gain by synthetic scenes: links; divisions")
FRAMES, HALF = 84, 42
PIXEL_UM, TIME_STEP_S = (1.0, 0.19, 0.19), 600.0
SEEDS = 8
KINDS: tuple[Kind, ...] = ("logistic", "forest", "balanced logistic")
# The better one with the halves exchanged.
CHOSEN: Kind = "balanced logistic"
# Minutes from a division to the next in the scenes: divisions are what real movies lack.
SCENE = SceneRequest(
    sources=(find_run("zoo:mitosis-2d"),),
    frames=HALF,
    time_step_s=TIME_STEP_S,
    voxel_size_zyx_um=PIXEL_UM,
    contact=0.12,
    cycle_min=600.0,
    texture="none",
    ome_zarr=False,
    geff=False,
)


@dataclass(frozen=True)
class Arm:
    """What a linker learns from: real steps in a row (None: all), real divisions kept (None: all), and a scene."""

    steps: int | None = None
    divisions: int | None = None
    real: bool = True
    scene: bool = False

    @property
    def group(self) -> "Arm":
        """The same without a scene."""
        return Arm(self.steps, self.divisions)

    @property
    def title(self) -> str:
        """In words."""
        return " + ".join(["real"] * self.real + ["scene"] * self.scene)


AMOUNTS = (Arm(steps=4), Arm(steps=14), Arm(divisions=0), Arm(divisions=1), Arm(divisions=2), Arm())
ARMS = (
    *(Arm(each.steps, each.divisions, scene=scene) for each in AMOUNTS for scene in (False, True)),
    Arm(real=False, scene=True),
)


def read_movie(folder: Path, frames: range) -> Movie:
    """Read frames of DIC-HeLa. A silver mask gets the number of the track whose marker lies in it."""
    lineage = read_lineage(folder / "01_GT" / "TRA" / "man_track.txt")
    found = []
    for frame in frames:
        masks = tifffile.imread(folder / "01_ST" / "SEG" / f"man_seg{frame:03d}.tif").astype(int)
        markers = tifffile.imread(folder / "01_GT" / "TRA" / f"man_track{frame:03d}.tif").astype(int)
        named = np.zeros(masks.max() + 1, int)
        for label in np.unique(markers[markers > 0]):
            held = np.bincount(masks[markers == label], minlength=2)
            if held[1:].any():
                named[1 + held[1:].argmax()] = label
        found.append(Cells.of(named[masks]))
    return Movie(tuple(found), {each.label: each for each in within(lineage, frames[0], frames[-1])})


def read_scene(folder: Path) -> Movie:
    """The masks and tracks of a scene of `cytoform benchmark`."""
    truth = folder / "01_GT" / "TRA"
    frames = [Cells.of(tifffile.imread(path).squeeze()) for path in sorted(truth.glob("man_track*.tif"))]
    return Movie(tuple(frames), {each.label: each for each in read_lineage(truth / "man_track.txt").tracks})


def write_ctc(movie: Movie, folder: Path) -> None:
    """A movie in the layout of the Cell Tracking Challenge, for `benchmark --like` and for py-ctcmetrics."""
    writer = CtcWriter(folder, len(movie.frames), PIXEL_UM, TIME_STEP_S)
    for time, cells in enumerate(movie.frames):
        writer.write(time, cells.mask_yx[None])
    seen = {label: [t for t, cells in enumerate(movie.frames) if label in cells.labels] for label in movie.tracks}
    mothers = {n: track.parent if seen.get(track.parent) else 0 for n, track in movie.tracks.items()}
    writer.finish(Lineage(tuple(Track(n, seen[n][0], seen[n][-1], mothers[n]) for n in movie.tracks if seen[n])))


def chosen_steps(movie: Movie, arm: Arm, rng: np.random.Generator) -> list[int]:
    """The steps of the real half that an arm learns from.

    They are a stretch in a row, or all steps without those of divisions that are left out.
    """
    every = list(range(len(movie.frames) - 1))
    if arm.steps is not None:
        start = int(rng.integers(len(every) - arm.steps + 1))
        return every[start : start + arm.steps]
    if arm.divisions is None:
        return every
    dividing = [n for n, step in enumerate(movie.steps()) if movie.truth(step)[1]]
    left_out = rng.permutation(dividing)[arm.divisions :].tolist()
    return [n for n in every if n not in left_out]


def scored(movie: Movie, found: Sequence[Any], truth: Path) -> dict[str, float | None]:
    """Score the links and divisions of all steps: F1 by our own count, the others by py-ctcmetrics."""
    true = [movie.truth(step) for step in movie.steps()]

    def numbered(steps: Sequence[Any], which: int) -> set[Any]:
        return {(time, *each) for time, step in enumerate(steps) for each in step[which]}

    official = ctc_scores(*tracked(movie, found), truth, ("TRA", "LNK", "BC"))
    return {
        "TRA": official["TRA"],
        "LNK": official["LNK"],
        "links": f1(numbered(found, 0), numbered(true, 0)),
        "divisions": f1(numbered(found, 1), numbered(true, 1)),
        "divisions_1": official["BC(1)"],
    }


def by_laptrack(movie: Movie) -> list[tuple[Links, Divisions]]:
    """Links and divisions of laptrack: cells move by at most their width."""
    masks, found = track([each.mask_yx for each in movie.frames], most_px=movie.width)
    tracks = {each.label: each for each in found}
    numbers = [
        [int(mask[cells.mask_yx == label][0]) for label in cells.labels]
        for mask, cells in zip(masks, movie.frames, strict=True)
    ]
    return [linked(before, after, tracks) for before, after in pairwise(numbers)]


def of_seed(seed: int, learned: Movie, test: Movie, scene: Path, truth: Path, kind: Kind) -> dict[str, Any]:
    """Scores of all arms with one scene and one draw of real steps."""
    synthetic, found = examples(read_scene(scene)), {}
    for arm in ARMS:
        # The same real steps with and without a scene.
        rng = np.random.default_rng([seed, AMOUNTS.index(arm.group)])
        sides: list[Examples] = [synthetic] * arm.scene
        steps: list[int] = []
        if arm.real:
            steps = chosen_steps(learned, arm, rng)
            sides.append(examples(learned, steps))
        linker = Linker(sides, kind, seed)
        divisions = int(sides[-1].divisions.sum()) if arm.real else 0
        scores = scored(test, [linker(step) for step in test.steps()], truth)
        found[str(ARMS.index(arm))] = {**scores, "steps": len(steps), "true_divisions": divisions}
    return found


def make_scenes(like: Path, folder: Path, seeds: range, common: Common) -> list[Path]:
    """A scene of each seed, like a movie; existing ones are kept."""
    paths = [folder / f"scene-{seed}" for seed in seeds]
    for seed, path in zip(seeds, paths, strict=True):
        if common.overwrite or not path.exists():
            common.say(f"scene {seed}")
            benchmark(replace(SCENE, like=like, seed=seed), path, overwrite=common.overwrite)
    return paths


def rows(results: dict[str, Any]) -> list[Row]:
    """Rows of the baselines, and of all arms with mean and standard deviation over seeds."""
    found: list[Row] = [
        (name, "0", "0", *(_number(scores[metric]) for metric in METRICS), "")
        for name, scores in results["fixed"].items()
    ]
    of_seeds = results["seeds"]
    for n, arm in enumerate(ARMS):
        own = [one[str(n)] for one in of_seeds]
        values = [share_std(summary(of_seeds, str(n), metric)) for metric in METRICS]
        words = ""
        if arm.scene and arm.real:
            pairs = [{"real": one[str(n - 1)], "both": one[str(n)]} for one in of_seeds]
            words = "; ".join(difference(gain(pairs, metric)) for metric in ("links", "divisions"))
        counts = (f"{np.mean([each[key] for each in own]):.3g}" for key in ("steps", "true_divisions"))
        found.append((arm.title, *counts, *values, words))
    return found


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def command(
    *,
    choose: Annotated[bool, Parameter(negative=())] = False,
    seeds: Seeds = SEEDS,
    out: Path = OUT,
    places: Places = Places(),  # noqa: B008 (frozen)
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Measure all arms, write results.json, and update the table in the docs.

    Parameters
    ----------
    choose
        Compare the kinds of classifier: learned from the second half, tested on the first. Writes no table.
    out
        Working folder.
    """
    halves = [read_movie(places.shared / "dic_hela", frames) for frames in (range(HALF), range(HALF, FRAMES))]
    learned, test = reversed(halves) if choose else halves
    folder = out / ("choice" if choose else "test")
    folder.mkdir(parents=True, exist_ok=True)
    truth, like, drawn = folder / "truth", folder / "learned", range(common.seed, common.seed + seeds)
    write_ctc(test, truth)
    write_ctc(learned, like)
    scenes = make_scenes(like, folder, drawn, common)
    with workers.ready() as n_workers:
        for kind in KINDS if choose else (CHOSEN,):
            tasks = [
                (seed, learned, test, scene, truth / "01_GT", kind) for seed, scene in zip(drawn, scenes, strict=True)
            ]
            fixed = {
                "nothing: largest overlap": [by_overlap(step) for step in test.steps()],
                "nothing: laptrack": by_laptrack(test),
            }
            results = {
                "fixed": {name: scored(test, found, truth / "01_GT") for name, found in fixed.items()},
                "seeds": run_all(of_seed, tasks, workers=n_workers),
                "versions": software_versions(),
            }
            write_json(folder / f"results-{kind}.json", results)
            for row in rows(results):
                common.say(f"{kind}: {' | '.join(row)}")
    if not choose:
        places.update("linking", COLUMNS, rows(results))
    common.done(folder)


def main(arguments: Sequence[str]) -> int:
    """Run the experiment from the command line; returns the exit status."""
    return run_script("linking", command, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
