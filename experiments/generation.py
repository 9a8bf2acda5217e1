"""Section 3.2 of the paper: are new cells like the training cells, in descriptors and as whole sequences, without copying?

    python experiments/generation.py --size cpu          # or paper; --help for more

All priors of `cytoform.generate` are judged on the model `sine` of section 3.1. Priors that follow the learned codes are also
judged on a model of cells in their principal frames (`--align principal`): cells have no preferred axis, and a code between
two cells that divide in different directions divides in neither. Distances between sequences, MMD, COV and 1-NNA are defined
in cytoform/assess/statistics/sets.py; for aligned cells, both sides are in principal frames, so that a rotated copy counts as
a copy. Novelty is the distance of a sequence to the nearest training sequence. For comparison, it is also given for held-out
cells (a good model need not be closer) and for reconstructions (the value of copies).
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import cytoform
from cytoform.assess.measures.descriptors import MAIN_DESCRIPTORS
from cytoform.assess.measures.sequences import measure_sequence
from cytoform.assess.statistics.distributions import kolmogorov_smirnov, sequence_means, summarise
from cytoform.assess.statistics.sets import Clouds, SetDistances, compare_sets, novelty, pairwise_um2
from cytoform.base.parallel import run_all
from cytoform.priors.fitted import PRIORS
from cytoform.representations.rotation import principal_rotation, to_matrix
from cytoform.runs.alignment import moments_inside
from cytoform.shapes.store import ShapeSequence
from cytoform.synthesis.cells import Cells
from data_sets import DIVIDING, Name
from experiment import DEFAULT, DataSet, Experiment, main
from tables import Row, interval, mean_std, p_values

COLUMNS = ("data set", "size", "cells", "size, µm³", "surface, µm²", "sphericity", "KS p, frames", "KS p, sequences",
           "1-NNA", "COV", "MMD, µm²", "novelty, µm²", "frames in one piece")  # fmt: skip
REST = ("",) * 5
TOPOLOGY = ("components", "euler")
# Of every sequence the values of all frames, by name of the descriptor.
Described = dict[str, list[list[float]]]
PUBLISHED: dict[Name, Sequence[Row]] = {
    "mitosis": (
        ("C. elegans, original", "34.7 ± 12.5", "62.8 ± 16.1", "1.54 ± 0.09", "", *REST, ""),
        ("C. elegans, gaussian", "36.5 ± 11.5", "65.2 ± 14.6", "1.54 ± 0.06", ">0.05 / >0.05 / <0.05", *REST, ""),
    ),
    "filopodia": (
        ("filopodial, original", "50.8 ± 3.1", "117.8 ± 19.9", "2.64 ± 0.51", "", *REST, ""),
        ("filopodial, around", "51.7 ± 3.2", "115.0 ± 19.5", "2.50 ± 0.49", ">0.05 / >0.05 / >0.05", *REST, ""),
    ),
}


@dataclass(frozen=True)
class Draws:
    """A prior with its σ if not the default, and whether cells in several pieces are drawn again.

    The `chosen` one is drawn from as `cytoform generate` does without options.
    """

    prior: str
    sigma: float | None = None
    whole: bool = False
    chosen: bool = False

    def __str__(self) -> str:
        sigma = f" σ {self.sigma:g}" if self.sigma else ""
        return self.prior + sigma + ", whole" * self.whole + ", chosen" * self.chosen


# New cells of fitted priors vary less than the training cells and are smoother; this prior is wider.
WIDER = Draws("covariance", 1.5)


@dataclass(frozen=True)
class Model:
    """A model of this experiment: its run, settings, suffix in tables, and priors."""

    run: str
    settings: tuple[str, ...]
    suffix: str
    aligned: bool
    priors: tuple[Draws, ...]

    def learned(self, data: DataSet) -> Cells:
        """The trained model."""
        return data.learned(self.run, *self.settings)


def models(*, aligned: bool, whole: bool) -> tuple[Model, ...]:
    """The models without and, if requested, with alignment; the wide prior draws whole cells if all training cells are."""
    every = (*(Draws(prior) for prior in PRIORS), replace(WIDER, whole=whole))
    following = tuple(each for each in every if each.prior not in ("gaussian", "around"))
    sine = "model.activation=sine"
    as_they_lie = Model("sine", (sine,), "", False, every)
    in_frames = Model("aligned", (sine, "data.align=principal"), ", aligned", True, following)
    return (as_they_lie, in_frames) if aligned else (as_they_lie,)


def default_model(data: DataSet) -> Model:
    """The model that `cytoform train` learns by default, with the prior that it chooses, and one that copies."""
    cells = data.learned(DEFAULT)
    choice = data.chosen(cells)
    data.say(f"prior {choice.sentence}")
    copying = "graft" if cells.run.parts else "around"
    copies = () if choice.prior == copying else (Draws(copying),)
    priors = (Draws(choice.prior, choice.sigma, chosen=True), *copies)
    return Model(DEFAULT, (), "", cells.run.config.has_rotations, priors)


def measure(data: DataSet) -> dict[str, Any]:
    """Measure originals, held-out cells, and new cells of every model and prior."""
    originals = data.kept("originals", lambda: _described(data, data.shapes, data.split.training))
    found: dict[str, Any] = {
        "originals": _descriptors(originals) | {"topology": _topology(originals, data.name)},
        "novelty_um2": {},
        "priors": {},
        "left_out": {},
    }
    topology = found["originals"]["topology"]
    whole = topology["whole_frames"] == topology["frames"]
    for model in (default_model(data),) if data.by_default else models(aligned=data.size.aligned, whole=whole):
        cells = model.learned(data)
        training = _clouds(data, data.shapes, data.split.training, model)
        within = np.array(data.kept(f"within-{model.run}", partial(_pairwise, training)), float)
        copies = data.reconstructed(cells, f"reconstruction-{model.run}")
        for key, store, names in (
            ("held_out", data.shapes, data.split.held_out),
            ("reconstructed", copies, data.split.training),
        ):
            values = data.kept(f"novelty-{key}-{model.run}", partial(_novelties, data, store, names, model, training))
            found["novelty_um2"][key + model.suffix] = _summary(np.array(values, float))
        for prior in model.priors:
            name = f"{prior}{model.suffix}"
            try:
                store = _generated(data, cells, model, prior)
            except cytoform.InputError as fault:  # a prior that so few codes do not allow
                found["left_out"][name] = str(fault)
                data.say(f"left out: {fault}")
                continue
            judge = partial(_judged, data, store, model, originals, training, within)
            found["priors"][name] = data.kept(f"judged-{store.stem}", judge)
    return found


def _generated(data: DataSet, cells: Cells, model: Model, draws: Draws) -> Path:
    """Generate new cells into a store, once."""
    name, common = str(draws).replace(" σ ", "-").replace(", ", "-"), data.options.common
    store = data.folder / f"generation-{model.run}-{name}.zarr"
    if store.exists() and not data.options.common.overwrite:
        return store
    data.say(f"{data.size.generated} new cells, prior {draws}{model.suffix}")
    whole = cytoform.condition_on(cells, ["pieces<2"], progress=common.progress) if draws.whole else None
    named: dict[str, Any] = {} if draws.chosen else {"prior": draws.prior, "sigma": draws.sigma}
    given: dict[str, Any] = {**named, "condition": whole, "seed": common.seed}
    cytoform.generate(cells, store, data.size.generated, **given, overwrite=True, progress=common.progress)
    return store


def _judged(
    data: DataSet,
    store: Path,
    model: Model,
    originals: Described,
    training: list[Clouds],
    within: np.ndarray,
) -> dict[str, Any]:
    """Compare new cells with the training cells."""
    names = cytoform.ShapeStore.open(store).names
    new, clouds = _described(data, store, names), _clouds(data, store, names, model)
    between, among = (pairwise_um2(one, clouds) for one in (training, clouds))
    distances = SetDistances(within, between, among)
    rng = np.random.default_rng(data.options.common.seed)
    return {
        **_descriptors(new),
        "ks": {key: _ks(originals, new, key) for key in MAIN_DESCRIPTORS},
        "sets": asdict(compare_sets(distances, rng=rng)),
        "novelty_um2": _summary(novelty(distances.between)),
        "topology": _topology(new, data.name),
    }


def _described(data: DataSet, store: Path, names: Sequence[str]) -> Described:
    """Descriptors and topology of all frames of the sequences."""
    with data.options.common.progress("measuring", len(names)) as advance:
        tasks = [(store.absolute(), name) for name in names]
        measured = run_all(measure_sequence, tasks, workers=data.options.n_workers, done=advance)
    parts = {"descriptors": MAIN_DESCRIPTORS, "topology": TOPOLOGY}
    return {
        key: [[float(getattr(getattr(frame, part), key)) for frame in sequence.frames] for sequence in measured]
        for part, keys in parts.items()
        for key in keys
    }


def _pairwise(clouds: list[Clouds]) -> list[list[float]]:
    found: list[list[float]] = pairwise_um2(clouds, clouds).tolist()
    return found


def _clouds(data: DataSet, store: Path, names: Sequence[str], model: Model) -> list[Clouds]:
    """Point clouds on the surfaces, for an aligned model in principal frames. The signs of their axes are left to chance."""
    rng, opened = np.random.default_rng(data.options.common.seed), cytoform.ShapeStore.open(store)
    frames = range(0, data.size.frames, data.size.cloud_every)
    clouds = [Clouds.on_surface(opened[name], data.size.cloud_points, rng, frames=frames) for name in names]
    if not model.aligned:
        return clouds
    turned = (each.turned(principal_matrix(opened[name])) for name, each in zip(names, clouds, strict=True))
    return [replace(each, is_principal=True) for each in turned]


def _novelties(data: DataSet, store: Path, names: Sequence[str], model: Model, training: list[Clouds]) -> list[float]:
    """Distance of each sequence of a store to the nearest training sequence."""
    found: list[float] = novelty(pairwise_um2(training, _clouds(data, store, names, model))).tolist()
    return found


def principal_matrix(sequence: ShapeSequence) -> np.ndarray:
    """Rotation matrix (xyz) into the principal frame of all frames together, as in `--align principal`."""
    moments = [moments_inside(box) for box in sequence.boxes() if box.inside.any()]
    return to_matrix(principal_rotation(sum(moments[1:], start=moments[0]))[None])[0].numpy()


def _values(cells: Described, key: str) -> list[np.ndarray]:
    return [np.array(values, float) for values in cells[key]]  # NaN is kept as null


def _descriptors(cells: Described) -> dict[str, Any]:
    return {"descriptors": {key: asdict(summarise(np.concatenate(_values(cells, key)))) for key in MAIN_DESCRIPTORS}}


def _ks(a: Described, b: Described, key: str) -> dict[str, float]:
    values_a, values_b = _values(a, key), _values(b, key)
    return {
        "p_frames": kolmogorov_smirnov(np.concatenate(values_a), np.concatenate(values_b)).p,
        "p_sequences": kolmogorov_smirnov(sequence_means(values_a), sequence_means(values_b)).p,
    }


def _summary(values: np.ndarray) -> dict[str, Any]:
    return asdict(summarise(values)) | {"values": values.tolist()}


def _topology(cells: Described, name: Name) -> dict[str, Any]:
    """Number of frames with one component (for dividing cells, also two after the division), and of simple frames.

    A frame is simple if its Euler number equals its number of components: no handle, no cavity.
    """
    whole, simple, n_frames = 0, 0, 0
    for pieces, euler in zip(*(_values(cells, key) for key in TOPOLOGY), strict=True):
        # After the last frame without exactly two components, the cell has divided.
        last_other = int(np.flatnonzero(pieces != 2).max(initial=-1))
        divided = (np.arange(len(pieces)) > last_other) & (name in DIVIDING)
        whole += int(((pieces == 1) | divided).sum())
        simple += int((euler == pieces).sum())
        n_frames += len(pieces)
    return {"whole_frames": whole, "simple_frames": simple, "frames": n_frames}


def published(name: Name) -> list[Row]:
    """Results of the paper."""
    return [(name, "published", *row) for row in PUBLISHED.get(name, ())]


def rows(name: Name, size: str, results: dict[str, Any]) -> list[Row]:
    """Rows for the originals, the novelty of held-out cells and reconstructions, and each prior."""
    found: list[Row] = [_row(name, size, "original", results["originals"], {}, "")]
    for key, summary in results["novelty_um2"].items():
        found.append((name, size, key.replace("_", " "), *[""] * 8, _novelty(summary), ""))
    for prior, judged in results["priors"].items():
        found.append(_row(name, size, prior, judged, judged["sets"], _novelty(judged["novelty_um2"])))
    return found


def _row(name: Name, size: str, title: str, cells: dict[str, Any], sets: dict[str, Any], new: str) -> Row:
    descriptors, ks, topology = cells["descriptors"], cells.get("ks"), cells["topology"]
    tests = ["", ""]
    if ks is not None:
        tests = [p_values([ks[key][p] for key in MAIN_DESCRIPTORS]) for p in ("p_frames", "p_sequences")]
    alike = [interval(sets[key]) if sets else "" for key in ("one_nna", "coverage", "mmd_um2")]
    whole = f"{topology['whole_frames']} of {topology['frames']}"
    return (name, size, title, *(mean_std(descriptors[key]) for key in MAIN_DESCRIPTORS), *tests, *alike, new, whole)


def _novelty(summary: dict[str, Any]) -> str:
    median, least = summary["median"], summary["minimum"]
    return "–" if median is None else f"{median:.3g}, least {least:.3g}"


EXPERIMENT = Experiment("generation", COLUMNS, measure, published, rows)

if __name__ == "__main__":
    sys.exit(main(EXPERIMENT, sys.argv[1:]))
