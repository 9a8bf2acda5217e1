"""The parts of a report on its origin, its citation and its glossary, as HTML."""

import html
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

import cytoform
from cytoform.assess.measures.descriptors import Descriptor, titled
from cytoform.assess.measures.kinds import Measures
from cytoform.assess.measures.protrusion_tracks import PROTRUSION_MEASURES
from cytoform.assess.measures.sequences import PAIR_MEASURES
from cytoform.assess.measures.thin_parts import THIN_MEASURES
from cytoform.assess.statistics.held_out_sets import HELD_OUT_MEASURES
from cytoform.assess.statistics.near_duplicates import SET_MEASURES
from cytoform.assess.stores import MeasuredStore
from cytoform.pictures.page import definitions, details, facts, json_block, note
from cytoform.reports.shapes.data import Report
from cytoform.shapes.store import ShapeStore

# Attributes of a store that tell how it was made, and their names on the page.
TOLD = {
    "command": "made by",
    "seed": "seed",
    "run": "run",
    "weights_sha256": "SHA-256 of the run’s weights",
    "prior": "prior",
    "sigma": "σ of the prior",
    "pose": "pose",
    "method": "rendered by",
}


def origin(report: Report) -> str:
    """A table for each store, and the whole provenance as JSON."""
    results = [comparison.results for comparison in report.comparisons]
    parts = [note("What this page was made from: enough to make it again.")]
    stores = list(
        zip(
            [side.label for side in report.sides],
            [results[0].reference, *(each.other for each in results)],
            strict=True,
        )
    )
    stores += [("Held out", each.held_out.store) for each in results if each.held_out is not None][:1]
    for label, store in stores:
        parts.append(f"<h3>{html.escape(label)}</h3>{facts(_facts(store))}")
    whole: dict[str, Any] = report.provenance | {c.label: c.results.provenance for c in report.comparisons}
    return "\n".join([*parts, details("Everything, with versions", json_block(whole))])


def _facts(store: MeasuredStore) -> list[tuple[str, str]]:
    told = ShapeStore.open(store.path).attributes
    return [
        ("store", store.path.name),
        ("cells", f"{store.n_sequences} sequences, {store.n_frames} frames"),
        ("grid", store.grid.text),
        *((title, str(told[key])) for key, title in TOLD.items() if told.get(key) not in (None, "")),
        ("SHA-256 of the store", store.sha256),
    ]


def citing() -> str:
    """The paper and the software as BibTeX, with a button that copies it."""
    text = files("cytoform.reports.shapes").joinpath("citation.bib").read_text("utf-8")
    entries = html.escape(Template(text).substitute(version=cytoform.__version__))
    return (
        "<p>Please cite the paper whose method this is, and the software.</p>"
        f'<pre id="bibtex">{entries}</pre><button type="button" data-copies="bibtex" hidden>Copy BibTeX</button>'
    )


def glossary(measures: Measures) -> str:
    """Every measure with its unit, definition and source."""
    return definitions(
        {
            title: [(measures.worded(titled(each)), measures.worded(_meaning(each))) for each in terms.values()]
            for title, terms in _terms(measures).items()
        }
    )


def _terms(measures: Measures) -> dict[str, Mapping[str, Descriptor]]:
    """Measures and words by what they are about."""
    return {
        "A frame and its original": {**PAIR_MEASURES, **THIN_MEASURES},
        "A frame": {
            **measures.descriptors,
            "pieces": Descriptor("Pieces", "", "bodies of voxels that touch by a face, an edge or a corner"),
            "euler": Descriptor("Euler number", "", "pieces − handles + cavities: 1 for a ball, 2 for two cells"),
            "signed_error": Descriptor(
                "Signed error",
                "µm",
                "distance of a point of the shown surface to the original one: + outside of it, − inside",
            ),
        },
        "A sequence": measures.dynamics,
        "Protrusions over time": PROTRUSION_MEASURES,
        "Sets of sequences": {
            **SET_MEASURES,
            **HELD_OUT_MEASURES,
            "ks": Descriptor(
                "Kolmogorov-Smirnov test",
                "",
                "p: how likely sets so unlike are, if both are drawn from one distribution",
            ),
            "permuted": Descriptor(
                "p with sequences permuted",
                "",
                "share of 999 random exchanges of whole sequences between the sets that leave the distributions of frames as "
                "unlike as they are",
            ),
            "corrected": Descriptor(
                "Corrected p",
                "",
                "Benjamini-Hochberg over all tests of a table: of those at most 0.05, at most 5 % are false",
            ),
            "wasserstein": Descriptor(
                "Wasserstein distance", "", "how far values have to be moved on average; unit as theirs"
            ),
        },
    }


def _meaning(measure: Descriptor) -> str:
    return f"{measure.definition} ({measure.source})" if measure.source else measure.definition
