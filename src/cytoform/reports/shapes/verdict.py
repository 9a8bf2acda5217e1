"""The verdict on a comparison: graded sentences that follow from its measures by the rules below."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from cytoform.assess.judgement import ALPHA, LEAST_NOVELTY_RATIO, NEIGHBOUR_LIMIT
from cytoform.assess.measures.descriptors import Descriptor
from cytoform.assess.measures.protrusion_tracks import PROTRUSION_MEASURES
from cytoform.assess.statistics.distributions import summarise
from cytoform.assess.statistics.held_out_sets import median
from cytoform.assess.store_contrasts import ROLES
from cytoform.pictures.figures import p_text
from cytoform.reports.shapes.cells import Comparison
from cytoform.reports.verdicts import Finding, Verdict, grade

# Limits of good and of mixed.
JACCARD_LIMITS = (0.9, 0.8)
VOXEL_LIMITS = (1.0, 2.0)
PIECES_LIMITS = (0.99, 0.9)
# A Kolmogorov-Smirnov test of fewer sequences a side can hardly find anything.
FEWEST_SEQUENCES = 10
DUPLICATE_SHARE, DUPLICATES_LIMITS = 0.25, (0.05, 0.5)
NEIGHBOUR_LIMITS = (NEIGHBOUR_LIMIT, 0.3)  # off 0.5
NOVELTY_LIMITS = (LEAST_NOVELTY_RATIO, 0.6)
# Of the centre-line Dice: where one side lacks 18 % of the other's centre lines it is 0.9, where it lacks 46 % it is 0.7.
CENTRE_LINE_LIMITS = (0.9, 0.7)

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
    "Tests over frames are judged by the same limits. Their p comes from permuting whole sequences between the sides, since "
    "frames of one sequence depend on each other; the paper’s p over frames is in the table and is not judged.",
    "Where the originals are bodies with protrusions, tests of protrusions over sequences are judged by the same limits, as a "
    "family of their own. Pairs are judged on protrusions alone too, by the centre-line Dice, since a Jaccard index suffers "
    f"from every moved voxel of a thin protrusion: good from {CENTRE_LINE_LIMITS[0]} and mixed from {CENTRE_LINE_LIMITS[1]}.",
    f"A new cell is a near-duplicate of an original where its distance to it is less than {DUPLICATE_SHARE:g} of the usual "
    "distance (the median) from an original to its nearest other one. Distances are squared, so that is half as far. The "
    "distance between random points on one surface is taken off first. New cells are good "
    f"with at most {DUPLICATES_LIMITS[0]:.0%} near-duplicates and mixed with at most {DUPLICATES_LIMITS[1]:.0%}.",
    "Held-out cells are real cells that were not learned. New cells should be as far from the learned ones as they are: the "
    f"ratio of the medians of novelty is good from {NOVELTY_LIMITS[0]:g} and mixed from {NOVELTY_LIMITS[1]:g}, and at most "
    f"mixed where the Mann-Whitney test finds new cells nearer (p ≤ {ALPHA}). With fewer than {FEWEST_SEQUENCES} sequences on "
    "a side a test that finds nothing leaves it open. Without held-out cells all of this is left open.",
    "The nearest-neighbour test is against held-out cells, or against originals where none was held out. It is good where "
    f"its accuracy is at most {NEIGHBOUR_LIMITS[0]} off 0.5, mixed at most {NEIGHBOUR_LIMITS[1]}; with fewer than "
    f"{FEWEST_SEQUENCES} sequences on a side it is left open.",
    "The whole is as good as the worst of its sentences; open ones do not count.",
)


def verdict_of(comparison: Comparison) -> Verdict:
    """The findings of all rules on a comparison."""
    rules: tuple[Callable[[Comparison], Finding | None], ...] = (
        _overlap,
        _thin_parts,
        _surfaces,
        _weakest,
        _pieces,
        _over_sequences,
        _over_frames,
        _protrusions,
        _near_duplicates,
        _memorisation,
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


def _thin_parts(comparison: Comparison) -> Finding | None:
    if comparison.results.pairs is None or not comparison.results.taken_apart:
        return None
    overlap, lines = (comparison.results.pair_summary(name) for name in ("thin_jaccard", "centre_line_dice"))
    if lines.n == 0:
        return Finding("open", "No frame has a protrusion on either side, so none is compared alone.")
    text = f"On protrusions alone the centre-line Dice is {lines.mean:.3f} ± {lines.std:.3f}"
    text += f", and the Jaccard index {overlap.mean:.3f} ± {overlap.std:.3f}."
    return Finding(grade(lines.mean, CENTRE_LINE_LIMITS), text)


def _surfaces(comparison: Comparison) -> Finding | None:
    if comparison.results.pairs is None:
        return None
    assd_um = comparison.results.pair_summary("assd_um").mean
    spacing_um, measures = comparison.results.reference.grid.spacing_um, comparison.results.measures
    if math.isnan(assd_um):
        return Finding("open", measures.worded("No frame has a surface on both sides, so none has a distance."))
    voxels = assd_um / spacing_um
    text = measures.worded(f"Surfaces lie {assd_um:.2g} µm apart in the mean, {voxels:.2g} of a voxel’s width.")
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


def _over_sequences(comparison: Comparison) -> Finding | None:
    p_of = {name: found.ks_p_corrected for name, found in comparison.results.over_sequences.items()}
    return _tests(comparison.results.measures.all, p_of, "over sequences", _fewest_sequences(comparison))


def _over_frames(comparison: Comparison) -> Finding | None:
    tests = {name: found.permuted for name, found in comparison.results.over_frames.items()}
    p_of = {name: test.p_corrected for name, test in tests.items() if test is not None}
    return _tests(
        comparison.results.measures.all, p_of, "over frames (whole sequences permuted)", _fewest_sequences(comparison)
    )


def _protrusions(comparison: Comparison) -> Finding | None:
    if not comparison.results.taken_apart:
        return None
    p_of = {name: found.ks_p_corrected for name, found in comparison.results.protrusions_over_sequences.items()}
    return _tests(PROTRUSION_MEASURES, p_of, "of protrusions over sequences", _fewest_sequences(comparison))


def _tests(measures: Mapping[str, Descriptor], p_of: Mapping[str, float], over: str, fewest: int) -> Finding | None:
    """The finding of a family of tests, by their corrected p."""
    defined = {name: p for name, p in p_of.items() if not math.isnan(p)}
    if not defined:
        return Finding("open", f"No measure is defined on both sides, so there are no tests {over}.")
    apart = [measures[name].title.lower() for name, p in defined.items() if p <= ALPHA]
    if apart:
        level = "mixed" if len(apart) < len(defined) / 2 else "poor"
        return Finding(level, f"{len(apart)} of {len(defined)} tests {over} tell the sets apart: {', '.join(apart)}.")
    if fewest < FEWEST_SEQUENCES:
        text = f"None of {len(defined)} tests {over} tells the sets apart, but {fewest} sequences are too few to show much."
        return Finding("open", text)
    return Finding("good", f"None of {len(defined)} tests {over} tells the sets apart.")


def _near_duplicates(comparison: Comparison) -> Finding | None:
    sets = comparison.results.near_duplicates
    if sets is None:
        return None
    usual = summarise(np.array(list(sets.reference_um2.values()))).median
    if math.isnan(usual):
        return Finding("open", "There is no second original to measure the distance of new cells against.")
    # Two clouds of points on one surface are as far apart as the offset, and no cell is nearer.
    limit_um2 = sets.offset_um2 + DUPLICATE_SHARE * max(usual - sets.offset_um2, 0.0)
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


def _memorisation(comparison: Comparison) -> Finding | None:
    if comparison.results.near_duplicates is None:
        return None
    if comparison.results.held_out is None:
        text = "No cells were held out, so it is open whether new cells lie nearer to the learned ones than unseen cells do"
        return Finding("open", f"{text}, and whether they are like unseen cells (--held-out).")
    sets = comparison.results.held_out.sets
    if math.isnan(sets.novelty_ratio):
        text = "Held-out cells lie no farther from learned ones than random points on one surface do."
        return Finding("open", comparison.results.measures.worded(text))
    new, held_out = (median(each.values()) for each in (sets.new_um2, sets.held_out_um2))
    found = sets.memorisation
    text = (
        f"New cells lie {new:.3g} µm² from the nearest learned one, held-out cells {held_out:.3g} µm² (medians; ratio "
    )
    text += f"{sets.novelty_ratio:.2f}, z = {found.z:.1f}, {p_text(found.p)})."
    level = grade(sets.novelty_ratio, NOVELTY_LIMITS)
    if level == "good" and found.p <= ALPHA:
        level = "mixed"
    fewest = min(len(sets.new_um2), len(sets.held_out_um2))
    if found.p > ALPHA and fewest < FEWEST_SEQUENCES:
        return Finding("open", f"{text} But {fewest} sequences are too few to show much.")
    return Finding(level, text)


def _neighbours(comparison: Comparison) -> Finding | None:
    sets, held_out = comparison.results.near_duplicates, comparison.results.held_out
    if sets is None:
        return None
    found = sets.measures.one_nna if held_out is None else held_out.sets.new_held_out.one_nna
    if math.isnan(found.value):
        return None
    fewest = _fewest_sequences(comparison) if held_out is None else held_out.sets.n_each
    sure = "" if math.isnan(found.low) else f" ({found.low:.0%} to {found.high:.0%})"
    others = "original" if held_out is None else "held out"
    text = f"By its nearest neighbour a cell is told to be new or {others} in {found.value:.0%} of the cases{sure}. "
    text += "50% is chance; less means that new cells stay close to single "
    text += "originals." if held_out is None else "held-out cells."
    if fewest < FEWEST_SEQUENCES:
        return Finding("open", text)
    return Finding(grade(abs(found.value - 0.5), NEIGHBOUR_LIMITS, higher_is_better=False), text)


def _fewest_sequences(comparison: Comparison) -> int:
    return min(len(comparison.results.store(role).sequences) for role in ROLES)


def _frames(n: int) -> str:
    return f"{n} frame" if n == 1 else f"{n} frames"
