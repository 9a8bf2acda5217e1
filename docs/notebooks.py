"""Tutorials as executed notebooks: docs/tutorials/*.md are read by jupytext, run by nbclient, and become pages with outputs."""

import base64
import os
import re
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

PICTURES = {"image/png": ".png", "image/gif": ".gif"}
NOT_RUN = "*The code of this page was not run, so it has no outputs and pictures: the site was built with `--without-running`.*"


def write_run_page(notebook: Path, page: Path) -> float:
    """Run a notebook in an empty folder, and write its page and its pictures; return the CPU seconds of all its processes.

    Raises nbclient's CellExecutionError where a cell fails.
    """
    before = _cpu_s()
    with tempfile.TemporaryDirectory() as folder:
        book = _run(notebook, Path(folder).resolve())
    seconds = _cpu_s() - before
    page.parent.mkdir(parents=True, exist_ok=True)
    pictures = page.with_suffix("")
    pictures.mkdir()
    made = f"*All code of this page was run when the page was built, in {seconds:.0f} s of processor time.*"
    page.write_text(_with_note(_page(book, pictures), made), "utf-8")
    return seconds


def write_unrun_page(notebook: Path, page: Path) -> None:
    """Write the page of a notebook without outputs, and with a note that says so."""
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_with_note(notebook.read_text("utf-8"), NOT_RUN), "utf-8")


def _run(notebook: Path, folder: Path) -> Any:
    """The executed notebook, without the path of its folder. Shell cells end at the first command that fails."""
    import jupytext
    from nbclient import NotebookClient

    book = jupytext.read(notebook)
    for cell in book.cells:
        cell.source = re.sub(r"^%%bash\n", "%%bash -e\n", cell.source)
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    client = NotebookClient(book, kernel_name="python3", timeout=600, resources={"metadata": {"path": str(folder)}})
    client.execute(env=environment)
    for output in (output for cell in book.cells for output in cell.get("outputs", ())):
        if output.output_type == "stream":
            output.text = output.text.replace(f"{folder}{os.sep}", "")
    return book


def _page(book: Any, pictures: Path) -> str:
    """Text, code and outputs as Markdown; pictures go into the folder `pictures`, named by their numbers."""
    parts = []
    for cell in book.cells:
        if cell.cell_type != "code":
            parts.append(cell.source)
            continue
        shell = cell.source.startswith("%%bash")
        parts.append(_fenced("bash" if shell else "python", cell.source.split("\n", 1)[1] if shell else cell.source))
        said = "".join(output.text for output in cell.outputs if output.output_type == "stream")
        parts += [_fenced("text", said)] if said.strip() else []
        for output in cell.outputs:
            if output.output_type != "stream":
                parts.append(_shown(output.data, pictures))
    return "\n\n".join(parts) + "\n"


def _shown(data: dict[str, str], pictures: Path) -> str:
    """A picture, or the text that stands for a value."""
    for kind, ending in PICTURES.items():
        if kind in data:
            name = f"{len(list(pictures.iterdir())) + 1}{ending}"
            (pictures / name).write_bytes(base64.b64decode(data[kind]))
            return f"![Picture made by the code above]({pictures.name}/{name})"
    return _fenced("text", data["text/plain"])


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.strip()}\n```"


def _with_note(page: str, note: str) -> str:
    """The page with a note below its title."""
    title, rest = page.split("\n", 1)
    return f"{title}\n\n{note}\n{rest}"


def _cpu_s() -> float:
    """CPU seconds of all finished child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
