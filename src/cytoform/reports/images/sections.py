"""The parts of a report on images, in their order."""

import html
import json
from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from cytoform.assess.images.compare import IMAGE_MEASURES
from cytoform.assess.images.fooling import NEIGHBOUR, USUAL
from cytoform.assess.images.usefulness import SCORES
from cytoform.assess.measures.descriptors import titled
from cytoform.pictures.figures import Side
from cytoform.pictures.page import Drawer
from cytoform.reports.images import charts, pictures
from cytoform.reports.images.data import GREY, ImageReport
from cytoform.reports.images.tables import figures_table, learning_table
from cytoform.reports.images.verdict import RULES, verdict_of

# Curves of more sets than there are dashes could not be told apart.
MOST_CURVES = 4


@dataclass(frozen=True)
class Section:
    """A part of the page; `write` gives its HTML, empty where there is nothing to say."""

    id: str
    title: str
    link: str
    write: Callable[[ImageReport, Drawer], str]


def _verdict(report: ImageReport, _drawer: Drawer) -> str:
    parts = []
    for judged in report.judged:
        verdict = verdict_of(judged)
        items = "".join(
            f'<li><span class="grade {each.grade}">{each.grade}</span><span>{html.escape(each.text)}</span></li>'
            for each in verdict.findings
        )
        parts.append(f'<p class="overall">{html.escape(verdict.sentence)}</p><ul class="verdict">{items}</ul>')
    rules = "".join(f"<li>{html.escape(rule)}</li>" for rule in RULES)
    parts.append(f"<details><summary>The rules behind these sentences</summary><ul>{rules}</ul></details>")
    return "\n".join(parts)


def _pictures(report: ImageReport, _drawer: Drawer) -> str:
    columns = [pictures.Column(each.label, each.frames) for each in (report.real, *report.others)]
    low, high = pictures.contrast(report.real.frames)
    note = (
        f"All at one contrast: {low:.5g} is black and {high:.5g} white. In a row are images of one mask where there are any. "
        "Enlarged: the places with most cells, pixel by pixel, and beside each the contours of the mask."
    )
    return "\n".join([_note(note), pictures.side_by_side(columns), "<h3>Enlarged</h3>", pictures.enlarged(columns)])


def _figures(report: ImageReport, drawer: Drawer) -> str:
    found = [(report.usual_side, report.usual_found), *zip(report.sides[1:], report.found, strict=True)]
    figure = charts.distance_figure(found)
    return "\n".join(
        [
            _note(
                "Each set against the real images; the first column says how much real images differ among themselves."
            ),
            figures_table(report),
            "<h3>Frame by frame</h3>",
            _note("A dot is a frame, against all real ones; the line is the figure of the whole set."),
            _wide(drawer, "distances", figure, "distances of every frame to the real ones"),
        ]
    )


def _curves(report: ImageReport, drawer: Drawer) -> str:
    sets = list(zip(report.sides, (report.real, *report.others), strict=True))[:MOST_CURVES]
    drawn = [
        drawer.plot("spectra", charts.spectrum_figure(sets, report.real.crops.images.shape[1]), "power spectra"),
        drawer.plot("noise", charts.noise_figure(sets), "noise against intensity"),
    ]
    return "\n".join(
        [
            _wide(drawer, "histograms", charts.histogram_figure(sets), "histograms inside cells and outside"),
            f'<div class="pairs">{"".join(drawn)}</div>',
            _note("Shaded: 90 % of the real frames."),
        ]
    )


def _fooling(report: ImageReport, drawer: Drawer) -> str:
    found = [(report.usual_side, report.usual_found), *zip(report.sides[1:], report.found, strict=True)]
    side_px = report.real.crops.images.shape[1]
    counts = ", ".join(str(each.n_crops) for each in report.found)
    note = (
        f"Squares of {side_px} × {side_px} pixels, as many of each set as of real ones ({counts}). A square passes if its "
        f"distance to the {NEIGHBOUR}th nearest real square elsewhere is at most what {USUAL:.0%} of the real squares have "
        "(dashed). Histograms inside cells and outside are compared apart, so that it does not count how much of a square the "
        "cells take; spectra ring by ring, in units of how much real squares differ there."
    )
    return _note(note) + drawer.plot(
        "fooling", charts.fooling_figure(found), "shares of squares that pass for real ones"
    )


def _flicker(report: ImageReport, drawer: Drawer) -> str:
    sets = list(zip(report.sides, (report.real, *report.others), strict=True))
    counts = [len(images.flicker.frame) for _, images in sets]
    if not any(counts):
        return _note("No cell has the same label in two consecutive frames, so nothing can be said of flicker.")
    note = (
        "Cells with the same label in consecutive frames, laid on each other by their centroids "
        f"({', '.join(map(str, counts))} pairs). Boxes: quartiles; whiskers: 90 % of the pairs."
    )
    return _note(note) + _wide(drawer, "flicker", charts.flicker_figure(sets), "changes of cells from frame to frame")


def _learning(report: ImageReport, drawer: Drawer) -> str:
    usefulness = report.usefulness
    if usefulness is None:
        return ""
    named = {side.label: side for side in report.sides}
    sides = [named.get(each.label, Side(each.label, GREY)) for each in usefulness.sets]
    note = (
        f"One segmenter ({usefulness.segmenter}), trained the same way on the pairs of each set and tested on the real images "
        f"({len(report.real.frames)} frames)."
    )
    figure = charts.learning_figure(sides, usefulness)
    return _note(note) + learning_table(usefulness) + drawer.plot("segmenter", figure, "scores of the segmenter")


def _glossary(_report: ImageReport, _drawer: Drawer) -> str:
    parts = []
    for title, measures in {"Images": IMAGE_MEASURES, "What a segmenter learns": SCORES}.items():
        items = "".join(
            f"<dt>{html.escape(titled(each))}</dt><dd>{html.escape(each.definition)}"
            f"{html.escape(f' ({each.source})') if each.source else ''}</dd>"
            for each in measures.values()
        )
        parts.append(f'<h3>{title}</h3><dl class="terms">{items}</dl>')
    return "\n".join(parts)


def _origin(report: ImageReport, _drawer: Drawer) -> str:
    text = json.dumps(report.provenance, indent=2, sort_keys=True, ensure_ascii=False)
    return f"<pre>{html.escape(text)}</pre>"


def _wide(drawer: Drawer, name: str, figure: Figure, alternative: str) -> str:
    """A plot that is not shrunk on a narrow page, but scrolled."""
    plot = drawer.plot(name, figure, alternative)
    return f'<div class="wide" tabindex="0" role="group" aria-label="Figure">{plot}</div>'


def _note(text: str) -> str:
    return f'<p class="note">{html.escape(text)}</p>'


SECTIONS = (
    Section("verdict", "Verdict", "Verdict", _verdict),
    Section("pictures", "Side by side", "Side by side", _pictures),
    Section("figures", "Figures", "Figures", _figures),
    Section("curves", "Histograms, spectra, noise", "Curves", _curves),
    Section("fooling", "Do they fool?", "Fooling", _fooling),
    Section("flicker", "Flicker", "Flicker", _flicker),
    Section("learning", "What a segmenter learns from them", "Segmenter", _learning),
    Section("glossary", "What the measures mean", "Glossary", _glossary),
    Section("origin", "Where this comes from", "Origin", _origin),
)
