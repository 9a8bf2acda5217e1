"""A judgement on new cells in a few figures and one score, to choose between ways of making them."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cytoform.assess.results import Results, compare_measured
from cytoform.assess.statistics.distributions import corrected, summarise
from cytoform.assess.stores import MeasuredStore

# A figure passes from these limits on.
ALPHA = 0.05
LEAST_NOVELTY_RATIO = 0.8
LEAST_PIECES_SHARE = 0.9
NEIGHBOUR_LIMIT = 0.15  # of 1-NNA off 0.5; more where chance alone is more, for few sequences
LEAST_SHARE = 0.01  # so that the score still orders ways that fail one figure altogether
QUESTIONS = {"one_nna": "likeness", "novelty_ratio": "novelty", "memorisation_p": "novelty", "pieces_share": "pieces"}
CHANGES = ("size_change", "jaccard_next")  # tested over sequences beside the main descriptors


@dataclass(frozen=True)
class Judgement:
    """Figures of new cells against learned and held-out ones; NaN where one is undefined.

    The p-values are of Kolmogorov-Smirnov tests against the learned cells: over sequences, also of protrusions where the
    learned cells are bodies with protrusions, and over frames with whole sequences permuted. `ks_sequences` are the
    statistics over sequences. `one_nna` is against held-out
    cells, of `n_each` sequences a side, or against learned ones where none was held out; `novelty_ratio`, `memorisation_z`
    and `memorisation_p` need held-out cells. `pieces_share` is the share of frames in as many pieces as expected, see
    `pieces_share`. The Jaccard indices with the next frame are means over sequences.
    """

    p_sequences: Mapping[str, float]
    p_frames: Mapping[str, float]
    ks_sequences: Mapping[str, float]
    one_nna: float
    n_each: int
    novelty_ratio: float
    memorisation_z: float
    memorisation_p: float
    pieces_share: float
    jaccard_next: float
    jaccard_next_learned: float

    @classmethod
    def of(cls, results: Results) -> "Judgement":
        """The judgement that follows from a comparison of new cells with learned ones; the stores are not paired."""
        frames, sequences, sets = results.over_frames, results.over_sequences, results.near_duplicates
        held_out = None if results.held_out is None else results.held_out.sets
        main = results.measures.main
        permuted = {name: frames[name].permuted for name in main}
        one_nna = math.nan if sets is None else sets.measures.one_nna.value
        tested = {name: sequences[name] for name in (*main, *CHANGES)} | results.protrusions_over_sequences
        return cls(
            p_sequences={name: contrast.ks.p for name, contrast in tested.items()},
            p_frames={name: math.nan if test is None else test.p for name, test in permuted.items()},
            ks_sequences={name: contrast.ks.statistic for name, contrast in tested.items()},
            one_nna=one_nna if held_out is None else held_out.new_held_out.one_nna.value,
            n_each=min(len(each.sequences) for each in (results.reference, results.other))
            if held_out is None
            else held_out.n_each,
            novelty_ratio=math.nan if held_out is None else held_out.novelty_ratio,
            memorisation_z=math.nan if held_out is None else held_out.memorisation.z,
            memorisation_p=math.nan if held_out is None else held_out.memorisation.p,
            pieces_share=pieces_share(results.other, results.reference),
            jaccard_next=summarise(results.temporal("other", "jaccard_next")).mean,
            jaccard_next_learned=summarise(results.temporal("reference", "jaccard_next")).mean,
        )

    @property
    def shares(self) -> dict[str, float]:
        """How far each figure is on its way to its limit: 1 where it passes; undefined ones are left out.

        P-values are corrected for their number (Benjamini-Hochberg), so that one of them may be small by chance.
        """
        tests = {f"{name} over sequences": p for name, p in self.p_sequences.items()}
        tests |= {f"{name} over frames": p for name, p in self.p_frames.items()}
        p = dict(zip(tests, corrected(np.array(list(tests.values()))) / ALPHA, strict=True))
        # Two standard deviations of the share of 2n independent cases.
        limit = max(NEIGHBOUR_LIMIT, 1 / math.sqrt(2 * self.n_each))
        found = p | {
            "one_nna": (0.5 - abs(self.one_nna - 0.5)) / max(0.5 - limit, LEAST_SHARE),
            "novelty_ratio": self.novelty_ratio / LEAST_NOVELTY_RATIO,
            "memorisation_p": self.memorisation_p / ALPHA,
            "pieces_share": self.pieces_share / LEAST_PIECES_SHARE,
        }
        return {name: min(float(share), 1.0) for name, share in found.items() if math.isfinite(share)}

    @property
    def score(self) -> float:
        """1 where every figure passes, and low where one question is answered badly.

        The geometric mean over four questions, each the geometric mean of its shares: are the distributions those of the
        learned cells, is a new cell like a held-out one, is it new, and is it in one piece where it should be?
        """
        questions: dict[str, list[float]] = {}
        for name, share in self.shares.items():
            questions.setdefault(QUESTIONS.get(name, "distributions"), []).append(max(share, LEAST_SHARE))
        return float(np.exp(np.mean([np.mean(np.log(shares)) for shares in questions.values()])))

    @property
    def passes(self) -> bool:
        """Whether every figure that is defined passes."""
        return all(share >= 1 for share in self.shares.values())

    def to_json(self) -> dict[str, Any]:
        """All figures, the score, and the names of the figures that do not pass; NaN is still to become null."""
        failed = [name for name, share in self.shares.items() if share < 1]
        return asdict(self) | {"score": self.score, "passes": self.passes, "failed": failed}


def judge(
    new: MeasuredStore,
    learned: MeasuredStore,
    *,
    held_out: MeasuredStore | None = None,
    workers: int = 1,
    seed: int = 0,
) -> Judgement:
    """Judge new cells; `held_out` holds real cells that were not learned.

    For several sets of new cells take `compare_measured` and `Judgement.of`, which share the work on the learned ones.
    Raises InputError where a held-out cell was learned.
    """
    return Judgement.of(compare_measured(learned, [new], held_out=held_out, workers=workers, seed=seed)[0])


def pieces_share(new: MeasuredStore, learned: MeasuredStore) -> float:
    """Share of the new frames in as many pieces as expected, from the distribution over the learned frames.

    The overlap of both distributions of the number of bodies (pieces of at least 1 % of the voxels), less the share of
    frames with smaller pieces by which the new cells exceed the learned ones. Fewer small pieces are no fault.
    """
    (bodies, crumbs), (expected, expected_crumbs) = _pieces(new), _pieces(learned)
    overlap = sum(min(share, expected.get(n, 0.0)) for n, share in bodies.items())
    return max(overlap - max(crumbs - expected_crumbs, 0.0), 0.0)


def _pieces(store: MeasuredStore) -> tuple[dict[int, float], float]:
    """Share of frames by number of bodies, and share of frames with smaller pieces."""
    frames = [
        (n, frame.topology.components)
        for each in store.sequences
        for n, frame in zip(each.n_bodies, each.frames, strict=True)
    ]
    counts = Counter(n for n, _ in frames)
    return {n: count / len(frames) for n, count in counts.items()}, sum(p > n for n, p in frames) / len(frames)
