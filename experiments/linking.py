"""Do synthetic scenes help a tracker that learns, and where divisions are rare?

python experiments/linking.py --choose     # kinds of classifier, on the halves of the movie exchanged
python experiments/linking.py              # writes the table

DIC-HeLa with true masks and tracks, 84 frames: a linker (linking_model.py) learns from the first half and links the second. The
synthetic side is a scene of `cytoform benchmark` like the first half, in contact, from a packaged model, with more divisions.
Each seed has a scene of its own. Nothing but masks is used. Beside it stand two that learn nothing: the largest overlap, and
laptrack with the width of a cell as its limit.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tifffile
from cyclopts import Parameter

from cytoform.base.files import write_json
from cytoform.base.parallel import run_all
from cytoform.base.provenance import software_versions
from cytoform.commands.common import Common, WorkerOptions
from cytoform.errors import InputError
from cytoform.movies.lineage import Track, read_lineage
from cytoform.scenes.request import SceneRequest
from cytoform.scenes.stage import benchmark
from cytoform.zoo.find import find_run
from experiment import DOCS, ROOT, run_script
from linking_model import Cells, Examples, Kind, Linker, Movie, by_overlap, examples, f1, tracked
from tables import Row, update_table
from usefulness_data import within, write_tracks
from usefulness_gain import gain, summary
from usefulness_scores import track

SHARED = ROOT.parent / "shared" / "data"
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
    """Frames of DIC-HeLa: silver masks with the numbers of the tracks whose markers they hold."""
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
    for inner, name in (("SEG", "man_seg"), ("TRA", "man_track")):
        (folder / inner).mkdir(parents=True)
        for time, cells in enumerate(movie.frames):
            tifffile.imwrite(folder / inner / f"{name}{time:03d}.tif", cells.mask_yx.astype(np.uint16))
    seen = {label: [t for t, cells in enumerate(movie.frames) if label in cells.labels] for label in movie.tracks}
    mothers = {n: track.parent if seen.get(track.parent) else 0 for n, track in movie.tracks.items()}
    tracks = [Track(n, seen[n][0], seen[n][-1], mothers[n]) for n in movie.tracks if seen[n]]
    write_tracks(folder / "TRA" / "man_track.txt", tracks)


def chosen_steps(movie: Movie, arm: Arm, rng: np.random.Generator) -> list[int]:
    """The steps of the real half that an arm learns from: a stretch, or all but those of divisions that are left out."""
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
    """Scores of links and divisions of all steps, with those of py-ctcmetrics."""
    from contextlib import redirect_stdout
    from io import StringIO

    from ctc_metrics.scripts.evaluate import evaluate_sequence

    true = [movie.truth(step) for step in movie.steps()]

    def numbered(steps: Sequence[Any], which: int) -> set[Any]:
        return {(time, *each) for time, step in enumerate(steps) for each in step[which]}

    masks, tracks = tracked(movie, found)
    with tempfile.TemporaryDirectory() as scratch, redirect_stdout(StringIO()):
        for time, mask in enumerate(masks):
            tifffile.imwrite(Path(scratch) / f"mask{time:03d}.tif", mask)
        write_tracks(Path(scratch) / "res_track.txt", tracks)
        official = evaluate_sequence(scratch, str(truth), ["Valid", "TRA", "LNK", "BC"], threads=1)
    if not official["Valid"]:
        raise RuntimeError("the linker wrote tracks that are no result")
    return {
        "TRA": float(official["TRA"]),
        "LNK": float(official["LNK"]),
        "links": f1(numbered(found, 0), numbered(true, 0)),
        "divisions": f1(numbered(found, 1), numbered(true, 1)),
        "divisions_1": float(official["BC(1)"]),
    }


def by_laptrack(movie: Movie) -> list[Any]:
    """Links and divisions of laptrack: cells move by at most their width."""
    masks, tracks = track([each.mask_yx for each in movie.frames], most_px=movie.width)
    frames = tuple(Cells.of(mask) for mask in masks)
    linked = Movie(frames, {each.label: each for each in tracks})
    found = []
    for time, step in enumerate(linked.steps()):
        links, divisions = linked.truth(step)
        before, after = (
            [int(movie.frames[n].mask_yx[frames[n].mask_yx == label][0]) for label in frames[n].labels]
            for n in (time, time + 1)
        )
        rows = [movie.frames[n].labels.tolist() for n in (time, time + 1)]

        def there(row: int, names: list[int] = after, own: list[int] = rows[1]) -> int:
            return own.index(names[row])

        def here(row: int, names: list[int] = before, own: list[int] = rows[0]) -> int:
            return own.index(names[row])

        found.append(
            (
                {(here(a), there(b)) for a, b in links},
                {(here(m), *sorted((there(a), there(b)))) for m, a, b in divisions},
            )
        )
    return found


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


def make_scenes(learned: Movie, folder: Path, seeds: int, common: Common) -> list[Path]:
    """A scene of each seed, like the movie; existing ones are kept."""
    like = folder / "learned"
    if not like.exists():
        write_ctc(learned, like / "01_GT")
    found = []
    for seed in range(seeds):
        path = folder / f"scene-{seed}"
        if not path.exists():
            common.say(f"scene {seed}")
            benchmark(SceneRequest(**{**vars(SCENE), "like": like, "seed": seed}), path)
        found.append(path)
    return found


def rows(results: dict[str, Any]) -> list[Row]:
    """Rows of the baselines, and of all arms with mean and standard deviation over seeds."""
    found: list[Row] = [
        (name, "0", "0", *(_number(scores[metric]) for metric in METRICS), "")
        for name, scores in results["fixed"].items()
    ]
    of_seeds = results["seeds"]
    for n, arm in enumerate(ARMS):
        own = [one[str(n)] for one in of_seeds]
        values = [_mean(of_seeds, str(n), metric) for metric in METRICS]
        words = ""
        if arm.scene and arm.real:
            pairs = [{"real": one[str(n - 1)], "both": one[str(n)]} for one in of_seeds]
            words = "; ".join(_interval(gain(pairs, metric)) for metric in ("links", "divisions"))
        counts = (f"{np.mean([each[key] for each in own]):.3g}" for key in ("steps", "true_divisions"))
        found.append((arm.title, *counts, *values, words))
    return found


def _mean(of_seeds: Sequence[dict[str, Any]], arm: str, metric: str) -> str:
    found = summary(of_seeds, arm, metric)
    return "–" if found["mean"] is None else f"{found['mean']:.3f} ± {found['std']:.3f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _interval(found: dict[str, float] | None) -> str:
    return "–" if found is None else f"{found['value']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f})"


def command(
    *,
    choose: Annotated[bool, Parameter(negative=())] = False,
    seeds: int = SEEDS,
    out: Path = OUT,
    shared: Path = SHARED,
    docs: Path = DOCS,
    no_docs: Annotated[bool, Parameter(negative=())] = False,
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Measure all arms, write results.json, and update the table in the docs.

    Parameters
    ----------
    choose
        Compare the kinds of classifier: learned from the second half, tested on the first. Writes no table.
    seeds
        Number of scenes, and of draws of real steps.
    out
        Working folder.
    shared
        Folder with dic_hela.
    docs
        Markdown file with the table to update.
    no_docs
        Update no table.
    """
    if seeds < 1:
        raise InputError(f"--seeds {seeds}: at least one")
    halves = [read_movie(shared / "dic_hela", frames) for frames in (range(HALF), range(HALF, FRAMES))]
    learned, test = reversed(halves) if choose else halves
    folder = out / ("choice" if choose else "test")
    folder.mkdir(parents=True, exist_ok=True)
    scenes, truth = make_scenes(learned, folder, seeds, common), folder / "truth"
    if not truth.exists():
        write_ctc(test, truth)
    with workers.ready() as n_workers:
        for kind in KINDS if choose else (CHOSEN,):
            tasks = [(seed, learned, test, scene, truth, kind) for seed, scene in enumerate(scenes)]
            fixed = {
                "nothing: largest overlap": [by_overlap(step) for step in test.steps()],
                "nothing: laptrack": by_laptrack(test),
            }
            results = {
                "fixed": {name: scored(test, found, truth) for name, found in fixed.items()},
                "seeds": run_all(of_seed, tasks, workers=n_workers),
                "versions": software_versions(),
            }
            write_json(folder / f"results-{kind}.json", results)
            for row in rows(results):
                common.say(f"{kind}: {' | '.join(row)}")
    if not (no_docs or choose):
        update_table(docs, "linking", COLUMNS, rows(results))
    common.done(folder)


def main(arguments: Sequence[str]) -> int:
    """Run the experiment from the command line; returns the exit status."""
    return run_script("linking", command, list(arguments) or ["--no-docs"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
