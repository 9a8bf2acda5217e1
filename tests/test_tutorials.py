"""The tutorials run, and their pages have the outputs and the pictures."""

from pathlib import Path

import pytest
from notebooks import NOT_RUN, write_run_page, write_unrun_page

pytest.importorskip("jupytext")
from nbclient.exceptions import CellExecutionError

TUTORIALS = sorted((Path(__file__).parents[1] / "docs" / "tutorials").glob("*.md"))


def notebook(folder: Path, *cells: str) -> Path:
    path = folder / "notebook.md"
    path.write_text("\n\n".join(["# Title", "Words.", *cells]), "utf-8")
    return path


@pytest.mark.long
@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_the_tutorial_runs(path: Path, tmp_path: Path) -> None:
    write_run_page(path, tmp_path / "page.md")
    assert list((tmp_path / "page").iterdir())


@pytest.mark.slow
def test_outputs_and_pictures_are_on_the_page(tmp_path: Path) -> None:
    plot = "```python\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);\n```"
    path = notebook(tmp_path, "```bash\necho said\n```", plot, "```python\n6 * 7\n```")
    write_run_page(path, tmp_path / "out" / "page.md")
    page = (tmp_path / "out" / "page.md").read_text("utf-8")
    assert "```bash\necho said\n```\n\n```text\nsaid\n```" in page
    assert "```python\n6 * 7\n```\n\n```text\n42\n```" in page
    assert "(page/1.png)" in page
    assert (tmp_path / "out" / "page" / "1.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["```bash\nfalse\necho later\n```", "```python\n1 / 0\n```"])
def test_a_cell_that_fails_stops_the_build(cell: str, tmp_path: Path) -> None:
    with pytest.raises(CellExecutionError):
        write_run_page(notebook(tmp_path, cell), tmp_path / "page.md")
    assert not (tmp_path / "page.md").exists()


def test_a_page_that_was_not_run_says_so(tmp_path: Path) -> None:
    write_unrun_page(notebook(tmp_path), tmp_path / "out" / "page.md")
    assert (tmp_path / "out" / "page.md").read_text("utf-8") == f"# Title\n\n{NOT_RUN}\n\nWords."
