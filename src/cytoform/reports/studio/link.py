"""How other pages lead to the studio of a run: to its page if one lies beside them, and else by the command."""

import html
from pathlib import Path
from urllib.parse import quote

from cytoform.pictures.page import note_html

HEAD_BYTES = 1 << 20  # of a page: its scripts, and the first facts on its run


def studio_note(run: str, weights_sha256: str, beside: Path) -> str:
    """A sentence on the studio of a run for a page in a folder of its own, as HTML.

    `beside` is the folder around that folder. The studio is RUN.studio.html or studio.html there, of the same weights.
    """
    for name in (f"{run}.studio.html", "studio.html"):
        if _is_of(beside / name, weights_sha256):
            return note_html(f'Make cells of this run in the browser: <a href="../{quote(name)}">its studio</a>.')
    return note_html(f"Make cells of this run in the browser: <code>cytoform studio {html.escape(run)}</code>.")


def _is_of(page: Path, weights_sha256: str) -> bool:
    if not page.is_file():
        return False
    with page.open("rb") as file:
        return f'"weights":"{weights_sha256}"'.encode() in file.read(HEAD_BYTES)
