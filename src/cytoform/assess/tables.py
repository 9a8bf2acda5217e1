"""Tables and other pieces of the report, as HTML."""

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytoform.assess.descriptors import DESCRIPTORS
from cytoform.assess.distributions import Summary, summarise
from cytoform.assess.figures import Side, p_text
from cytoform.assess.page import table
from cytoform.assess.results import Results


def headline(compared: Results, side: Side) -> str:
    """The few numbers that one looks for first."""
    results = compared.to_json()
    cards = []
    if compared.pairs:
        distance = results["surface_distance"]
        cards += [
            (_pm(results["jaccard"], 3), "Jaccard index"),
            (_pm(results["dice"], 3), "Dice coefficient"),
            (_pm(distance["assd_um"], 3), "µm mean surface distance (ASSD)"),
            (_pm(distance["hd95_um"], 3), "µm 95 % Hausdorff distance"),
        ]
    else:
        for name in ("size_um3", "surface_um2", "sphericity"):
            p = results["descriptors"][name]["ks_p_sequences"]
            cards.append((p_text(p), f"{DESCRIPTORS[name].title}, KS over sequences"))
    cards.append((f"{results['topology']['other']['single_component_share']:.0%}", "frames in one piece"))
    boxes = "".join(f'<div class="card"><b>{value}</b><span>{html.escape(what)}</span></div>' for value, what in cards)
    return f'<div class="group">{_dot(side)}{html.escape(side.label)} against original</div><div class="cards">{boxes}</div>'


def descriptor_table(compared: Sequence[Results], sides: Sequence[Side]) -> str:
    """Means and deviations: one row for the reference and one for each set compared with it (paper table 1)."""
    sets = [(sides[0], compared[0].reference, compared[0], "reference")]
    sets += [(side, results.other, results, "other") for side, results in zip(sides[1:], compared, strict=True)]
    rows = []
    for side, sequences, results, key in sets:
        n_frames = sum(len(sequence.frames) for sequence in sequences)
        summaries = [summarise(np.concatenate(results.descriptor(key, name))) for name in DESCRIPTORS]
        cells = [_mean_and_std(s) for s in summaries]
        rows.append([f"{_dot(side)}{html.escape(side.label)}", f"{len(sequences)} / {n_frames}", *cells])
    titles = [f"{d.title} [{d.unit}]" if d.unit else d.title for d in DESCRIPTORS.values()]
    return table(["", "Sequences / frames", *titles], rows)


def ks_table(results: Results) -> str:
    """Kolmogorov-Smirnov tests of all descriptors, over frames and over means of sequences."""
    rows = []
    for name, values in results.to_json()["descriptors"].items():
        tests = [(values[f"ks_statistic{key}"], values[f"ks_p{key}"]) for key in ("", "_sequences")]
        cells = [
            cell
            for statistic, p in tests
            for cell in (
                f"{statistic:.3f}",
                f'<span class="{"bad" if p <= 0.05 else "good"}">{html.escape(p_text(p))}</span>',
            )
        ]
        rows.append([html.escape(DESCRIPTORS[name].title), *cells])
    head = ["Kolmogorov-Smirnov test", "D over frames", "p over frames", "D over sequences", "p over sequences"]
    return table(head, rows)


def topology_table(results: Results, side: Side) -> str:
    """How many frames have how many components, and which Euler number."""
    rows = []
    for label, topology in zip(("Original", side.label), results.to_json()["topology"].values(), strict=True):
        components, euler = (_counts(topology[key]) for key in ("components", "euler"))
        rows.append([html.escape(label), f"{topology['single_component_share']:.0%}", components, euler])
    note = "Number: frames that have it. The Euler number is components - handles + cavities: 1 for a ball, 2 for two cells."
    head = ["", "Frames in one piece", "Components (26 neighbours)", "Euler number"]
    return table(head, rows) + f'<p class="note">{note}</p>'


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{value}: {count}" for value, count in counted.items())


def _dot(side: Side) -> str:
    return f'<span class="dot" style="background:rgb({",".join(str(round(255 * c)) for c in side.colour)})"></span>'


def _pm(values: dict[str, Any], digits: int) -> str:
    return f"{values['mean']:.{digits}f} <small>± {values['std']:.{digits}f}</small>"


def _mean_and_std(summary: Summary) -> str:
    """Two digits of the deviation, and the mean to the same place."""
    if summary.n == 0:
        return "–"
    places = 1 - math.floor(math.log10(summary.std)) if summary.std > 0 else 2
    return f"{summary.mean:.{max(places, 0)}f} ± {summary.std:.{max(places, 0)}f}"
