"""The arrows of the layout: which part may import which."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "cytoform"
PARTS = {"movies", "shapes", "model", "synthesis", "assess", "imaging", "scenes", "datasets", "commands"}
MAY_IMPORT = {
    "datasets": set(),
    "shapes": set(),
    "movies": {"shapes"},
    "model": {"shapes"},
    "synthesis": {"model", "shapes"},
    "assess": {"shapes"},
    # Images and their masks come in as movies do.
    "imaging": {"shapes", "movies"},
    "scenes": {"shapes", "movies", "synthesis", "imaging"},
}


def imported_parts(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("cytoform.")} & PARTS


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_follow_the_arrows(part: str) -> None:
    wrong = {
        f"{path.relative_to(SOURCE)} imports {other}"
        for path in (SOURCE / part).rglob("*.py")
        for other in imported_parts(path) - {part} - MAY_IMPORT[part]
    }
    assert not wrong


def test_only_two_gates_between_numpy_and_torch() -> None:
    """Stages before the model know nothing of torch."""
    for part in ("datasets", "movies", "assess"):
        for path in (SOURCE / part).rglob("*.py"):
            assert "import torch" not in path.read_text(), path
    users = {path.name for path in (SOURCE / "shapes").rglob("*.py") if "import torch" in path.read_text()}
    assert users == {"samples.py"}
