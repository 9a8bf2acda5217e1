"""The sections of a report on images, in their order."""

from cytoform.assess.images.compare import IMAGE_MEASURES
from cytoform.assess.images.fooling import NEIGHBOUR, USUAL
from cytoform.assess.images.usefulness import SCORES
from cytoform.assess.measures.descriptors import titled
from cytoform.pictures.figures import Side
from cytoform.pictures.page import Drawer, Section, definitions, json_block, note
from cytoform.reports.images import charts, pictures
from cytoform.reports.images.data import GREY, ImageReport
from cytoform.reports.images.tables import figures_table, learning_table
from cytoform.reports.images.verdict import RULES, verdict_of
from cytoform.reports.verdicts import rules_html

# Curves of more sets than there are dashes could not be told apart.
MOST_CURVES = 4


def sections_of(report: ImageReport, drawer: Drawer) -> list[Section]:
    """All sections; those that have nothing to say are empty."""
    return [
        Section("verdict", "Verdict", "Verdict", _verdict(report)),
        Section("pictures", "Side by side", "Side by side", _pictures(report)),
        Section("figures", "Figures", "Figures", _figures(report, drawer)),
        Section("curves", "Histograms, spectra, noise", "Curves", _curves(report, drawer)),
        Section("fooling", "Do they fool?", "Fooling", _fooling(report, drawer)),
        Section("flicker", "Flicker", "Flicker", _flicker(report, drawer)),
        Section("learning", "What a segmenter learns from them", "Segmenter", _learning(report, drawer)),
        Section("glossary", "What the measures mean", "Glossary", _glossary()),
        Section("origin", "Where this comes from", "Origin", json_block(report.provenance)),
    ]


def _verdict(report: ImageReport) -> str:
    return "\n".join([*(verdict_of(judged).html() for judged in report.judged), rules_html(RULES)])


def _pictures(report: ImageReport) -> str:
    columns = [pictures.Column(each.label, each.frames) for each in (report.real, *report.others)]
    low, high = pictures.contrast(report.real.frames)
    text = (
        f"All at one contrast: {low:.5g} is black and {high:.5g} white. In a row are images of one mask where there are any. "
        "Enlarged: the places with most cells, pixel by pixel, and beside each the contours of the mask."
    )
    return "\n".join([note(text), pictures.side_by_side(columns), "<h3>Enlarged</h3>", pictures.enlarged(columns)])


def _figures(report: ImageReport, drawer: Drawer) -> str:
    found = [(report.usual_side, report.usual_found), *zip(report.sides[1:], report.found, strict=True)]
    figure = charts.distance_figure(found)
    return "\n".join(
        [
            note(
                "Each set against the real images; the first column says how much real images differ among themselves."
            ),
            figures_table(report),
            "<h3>Frame by frame</h3>",
            note("A dot is a frame, against all real ones; the line is the figure of the whole set."),
            drawer.plot("distances", figure, "distances of every frame to the real ones", wide=True),
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
            drawer.plot("histograms", charts.histogram_figure(sets), "histograms inside cells and outside", wide=True),
            f'<div class="pairs">{"".join(drawn)}</div>',
            note("Shaded: 90 % of the real frames."),
        ]
    )


def _fooling(report: ImageReport, drawer: Drawer) -> str:
    found = [(report.usual_side, report.usual_found), *zip(report.sides[1:], report.found, strict=True)]
    side_px = report.real.crops.images.shape[1]
    counts = ", ".join(str(each.n_crops) for each in report.found)
    text = (
        f"Squares of {side_px} × {side_px} pixels, as many of each set as of real ones ({counts}). A square passes if its "
        f"distance to the {NEIGHBOUR}th nearest real square elsewhere is at most what {USUAL:.0%} of the real squares have "
        "(dashed). Histograms inside cells and outside are compared apart, so that it does not count how much of a square the "
        "cells take; spectra ring by ring, in units of how much real squares differ there."
    )
    return note(text) + drawer.plot(
        "fooling", charts.fooling_figure(found), "shares of squares that pass for real ones"
    )


def _flicker(report: ImageReport, drawer: Drawer) -> str:
    sets = list(zip(report.sides, (report.real, *report.others), strict=True))
    counts = [len(images.flicker.frame) for _, images in sets]
    if not any(counts):
        return note("No cell has the same label in two consecutive frames, so nothing can be said of flicker.")
    text = (
        "Cells with the same label in consecutive frames, laid on each other by their centroids "
        f"({', '.join(map(str, counts))} pairs). Boxes: quartiles; whiskers: 90 % of the pairs."
    )
    return note(text) + drawer.plot(
        "flicker", charts.flicker_figure(sets), "changes of cells from frame to frame", wide=True
    )


def _learning(report: ImageReport, drawer: Drawer) -> str:
    usefulness = report.usefulness
    if usefulness is None:
        return ""
    named = {side.label: side for side in report.sides}
    sides = [named.get(each.label, Side(each.label, GREY)) for each in usefulness.sets]
    text = (
        f"One segmenter ({usefulness.segmenter}), trained the same way on the pairs of each set and tested on the real images "
        f"({len(report.real.frames)} frames)."
    )
    figure = charts.learning_figure(sides, usefulness)
    return note(text) + learning_table(usefulness) + drawer.plot("segmenter", figure, "scores of the segmenter")


def _glossary() -> str:
    tables = {"Images": IMAGE_MEASURES, "What a segmenter learns": SCORES}
    return definitions(
        {
            title: [
                (titled(each), each.definition + (f" ({each.source})" if each.source else ""))
                for each in measures.values()
            ]
            for title, measures in tables.items()
        }
    )
