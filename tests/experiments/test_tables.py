"""Rows of docs/results.md: a rerun replaces its own and nothing else."""

from pathlib import Path

import pytest

from cytoform.errors import InputError
from tables import interval, mean_std, p_values, share_std, update_table

DOCS = """# Results

<!-- one: written by experiments/one.py -->
<!-- end of one -->

Words between.

<!-- other: written by experiments/other.py -->

| data set | size | x |
| --- | --- | --- |
| a | cpu | 7 |

<!-- end of other -->
The end, without a newline"""
COLUMNS = ("data set", "size", "x")


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    path = tmp_path / "results.md"
    path.write_text(DOCS)
    return path


def table(docs: Path, name: str = "one") -> list[str]:
    """Rows between the markers."""
    inside = docs.read_text().split(f"<!-- {name}: ")[1].split(f"<!-- end of {name} -->")[0]
    return [line for line in inside.splitlines() if line.startswith("|")][2:]


def test_a_rerun_replaces_its_own_rows_where_they_are(docs: Path) -> None:
    update_table(docs, "one", COLUMNS, [("a", "cpu", "1"), ("a", "cpu", "2")])
    update_table(docs, "one", COLUMNS, [("b", "cpu", "3")])
    update_table(docs, "one", COLUMNS, [("a", "paper", "4")])
    update_table(docs, "one", COLUMNS, [("a", "cpu", "5")])
    assert table(docs) == ["| a | cpu | 5 |", "| b | cpu | 3 |", "| a | paper | 4 |"]


def test_all_else_in_the_file_stays_to_the_byte(docs: Path) -> None:
    update_table(docs, "one", COLUMNS, [("a", "cpu", "1")])
    update_table(docs, "one", COLUMNS, [("a", "cpu", "")])
    written = docs.read_text()
    assert written.startswith(DOCS.split("<!-- end of one")[0])
    assert written.endswith(DOCS.split("<!-- end of one")[1])
    assert table(docs) == ["| a | cpu |  |"]


def test_writing_the_same_again_changes_nothing(docs: Path) -> None:
    rows = [("a", "published", ""), ("a", "cpu", "1")]
    update_table(docs, "one", COLUMNS, rows)
    once = docs.read_text()
    update_table(docs, "one", COLUMNS, rows)
    assert docs.read_text() == once


def test_without_its_markers_a_file_is_refused_and_left_alone(docs: Path) -> None:
    with pytest.raises(InputError, match="--no-docs"):
        update_table(docs, "missing", COLUMNS, [("a", "cpu", "1")])
    assert docs.read_text() == DOCS


def test_figures_are_written_as_in_the_paper() -> None:
    assert mean_std({"mean": 34.71, "std": 12.52}) == "34.7 ± 12.5"
    assert mean_std({"mean": 2743.2, "std": 1540.4}) == "2743 ± 1540"
    assert mean_std({"mean": 1.541, "std": 0.09}) == "1.54 ± 0.09"
    assert mean_std({"mean": None, "std": None}) == "–"
    assert share_std({"mean": 0.8213, "std": 0.0288}) == "0.821 ± 0.029"
    assert interval({"value": 0.5, "low": 0.41, "high": 0.625}) == "0.50 (0.41–0.62)"
    assert p_values([0.5, 0.0001, None]) == "0.500 / <0.001 / –"
