"""Where a report comes from, how to cite it, and what its measures mean, as HTML."""

import html
import json
from importlib.resources import files
from string import Template
from typing import Any

import cytoform
from cytoform.reports.shapes.data import Report
from cytoform.reports.shapes.glossary import glossary
from cytoform.shapes.store import ShapeStore

# What the attributes of a store say of its making, in the words of a page.
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
    """A table a store, and everything that is known as JSON."""
    parts = ['<p class="note">What this page was made from: enough to make it again.</p>']
    known = [("Original", report.comparisons[0].results.provenance["reference"], report.reference)]
    known += [(c.label, c.results.provenance["other"], c.store) for c in report.comparisons]
    for label, facts, path in known:
        told = ShapeStore.open(path).attributes
        rows = [("store", facts["name"]), ("cells", f"{facts['sequences']} sequences, {facts['frames']} frames")]
        rows += [("grid", f"{facts['grid']}³ voxels of {facts['spacing_um']:.4g} µm")]
        rows += [(title, str(told[key])) for key, title in TOLD.items() if told.get(key) not in (None, "")]
        rows += [("SHA-256 of the store", facts["sha256"])]
        parts.append(f"<h3>{html.escape(label)}</h3>{_facts(rows)}")
    whole: dict[str, Any] = report.provenance | {c.label: c.results.provenance for c in report.comparisons}
    text = json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False)
    parts.append(f"<details><summary>Everything, with versions</summary><pre>{html.escape(text)}</pre></details>")
    return "\n".join(parts)


def _facts(rows: list[tuple[str, str]]) -> str:
    lines = (f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(text)}</td></tr>' for name, text in rows)
    return f'<table class="facts">{"".join(lines)}</table>'


def citing() -> str:
    """The paper and the software, as one pastes them."""
    text = files("cytoform.reports.shapes").joinpath("citation.bib").read_text("utf-8")
    entries = html.escape(Template(text).substitute(version=cytoform.__version__))
    return (
        "<p>Please cite the paper whose method this is, and the software.</p>"
        f'<pre id="bibtex">{entries}</pre><button type="button" data-copies="bibtex" hidden>Copy BibTeX</button>'
    )


def glossary_list() -> str:
    """Every measure with its unit."""
    parts = []
    for group, terms in glossary().items():
        items = "".join(f"<dt>{html.escape(term.title)}</dt><dd>{html.escape(term.meaning)}</dd>" for term in terms)
        parts.append(f'<h3>{html.escape(group)}</h3><dl class="terms">{items}</dl>')
    return "\n".join(parts)
