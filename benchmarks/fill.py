"""How good `cytoform fill` is between known frames and planes, beside the baselines that need no choice.

    cytoform prepare MOVIES --out shapes.zarr --grid 96
    python benchmarks/fill.py shapes.zarr --every-frame 2
    python benchmarks/fill.py shapes.zarr --every-plane 3
    python benchmarks/fill.py shapes.zarr --every-frame 2 --run run           # with what a run expects
    python benchmarks/fill.py filopodia.zarr --every-frame 2 --radius 0.55    # protrusions alone, too
    python benchmarks/fill.py tcells.zarr --every-frame 2 --tcells DATA       # spherical harmonics beside
    python benchmarks/fill.py tcells.zarr --real --tcells DATA                # judged by frames that the masks skip

Only frames between known ones are judged, or voxels of planes that are not known. ± is the standard error over sequences.
The baseline of planes is slice-wise interpolation. The masks of many T cells are every second frame of the microscope: with
`--real` all of them are known, twice as many frames are filled in, and judged by exact surfaces of the frames between. The
true error is the root mean square distance of the true surface at
the filled one.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from cytoform.assess.measures.masks import jaccard
from cytoform.completion.fields import mean_mask
from cytoform.completion.gaps import gap_at
from cytoform.completion.options import FillOptions
from cytoform.completion.planes import Planes, slicewise
from cytoform.completion.stage import fill
from cytoform.protrusions.body import body_of
from cytoform.protrusions.curves import OUTSIDE_VOXELS
from cytoform.shapes.grid import Grid
from cytoform.shapes.sequence import ShapeSequence
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import load
from cytoform.synthesis.fitting.model import FittedModel

sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))

from harmonics import Harmonics, mask_of

METHODS = ("fill", "mean of distances", "nearest frame")
HARMONICS = "spherical harmonics"
PLANE_METHODS = ("fill", "slice-wise")
SURFACE_VOXELS = 0.75


@dataclass
class Judged:
    """A frame of the filled store, what is judged of it, the truth, and the masks of the methods."""

    frame: int
    where: np.ndarray
    truth: np.ndarray
    masks: list[np.ndarray]


@dataclass
class Scores:
    """Jaccard indices of a sequence by method, a row for each judged frame; whole cells, and protrusions alone."""

    cells: list[list[float]] = field(default_factory=list)
    protrusions: list[list[float]] = field(default_factory=list)
    true_um: list[float] = field(default_factory=list)
    expected_um: list[float] = field(default_factory=list)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("--every-frame", type=int, default=1)
    parser.add_argument("--every-plane", type=int, default=1)
    parser.add_argument("--sequences", nargs="*")
    parser.add_argument("--radius", type=float, help="µm, of the ball that fits into bodies and not into protrusions")
    parser.add_argument("--run", type=Path, help="a run whose expectation is one of the ways")
    parser.add_argument("--tcells", type=Path, help="folder of the T cells with their exact surfaces")
    parser.add_argument("--real", action="store_true", help="judge frames between those of the masks, of --tcells")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    if given.real and not given.tcells:
        parser.error("--real needs --tcells")
    harmonics = Harmonics(given.tcells) if given.tcells else None
    store = ShapeStore.open(given.store)
    names = [name for name in given.sequences or store.names if not given.real or harmonics.stride(name) == 2]
    n_frames = 2 * store[names[0]].info.n_frames - 1 if given.real else None
    options = FillOptions(given.every_frame, given.every_plane, n_frames)
    model = FittedModel(load(given.run)) if given.run else None
    with tempfile.TemporaryDirectory() as folder:
        out, start = Path(folder) / "filled.zarr", time.process_time()
        completion = fill(given.store, out, names=names, options=options, model=model, workers=given.workers)
        print(f"{time.process_time() - start:.1f} CPU s (of this process)", completion.verdict.sentence)
        for each in completion.sequences:
            print(f"{each.name}: {each.chosen.choice.mixture}; {each.chosen.calibration}")
        print(f"planes: {completion.plane_choice}")
        true, found = ShapeStore.open(given.store), ShapeStore.open(out)
        scores = {
            each.name: _scores(
                true[each.name], found[each.name], each.expected_error_um, options, given.radius, harmonics
            )
            for each in completion.sequences
        }
    methods = PLANE_METHODS if given.every_plane > 1 else (*METHODS, HARMONICS) if harmonics else METHODS
    _print("cells", methods, [each.cells for each in scores.values()])
    if given.radius is not None:
        _print("protrusions alone", methods, [each.protrusions for each in scores.values()])
    _print_errors(list(scores.values()))


def _scores(
    true: ShapeSequence,
    found: ShapeSequence,
    expected_um: tuple[float | None, ...],
    options: FillOptions,
    radius_um: float | None,
    harmonics: Harmonics | None,
) -> Scores:
    scores, is_real = Scores(), options.n_frames is not None
    if options.every_plane > 1:
        judged = _planes(true, found, options)
    else:
        judged = _real(true, found, harmonics) if is_real else _frames(true, found, options, harmonics)
    for each in judged:
        frame, where, truth = each.frame, each.where, each.truth
        scores.cells.append([jaccard(mask & where, truth & where) for mask in each.masks])
        if radius_um is not None:
            outside = where & ~_body(true, frame, radius_um)
            scores.protrusions.append([jaccard(mask & outside, truth & outside) for mask in each.masks])
        if (value := expected_um[frame]) is not None and not is_real:
            surface_um = found.sdf_um(frame)
            beside = where & (np.abs(surface_um) < SURFACE_VOXELS * true.grid.spacing_um)
            scores.true_um.append(float(np.sqrt(np.mean((true.sdf_um(frame) - surface_um)[beside] ** 2))))
            scores.expected_um.append(value)
    return scores


def _frames(
    true: ShapeSequence, found: ShapeSequence, options: FillOptions, harmonics: Harmonics | None
) -> Iterator[Judged]:
    """The frames between known ones."""
    known = list(range(0, true.info.n_frames, options.every_frame))
    everywhere = np.ones(true.grid.shape, bool)
    for frame in sorted(set(range(known[-1])) - set(known)):
        gap = gap_at(true.info.name, frame, known)
        mean = mean_mask(true, *gap.neighbours, share=(frame - gap.neighbours[0]) / gap.width)
        beside = _harmonics(harmonics, true.info.name, *gap.neighbours, true.grid)
        yield Judged(frame, everywhere, true.mask(frame), [found.mask(frame), mean, true.mask(gap.nearest), *beside])


def _real(true: ShapeSequence, found: ShapeSequence, harmonics: Harmonics) -> Iterator[Judged]:
    """The frames of the microscope between those of the masks."""
    everywhere, name, grid = np.ones(true.grid.shape, bool), true.info.name, true.grid
    for frame in range(true.info.n_frames - 1):
        truth = mask_of(harmonics.surface(name, frame + 0.5), grid)
        masks = [found.mask(2 * frame + 1), mean_mask(true, frame, frame + 1), true.mask(frame)]
        masks += _harmonics(harmonics, name, frame, frame + 1, grid)
        yield Judged(2 * frame + 1, everywhere, truth, masks)


def _harmonics(harmonics: Harmonics | None, name: str, before: int, after: int, grid: Grid) -> list[np.ndarray]:
    """The mean of the exact surfaces of two known frames, if there are any."""
    return [mask_of(harmonics.halfway(name, before, after), grid)] if harmonics else []


def _planes(true: ShapeSequence, found: ShapeSequence, options: FillOptions) -> Iterator[Judged]:
    """The planes of known frames that are not known."""
    for frame in range(0, true.info.n_frames, options.every_frame):
        planes = Planes.of(true.mask(frame), options.every_plane)
        unknown = np.zeros(true.grid.shape, bool)
        unknown[~planes.known] = True
        yield Judged(frame, unknown, true.mask(frame), [found.mask(frame), slicewise(planes) <= 0])


def _body(true: ShapeSequence, frame: int, radius_um: float) -> np.ndarray:
    """The body of the true cell, a little enlarged: what lies outside it is protrusion (assess/measures/thin_parts.py)."""
    body = body_of(true.box(frame), radius_um)
    within = np.zeros(true.grid.shape, bool)
    within[body.slices] = body.box_sdf_um <= OUTSIDE_VOXELS * true.grid.spacing_um
    return within


def _print(title: str, methods: Sequence[str], sequences: list[list[list[float]]]) -> None:
    """Mean of each method, and its gain over the second, the baseline."""
    by_sequence = np.array([np.nanmean(rows, axis=0) for rows in sequences])
    gains = by_sequence - by_sequence[:, 1:2]
    n = len(by_sequence)
    print(f"{title}: {sum(map(len, sequences))} judged in {n} sequences")
    for number, method in enumerate(methods):
        gain = gains[:, number]
        error = gain.std(ddof=1) / np.sqrt(n) if n > 1 else float("nan")
        better = f", better in {int((gain > 0).sum())} of {n}" if number != 1 else ""
        print(f"  {method} | {by_sequence[:, number].mean():.4f} | {gain.mean():+.4f} ± {error:.4f}{better}")
    print("  by sequence:", " ".join(f"{value:+.4f}" for value in gains[:, 0]))


def _print_errors(sequences: list[Scores]) -> None:
    true, expected = (
        np.concatenate([getattr(each, name) for each in sequences]) for name in ("true_um", "expected_um")
    )
    if len(true) < 2:
        return
    low, middle, high = np.quantile(true / expected, (0.05, 0.5, 0.95))
    print(
        f"surface error: true {true.mean():.3f} µm, expected {expected.mean():.3f} µm; true / expected {middle:.2f} "
        f"({low:.2f}–{high:.2f}); rank correlation {spearmanr(expected, true).statistic:.2f}"
    )


if __name__ == "__main__":
    main()
