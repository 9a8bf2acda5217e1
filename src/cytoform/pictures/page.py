"""Pages of HTML in the style of the report, with everything inside."""

import base64
import html
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from matplotlib.figure import Figure

from cytoform.pictures.figures import as_png, as_svg


class Drawer:
    """Writes figures as files and gives them back as pictures inside the page."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def plot(self, name: str, figure: Figure, alternative: str) -> str:
        """A plot, sharp at any size."""
        self.picture(name, figure, alternative)
        svg = as_svg(figure)
        (self.folder / f"{name}.svg").write_bytes(svg)
        return image("svg+xml", svg, alternative)

    def picture(self, name: str, figure: Figure, alternative: str) -> str:
        """A figure of pixels."""
        png = as_png(figure)
        (self.folder / f"{name}.png").write_bytes(png)
        return image("png", png, alternative)


def page(title: str, body: Sequence[str]) -> str:
    """A whole page of pieces that are HTML already, in the style of the report."""
    style = files("cytoform.pictures").joinpath("page.css").read_text("utf-8")
    head = (
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{style}</style>"
    )
    inside = "\n".join(body)
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n<main>\n{inside}\n</main>\n</body>\n</html>\n'


def image(kind: str, data: bytes, alternative: str) -> str:
    """A picture inside a page; `kind` is png or svg+xml."""
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return f'<img alt="{html.escape(alternative)}" src="{source}">'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    # What scrolls has to be reached by keyboard.
    scroll = '<div class="scroll" tabindex="0" role="group" aria-label="Table">'
    return f"{scroll}<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
