"""The arrows of the layout: which part may import which. Every folder counts, the root too, and imports for types only."""

import ast
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "cytoform"
ROOT = {"__init__", "__main__", "cli", "demo", "errors"}
# Each part imports its own neighbours and, through them, what they stand on; `errors` and the version are for all.
ARROWS = {
    "base": set(),
    "shapes": {"base"},
    "training": {"base"},
    "datasets": {"base"},
    "zoo": {"datasets"},
    "priors": {"base"},
    "protrusions": {"shapes"},
    "completion": {"shapes", "protrusions"},
    "representations": {"protrusions"},
    "movies": {"base"},
    "simulate": {"movies", "shapes"},
    "prepare": {"movies", "shapes"},
    "assess": {"movies", "shapes", "protrusions"},
    "imaging": {"movies", "shapes", "training"},
    "runs": {"shapes", "training", "representations", "priors"},
    "synthesis": {"runs", "representations", "priors", "assess", "completion", "zoo"},
    "pictures": {"shapes", "assess"},
    "scenes": {"synthesis", "imaging", "movies"},
    "exchange": {"runs", "representations", "shapes", "movies", "zoo"},
    "reports": {"synthesis", "imaging", "scenes", "pictures", "assess", "exchange", "prepare", "simulate"},
    "commands": {"reports", "prepare", "simulate", "datasets"},
}
FACES = {"commands"}  # what a user calls may use everything
NUMPY_ONLY = (
    "protrusions",
    "completion",
    "datasets",
    "zoo",
    "movies",
    "simulate",
    "shapes",
    "prepare",
    "pictures",
    "assess",
)
MAY_IMPORT_TORCH = {"assess/segmenter"}


@cache
def stands_on(part: str) -> set[str]:
    """The parts that a part may import: its arrows, followed to the end."""
    below = ARROWS[part]
    return below.union(*(stands_on(other) for other in below))


def imported(path: Path) -> set[str]:
    """The parts and root modules that a file names in imports, wherever they stand in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            if node.module == "cytoform":
                names |= {f"cytoform.{alias.name}" for alias in node.names}
            elif node.module:
                names.add(node.module)
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("cytoform.")}


def test_every_folder_has_its_arrows() -> None:
    """A new folder, or a new file at the root, needs a decision: where does it stand?"""
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(ARROWS)
    assert {path.stem for path in SOURCE.glob("*.py")} <= ROOT
    assert len([path for path in SOURCE.iterdir() if path.is_file()]) <= 6


@pytest.mark.parametrize("part", sorted(set(ARROWS) - FACES))
def test_imports_follow_the_arrows(part: str) -> None:
    allowed = {part, "errors", "__version__"} | stands_on(part)
    wrong = {
        f"{path.relative_to(SOURCE)} imports {other}"
        for path in (SOURCE / part).rglob("*.py")
        for other in imported(path) - allowed
    }
    assert not wrong


def test_no_folder_holds_more_than_its_share() -> None:
    """No folder has more than 16 % of the lines."""
    lines: dict[str, int] = {}
    for path in SOURCE.rglob("*.py"):
        part = path.relative_to(SOURCE).parts[0]
        lines[part] = lines.get(part, 0) + path.read_text().count("\n")
    largest = max(lines, key=lambda part: lines[part])
    assert lines[largest] <= 0.16 * sum(lines.values()), (largest, lines[largest])


def test_no_check_is_an_assert() -> None:
    """python -O leaves them out."""
    for path in SOURCE.rglob("*.py"):
        assert not [node.lineno for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)], path


def test_torch_comes_in_at_two_gates() -> None:
    """Shapes become tensors in runs/samples.py and shapes again in synthesis/render.py; other stages know nothing of torch."""
    for part in NUMPY_ONLY:
        for path in (SOURCE / part).rglob("*.py"):
            if not any(str(path.relative_to(SOURCE)).startswith(allowed) for allowed in MAY_IMPORT_TORCH):
                assert "import torch" not in path.read_text(), path
