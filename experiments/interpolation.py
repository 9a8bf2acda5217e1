"""Section 3.3 of the paper: cells at unseen times, compared with two methods of interpolation without a model.

    python experiments/interpolation.py --size cpu       # or paper, on a GPU; --help for more

A model learns every second frame and renders all frames. Each unseen frame between two seen ones is compared with the mean of
their signed distance fields, and for T cells also with the mean of their exact surfaces (spherical harmonics). If the masks
of a T cell are every second frame of the microscope, the model of all frames (`sine` of section 3.1) is also compared with
the skipped real frames. Every frame is centred on its own centroid, like the cells of a store.
"""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import cytoform
from cytoform.assess.measures.masks import jaccard
from cytoform.assess.statistics.distributions import summarise
from cytoform.base.parallel import run_all
from cytoform.completion.fields import mean_mask
from cytoform.shapes.store import ShapeStore
from data_sets import Name
from experiment import DEFAULT, DataSet, Experiment, main
from harmonics import Harmonics, mask_of
from tables import Row, share_std

COLUMNS = ("data set", "size", "frames", "model", "mean of distance fields", "mean of harmonics", "all frames learned")
PUBLISHED: dict[Name, Sequence[Row]] = {
    "filopodia": (("filopodial, all", "0.868 ± 0.044", "", "", "0.880 ± 0.022"),),
}
# Keys of results and titles in the table: kinds of frames, and methods.
FRAMES = {"all": "all", "between": "unseen, between two seen", "real": "skipped real frames, all others learned"}
WAYS = ("model", "distance_fields", "harmonics", "all_learned")
Overlaps = dict[str, list[float]]


def measure(data: DataSet) -> dict[str, Any]:
    """Jaccard indices of the model and of both methods without a model."""
    run, settings = (DEFAULT, ()) if data.by_default else ("sine", ("model.activation=sine",))
    every = data.learned(run, *settings)
    stores = {"all_learned": data.reconstructed(every, f"reconstruction-{run}")}
    left_out = ""
    try:
        half = data.learned("every-second", *settings, frame_stride=2)
        stores["model"] = data.reconstructed(half, "interpolation")
    except cytoform.InputError as fault:  # cells that are taken apart are followed from frame to frame
        left_out = str(fault)
        data.say(f"left out: {fault}")
    data.say("measuring, beside interpolation without a model")
    shapes = data.shapes.absolute()
    found: dict[str, Overlaps] = {"all": {}, "between": {}}
    for way, store in stores.items():
        judged = _together(data, store.stem, partial(judge_frames, shapes, store), data.split.training)
        for frames in found:
            found[frames][way] = judged[frames]
    harmonics = Harmonics(data.options.tcells) if data.name == "tcells" else None
    found["between"] |= _together(data, "between", partial(judge_unseen, shapes, harmonics), data.split.training)
    strided = [name for name in data.split.training if harmonics and harmonics.stride(name) == 2]
    if strided:
        store = data.reconstructed(every, "half-times", n_frames=2 * data.size.frames - 1)
        found["real"] = _together(data, "real", partial(judge_real, shapes, store.absolute(), harmonics), strided)
    summaries = {frames: {way: _summary(values) for way, values in ways.items()} for frames, ways in found.items()}
    return summaries | ({"left_out": left_out} if left_out else {})


def judge_frames(shapes: Path, rendered: Path, name: str) -> Overlaps:
    """A rendered sequence, compared with the original in all frames, and in those between two seen ones."""
    sequence, model = ShapeStore.open(shapes)[name], ShapeStore.open(rendered)[name]
    found = [jaccard(sequence.mask(frame), model.mask(frame)) for frame in range(sequence.info.n_frames)]
    return {"all": found, "between": found[1:-1:2]}


def judge_unseen(shapes: Path, harmonics: Harmonics | None, name: str) -> Overlaps:
    """Interpolation without a model, compared with every unseen frame between two seen ones."""
    sequence = ShapeStore.open(shapes)[name]
    overlaps: Overlaps = {"distance_fields": [], **({"harmonics": []} if harmonics else {})}
    for frame in range(1, sequence.info.n_frames - 1, 2):
        truth = sequence.mask(frame)
        overlaps["distance_fields"].append(jaccard(mean_mask(sequence, frame - 1, frame + 1), truth))
        if harmonics:
            mean = harmonics.halfway(name, frame - 1, frame + 1)
            overlaps["harmonics"].append(jaccard(mask_of(mean, sequence.grid), truth))
    return overlaps


def judge_real(shapes: Path, rendered: Path, harmonics: Harmonics, name: str) -> Overlaps:
    """The model at half-times, and both methods without a model, compared with the real frames that the masks skip."""
    sequence, model = ShapeStore.open(shapes)[name], ShapeStore.open(rendered)[name]
    overlaps: Overlaps = {"model": [], "distance_fields": [], "harmonics": []}
    for frame in range(sequence.info.n_frames - 1):
        truth = mask_of(harmonics.surface(name, frame + 0.5), sequence.grid)
        mean = mask_of(harmonics.halfway(name, frame, frame + 1), sequence.grid)
        overlaps["model"].append(jaccard(model.mask(2 * frame + 1), truth))
        overlaps["distance_fields"].append(jaccard(mean_mask(sequence, frame, frame + 1), truth))
        overlaps["harmonics"].append(jaccard(mean, truth))
    return overlaps


def _together(data: DataSet, what: str, judge: Callable[[str], Overlaps], names: Sequence[str]) -> Overlaps:
    """Concatenated overlaps of several sequences, kept as `what`."""

    def judged() -> Overlaps:
        with data.options.common.progress("interpolating", len(names)) as advance:
            found = run_all(judge, [(name,) for name in names], workers=data.options.n_workers, done=advance)
        return {way: [float(value) for one in found for value in one[way]] for way in found[0]}

    return data.kept(f"overlaps-{what}", judged)


def _summary(values: list[float]) -> dict[str, Any]:
    found = summarise(np.array(values, float))
    return {"mean": found.mean, "std": found.std, "worst": found.minimum, "n": found.n, "per_frame": values}


def published(name: Name) -> list[Row]:
    """Results of the paper."""
    return [(name, "published", *row) for row in PUBLISHED.get(name, ())]


def rows(name: Name, size: str, results: dict[str, Any]) -> list[Row]:
    """One row per kind of frames."""
    judged = [(title, results[frames]) for frames, title in FRAMES.items() if frames in results]
    return [(name, size, title, *(share_std(f[way]) if way in f else "" for way in WAYS)) for title, f in judged]


EXPERIMENT = Experiment("interpolation", COLUMNS, measure, published, rows)

if __name__ == "__main__":
    sys.exit(main(EXPERIMENT, sys.argv[1:]))
