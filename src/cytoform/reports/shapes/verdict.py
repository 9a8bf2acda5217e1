"""The verdict on a comparison: graded sentences that follow from its measures by the rules below."""

import math
from collections.abc import Callable

import numpy as np

from cytoform.assess.measures.descriptors import DESCRIPTORS
from cytoform.assess.measures.dynamics import DYNAMICS
from cytoform.assess.statistics.distributions import summarise
from cytoform.assess.store_contrasts import ROLES
from cytoform.reports.shapes.cells import Comparison
from cytoform.reports.verdicts import Finding, Verdict, grade

ALPHA = 0.05
# Limits of good and of mixed.
JACCARD_LIMITS = (0.9, 0.8)
VOXEL_LIMITS = (1.0, 2.0)
PIECES_LIMITS = (0.99, 0.9)
# A Kolmogorov-Smirnov test of fewer sequences a side can hardly find anything.
FEWEST_SEQUENCES = 10
DUPLICATE_SHARE, DUPLICATES_LIMITS = 0.25, (0.05, 0.5)
NEIGHBOUR_LIMITS = (0.15, 0.3)  # off 0.5
MEASURES = {**DESCRIPTORS, **DYNAMICS}

RULES = (
    f"Overlap and the weakest frame are good from a Jaccard index of {JACCARD_LIMITS[0]} and mixed from {JACCARD_LIMITS[1]}; "
    "for the weakest frame of a whole set that is a strict rule.",
    f"Surfaces are good where the mean distance (ASSD) is at most {VOXEL_LIMITS[0]:g} voxel, mixed up to {VOXEL_LIMITS[1]:g}.",
    f"Pieces are good where at least {PIECES_LIMITS[0]:.0%} of the frames have as many as their original, mixed from "
    f"{PIECES_LIMITS[1]:.0%}. Cells without an original are compared by their share of frames in one piece: good at no more "
    f"than {1 - PIECES_LIMITS[0]:.0%} below that of the originals, mixed at no more than {1 - PIECES_LIMITS[1]:.0%}.",
    f"Distributions are good where no Kolmogorov-Smirnov test over sequences has a corrected p ≤ {ALPHA}, mixed where less "
    f"than half of them have, and otherwise poor; with fewer than {FEWEST_SEQUENCES} sequences on a side, which hardly shows "
    "any difference, tests that find none are left open.",
    f"A new cell is a near-duplicate of an original where its distance to it is less than {DUPLICATE_SHARE:g} of the usual "
    "distance (the median) from an original to its nearest other one. Distances are squared, so that is half as far. The "
    "distance between random points on one surface is taken off first. New cells are good "
    f"with at most {DUPLICATES_LIMITS[0]:.0%} near-duplicates and mixed with at most {DUPLICATES_LIMITS[1]:.0%}.",
    f"The nearest-neighbour test is good where its accuracy is at most {NEIGHBOUR_LIMITS[0]} off 0.5, mixed at most "
    f"{NEIGHBOUR_LIMITS[1]}; with fewer than {FEWEST_SEQUENCES} sequences on a side it is left open.",
    "The whole is as good as the worst of its sentences; open ones do not count.",
)


def verdict_of(comparison: Comparison) -> Verdict:
    """The findings of all rules on a comparison."""
    rules: tuple[Callable[[Comparison], Finding | None], ...] = (
        _overlap,
        _surfaces,
        _weakest,
        _pieces,
        _distributions,
        _near_duplicates,
        _neighbours,
    )
    found = (rule(comparison) for rule in rules)
    return Verdict(comparison.label, tuple(each for each in found if each is not None))


def _overlap(comparison: Comparison) -> Finding | None:
    if comparison.results.pairs is None:
        return None
    jaccard = comparison.results.pair_summary("jaccard")
    words = {"good": "closely", "mixed": "in the main", "poor": "badly", "open": "in no way that is defined"}
    level = grade(jaccard.mean, JACCARD_LIMITS)
    text = f"a mean Jaccard index of {jaccard.mean:.3f} ± {jaccard.std:.3f}"
    return Finding(level, f"The cells match their originals {words[level]}: {text}.")


def _surfaces(comparison: Comparison) -> Finding | None:
    if comparison.results.pairs is None:
        return None
    assd_um = comparison.results.pair_summary("assd_um").mean
    spacing_um = comparison.results.reference.grid.spacing_um
    if math.isnan(assd_um):
        return Finding("open", "No frame has a surface on both sides, so none has a distance.")
    voxels = assd_um / spacing_um
    text = f"Surfaces lie {assd_um:.2g} µm apart in the mean, {voxels:.2g} of a voxel’s width."
    n_without = int(np.isnan(np.concatenate(list(comparison.results.paired("assd_um").values()))).sum())
    if n_without:
        text += (
            f" {_frames(n_without)} with a cell on one side only {'is' if n_without == 1 else 'are'} not in this mean."
        )
    return Finding(grade(voxels, VOXEL_LIMITS, higher_is_better=False), text)


def _weakest(comparison: Comparison) -> Finding | None:
    if comparison.results.pairs is None:
        return None
    by_sequence = comparison.results.paired("jaccard")
    name = min(by_sequence, key=lambda key: float(np.nanmin(by_sequence[key])))
    frame = int(np.nanargmin(by_sequence[name]))
    value = float(by_sequence[name][frame])
    n_poor = sum(int((values < JACCARD_LIMITS[1]).sum()) for values in by_sequence.values())
    total = sum(len(values) for values in by_sequence.values())
    text = f"The weakest frame is frame {frame + 1} of {name}, with a Jaccard index of {value:.3f}"
    text += f"; {n_poor} of {_frames(total)} are below {JACCARD_LIMITS[1]}."
    return Finding(grade(value, JACCARD_LIMITS), text, name)


def _pieces(comparison: Comparison) -> Finding | None:
    results = comparison.results
    if results.pairs is None:
        original, other = (results.topology(role).single_component_share for role in ROLES)
        level = grade(1 + min(other - original, 0.0), PIECES_LIMITS)
        return Finding(level, f"{other:.1%} of the frames are in one piece, of the originals {original:.1%}.")
    frames = [[f for each in results.store(role).sequences for f in each.frames] for role in ROLES]
    differ = [a.topology.components != b.topology.components for a, b in zip(*frames, strict=True)]
    level = grade(1 - sum(differ) / len(differ), PIECES_LIMITS)
    if not any(differ):
        return Finding(level, f"Each of {_frames(len(differ))} is in as many pieces as its original.")
    return Finding(level, f"{sum(differ)} of {_frames(len(differ))} are in more or fewer pieces than their originals.")


def _distributions(comparison: Comparison) -> Finding | None:
    p_of = {name: found.ks_p_corrected for name, found in comparison.results.over_sequences.items()}
    defined = {name: p for name, p in p_of.items() if not math.isnan(p)}
    if not defined:
        return Finding("open", "No descriptor is defined on both sides.")
    fewest = _fewest_sequences(comparison)
    apart = [MEASURES[name].title.lower() for name, p in defined.items() if p <= ALPHA]
    if apart:
        level = "mixed" if len(apart) < len(defined) / 2 else "poor"
        return Finding(
            level, f"{len(apart)} of {len(defined)} tests over sequences tell the sets apart: {', '.join(apart)}."
        )
    if fewest < FEWEST_SEQUENCES:
        text = f"None of {len(defined)} tests tells the sets apart, but {fewest} sequences are too few to show much."
        return Finding("open", text)
    return Finding("good", f"None of {len(defined)} tests over sequences tells the distributions of descriptors apart.")


def _near_duplicates(comparison: Comparison) -> Finding | None:
    sets = comparison.results.near_duplicates
    if sets is None:
        return None
    usual = summarise(np.array(list(sets.reference_um2.values()))).median
    if math.isnan(usual):
        return Finding("open", "There is no second original to measure the distance of new cells against.")
    # Two clouds of points on one surface are as far apart as this (sets.py), and no cell is nearer.
    areas_um2 = np.concatenate(comparison.results.descriptor("reference", "surface_um2"))
    noise_um2 = 2 * float(areas_um2.mean()) / (math.pi * sets.points)
    limit_um2 = noise_um2 + DUPLICATE_SHARE * max(usual - noise_um2, 0.0)
    found = {name: d for name, d in sets.novelty_um2.items() if d < limit_um2}
    n = len(sets.novelty_um2)
    level = grade(len(found) / n, DUPLICATES_LIMITS, higher_is_better=False)
    if not found:
        return Finding(
            level, f"None of {n} cells is a near-duplicate of an original: each differs as originals differ."
        )
    closest = min(found, key=lambda name: found[name])
    text = f"{len(found)} of {n} cells are near-duplicates of an original"
    text += f"; the closest is {closest}, a near-duplicate of {sets.nearest[closest]}."
    return Finding(level, text, closest)


def _neighbours(comparison: Comparison) -> Finding | None:
    sets = comparison.results.near_duplicates
    if sets is None or math.isnan(sets.measures.one_nna.value):
        return None
    found = sets.measures.one_nna
    sure = "" if math.isnan(found.low) else f" ({found.low:.0%} to {found.high:.0%})"
    text = f"By its nearest neighbour a cell is told to be new or original in {found.value:.0%} of the cases{sure}. "
    text += "50% is chance; less means that new cells stay close to single originals."
    if _fewest_sequences(comparison) < FEWEST_SEQUENCES:
        return Finding("open", text)
    return Finding(grade(abs(found.value - 0.5), NEIGHBOUR_LIMITS, higher_is_better=False), text)


def _fewest_sequences(comparison: Comparison) -> int:
    return min(len(comparison.results.store(role).sequences) for role in ROLES)


def _frames(n: int) -> str:
    return f"{n} frame" if n == 1 else f"{n} frames"
