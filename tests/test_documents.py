"""README and docs: links lead somewhere, named files, commands and calls exist, and the prose is plain."""

import importlib
import re
from pathlib import Path

import pytest

from cytoform.cli import COMMANDS

ROOT = Path(__file__).parents[1]
PLACES = (ROOT, ROOT / "src" / "cytoform", ROOT / "docs")
# The log is history: it names files and commands as they were.
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(path for path in (ROOT / "docs").rglob("*.md") if path.stem != "LOG")])
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
FILE = re.compile(r"`((?:[\w-]+/)+[\w-]+\.py)`")
COMMAND = re.compile(r"(?:^ {4}|`|&& |; |srun |-m )cytoform ([a-z]+)\b", re.MULTILINE)
CALL = re.compile(r"`(cytoform(?:\.\w+)+)")
# A noun replaced by "what", "those", "that of" ...: the habit that made these documents hard to read.
HOMELY = re.compile(r"\b(what|that of|those|whose|whatever|of which)\b", re.IGNORECASE)
MOST_HOMELY_PERCENT = 0.65

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)


def anchors(path: Path) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    wrong = []
    for name, anchor in LINK.findall(path.read_text("utf-8")):
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            wrong.append(f"{name}#{anchor}")
    assert not wrong


@each_document
def test_named_files_exist(path: Path) -> None:
    wrong = [name for name in FILE.findall(path.read_text("utf-8")) if not any((p / name).exists() for p in PLACES)]
    assert not wrong


@each_document
def test_named_commands_exist(path: Path) -> None:
    assert set(COMMAND.findall(path.read_text("utf-8"))) <= set(COMMANDS)


@each_document
def test_named_calls_exist(path: Path) -> None:
    for name in CALL.findall(path.read_text("utf-8")):
        assert _exists(name.split(".")), name


def _exists(parts: list[str]) -> bool:
    """Whether a dotted name is a module, or a chain of attributes of one."""
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


@each_document
def test_prose_is_plain(path: Path) -> None:
    text = path.read_text("utf-8")
    percent = 100 * len(HOMELY.findall(text)) / len(text.split())
    assert percent < MOST_HOMELY_PERCENT, f"{percent:.2f} of 100 words"


def test_the_table_of_commands_is_complete() -> None:
    table = (ROOT / "docs" / "howto.md").read_text("utf-8").split("## Read and prepare")[0]
    assert {name for name in COMMANDS if not re.search(rf"\| `cytoform {name}[ `]", table)} == set()


def test_the_reading_order_is_the_order_of_imports() -> None:
    """Every part is in the table of the README, and below all parts that it imports."""
    source = ROOT / "src" / "cytoform"
    parts = re.findall(r"^\| \[(\w+)\]\(src/cytoform/\1\) \|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert set(parts) == {path.name for path in source.iterdir() if path.is_dir() and path.name != "__pycache__"}
    for part in parts:
        text = "".join(path.read_text("utf-8") for path in (source / part).rglob("*.py"))
        imported = set(re.findall(r"^ *from cytoform\.(\w+)", text, re.MULTILINE)) & set(parts)
        assert not imported - set(parts[: parts.index(part) + 1]), part


def test_the_first_screen_of_the_readme_is_short() -> None:
    """A picture, three sentences, an install line, five commands, the report, and a table of at most six rows."""
    text = (ROOT / "README.md").read_text("utf-8")
    results = text.split("## How good it is")[1].split("## ")[0]
    rows = [line for line in results.splitlines() if line.startswith("|")][2:]
    assert 1 <= len(rows) <= 6
    assert len(re.findall(r"^ {4}cytoform ", text, re.MULTILINE)) == 5
