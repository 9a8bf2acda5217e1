"""Scores over seeds, and the gain by synthetic pairs: mean difference with its interval, and a sentence."""

from collections.abc import Sequence
from typing import Any

import numpy as np

CONFIDENCE = 0.95
# Least number of seeds of a bootstrap, and its number of drawn means.
BOOTSTRAPPED, N_BOOTSTRAP = 8, 10_000
# A loss of SEG this small counts as none.
MARGIN = 0.005


def gain(
    single: Sequence[dict[str, Any]], metric: str, arm: str = "both", *, beside: str = "real"
) -> dict[str, float] | None:
    """An arm minus another, seed by seed: mean and 95 % interval; None without the metric or with a single seed.

    From eight seeds the interval is a paired bootstrap over seeds (percentiles of 10,000 means), with fewer Student's t.
    Seeds differ in the drawn frames, the texture and the segmenter. The test frames are the same, so the interval does
    not cover other movies.
    """
    from scipy.stats import t

    pairs = [(one[arm][metric], one[beside][metric]) for one in single]
    if len(pairs) < 2 or any(None in pair for pair in pairs):
        return None
    differences = np.array([value - other for value, other in pairs])
    n, mean = len(differences), float(differences.mean())
    half = float(t.ppf((1 + CONFIDENCE) / 2, n - 1) * differences.std(ddof=1) / np.sqrt(n))
    low, high = mean - half, mean + half
    if n >= BOOTSTRAPPED:
        drawn = np.random.default_rng(0).choice(differences, (N_BOOTSTRAP, n)).mean(axis=1)
        low, high = (float(q) for q in np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]))
    return {"value": mean, "low": low, "high": high, "t_low": mean - half, "t_high": mean + half, "seeds": n}


def in_words(n_frames: str, seg: dict[str, float] | None) -> str:
    """A sentence on whether training on synthetic and real pairs is better than on real pairs alone."""
    frames = (
        f"{n_frames} of a real frame" if "/" in n_frames else f"{n_frames} real frame{'' if n_frames == '1' else 's'}"
    )
    if seg is None:
        return f"with {frames}: one seed, no interval"
    verdict = (
        "synthetic + real beats real alone"
        if seg["low"] > 0
        else "synthetic + real is worse than real alone"
        if seg["high"] < 0
        else "synthetic + real is not worse than real alone"
        if seg["low"] > -MARGIN
        else "no difference can be told"
    )
    interval = f"{seg['value']:+.3f} ({seg['low']:+.3f} to {seg['high']:+.3f}, {seg['seeds']:.0f} seeds)"
    return f"with {frames}, {verdict}: SEG {interval}"


def summary(single: Sequence[dict[str, Any]], arm: str, metric: str) -> dict[str, float | None]:
    """Mean and standard deviation over seeds; None if the metric is unknown."""
    values = [one[arm][metric] for one in single]
    if None in values:
        return {"mean": None, "std": None}
    return {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0}
