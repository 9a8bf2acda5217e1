"""One kit for all HTML pages: shell, sections with navigation, figures, tables, verdicts.

A page is one file that needs no network. Arguments called `body` or `cells` are HTML already, all others are plain text
and escaped here.
"""

import base64
import html
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from matplotlib.figure import Figure

import cytoform
from cytoform.assess.statistics.intervals import Estimate
from cytoform.base.lines import encodable
from cytoform.pictures.figures import as_png, as_svg

FOOTER = f"<footer>Written by cytoform {cytoform.__version__}. This page is one file and needs no network.</footer>"


@dataclass(frozen=True)
class Section:
    """A part of a page: `body` under a title, and `link` in the navigation bar; left out where `body` is empty."""

    id: str
    title: str
    link: str
    body: str


def page(title: str, lead: str, sections: Iterable[Section], *, cells: str = "", head: str = "") -> str:
    """A whole page of sections below a title and a sentence.

    `cells` are views of their own after the sections, each a `<section class="cell">` that shows while the address names
    it. `head` is added to the head of the page.
    """
    shown = [section for section in sections if section.body]
    links = [f'<li><a href="#{each.id}">{html.escape(each.link)}</a></li>' for each in shown]
    bodies = [f'<section id="{each.id}"><h2>{html.escape(each.title)}</h2>\n{each.body}</section>' for each in shown]
    web = files("cytoform.pictures").joinpath("web")
    body = Template(web.joinpath("page.html").read_text("utf-8")).substitute(
        title=html.escape(title),
        lead=html.escape(lead),
        links="".join(links),
        sections="\n".join(bodies),
        cells=cells,
        footer=FOOTER,
        script=web.joinpath("page.js").read_text("utf-8"),
    )
    return shell(title, body, style=web.joinpath("page.css").read_text("utf-8"), head=head)


def shell(title: str, body: str, *, style: str, head: str = "") -> str:
    """A whole page around the content of its `<body>`."""
    return encodable(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{style}</style>\n{head}</head>\n<body>\n{body}</body>\n</html>\n"
    )


class Drawer:
    """Writes figures as files into a folder, and gives them back as pictures inside a page."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def plot(self, name: str, figure: Figure, alternative: str, *, wide: bool = False) -> str:
        """Write NAME.png and NAME.svg; the page shows the SVG. `wide` as in `scrolling`."""
        self.picture(name, figure, alternative)
        svg = as_svg(figure)
        (self.folder / f"{name}.svg").write_bytes(svg)
        drawn = image("svg+xml", svg, alternative)
        return scrolling(drawn, alternative) if wide else drawn

    def picture(self, name: str, figure: Figure, alternative: str, *, wide: bool = False) -> str:
        """Write NAME.png, and show it."""
        png = as_png(figure)
        (self.folder / f"{name}.png").write_bytes(png)
        drawn = image("png", png, alternative)
        return scrolling(drawn, alternative) if wide else drawn


def image(kind: str, data: bytes, alternative: str, *, size_px: int | None = None) -> str:
    """A picture inside a page; `kind` is png, webp or svg+xml. `size_px` is the side of a square one."""
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    size = "" if size_px is None else f' width="{size_px}" height="{size_px}"'
    return f'<img alt="{html.escape(alternative)}"{size} src="{source}">'


def figure(body: str, caption: str) -> str:
    """A picture with a caption."""
    return f"<figure>{body}<figcaption>{html.escape(caption)}</figcaption></figure>"


def scrolling(body: str, name: str) -> str:
    """Content that a narrow screen scrolls rather than shrinks; it can be reached by keyboard."""
    return f'<div class="wide" tabindex="0" role="group" aria-label="{html.escape(name)}">{body}</div>'


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table; cells of the body are HTML."""
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body)
    scroll = '<div class="scroll" tabindex="0" role="group" aria-label="Table">'
    return f"{scroll}<table><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table></div>"


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """A table of names and values."""
    lines = (f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>' for name, value in rows)
    return f'<table class="facts">{"".join(lines)}</table>'


def definitions(groups: Mapping[str, Iterable[tuple[str, str]]]) -> str:
    """Terms and their meanings, under the title of each group."""
    parts = []
    for title, terms in groups.items():
        items = "".join(f"<dt>{html.escape(term)}</dt><dd>{html.escape(meaning)}</dd>" for term, meaning in terms)
        parts.append(f'<h3>{html.escape(title)}</h3><dl class="terms">{items}</dl>')
    return "\n".join(parts)


def interval(estimate: Estimate, form: str = ".3g") -> str:
    """A figure with its interval in brackets, as HTML; a dash where it is undefined."""
    if math.isnan(estimate.value):
        return "–"
    value, low, high = (format(each, form) for each in (estimate.value, estimate.low, estimate.high))
    return value if math.isnan(estimate.low) else f"{value} <small>({low} to {high})</small>"


def note(text: str) -> str:
    """A remark in small print."""
    return note_html(html.escape(text))


def note_html(body: str) -> str:
    """A remark in small print, with links or other elements."""
    return f'<p class="note">{body}</p>'


def details(summary: str, body: str) -> str:
    """Content that a click unfolds; on paper it is shown."""
    return f"<details><summary>{html.escape(summary)}</summary>{body}</details>"


def json_block(value: Any) -> str:
    """A value as JSON, for readers who want everything."""
    return f"<pre>{html.escape(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False))}</pre>"


def verdict_box(sentence: str, body: Iterable[tuple[str, str]]) -> str:
    """A sentence above graded ones: pairs of a grade (good, mixed, poor or open) and HTML."""
    items = (f'<li><span class="grade {grade}">{grade}</span><span>{text}</span></li>' for grade, text in body)
    return f'<p class="overall">{html.escape(sentence)}</p><ul class="verdict">{"".join(items)}</ul>'


def listed(texts: Iterable[str]) -> str:
    """Texts as a list."""
    return f"<ul>{''.join(f'<li>{html.escape(text)}</li>' for text in texts)}</ul>"
