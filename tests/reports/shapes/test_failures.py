"""The worst frames of cells."""

import pytest
from stores import ball, empty, write_store

from cytoform.assess.measures.kinds import MEASURES
from cytoform.assess.results import evaluate
from cytoform.pictures.figures import Side
from cytoform.reports.shapes.cells import Cell, Comparison, cells_of
from cytoform.reports.shapes.failures import Failure, Norm, failures_of, worst_of_each

SIDES = [Side("Original", (0, 0, 1)), Side("Reconstructed", (1, 0, 0)), Side("Generated", (0, 1, 0))]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Cell], dict[str, tuple[Failure, ...]]]:
    """A good and a bad reconstruction, and three generated cells: usual, large, in two pieces; one has a known name."""
    home = tmp_path_factory.mktemp("failures")
    reference = write_store(home / "ref.zarr", {"a": [ball(3.0 + 0.1 * i) for i in range(6)], "b": [ball(4.0)] * 6})
    rebuilt = write_store(
        home / "rec.zarr",
        {
            "a": [ball(3.0 + 0.1 * i) for i in range(6)],
            "b": [ball(3.9), ball(3.9), ball(3.0), ball(3.2), ball(3.9), empty()],
        },
    )
    two = ball(2.0, shift_zyx_um=(0, 0, -4.0)).clip(max=ball(2.0, shift_zyx_um=(0, 0, 4.0)))
    new = write_store(home / "new.zarr", {"a": [ball(3.4)], "large": [ball(3.4), ball(6.0)], "two": [two]})
    comparisons = [
        Comparison("Reconstructed", rebuilt, evaluate(reference, rebuilt, paired=True)),
        Comparison("Generated", new, evaluate(reference, new, paired=False)),
    ]
    cells = {cell.key: cell for cell in cells_of(reference, comparisons, SIDES)}
    norm = Norm.of((cell.strands[0] for cell in cells.values() if cell.original is not None), MEASURES[3])
    return cells, {key: failures_of(cell, norm) for key, cell in cells.items()}


def test_cells_have_distinct_keys_and_know_their_sides(found: tuple[dict[str, Cell], object]) -> None:
    cells = found[0]
    assert list(cells) == ["a", "b", "Generated a", "large", "two"]
    assert cells["Generated a"].name == "a"
    assert cells["Generated a"].element_id == "cell=Generated%20a"
    assert [len(cell.strands) for cell in cells.values()] == [2, 2, 1, 1, 1]
    assert cells["two"].original is None
    assert [strand.side.label for strand in cells["b"].rebuilt] == ["Reconstructed"]


def test_worst_first_and_no_neighbours(found: tuple[object, dict[str, tuple[Failure, ...]]]) -> None:
    frames = [each.frame for each in found[1]["b"]]
    assert frames[:2] == [5, 2]
    assert found[1]["b"][0].why == "Jaccard index 0.000, reconstructed is empty, original is not"
    assert found[1]["b"][1].why.startswith("Jaccard index 0.4")
    assert len(frames) == 3


def test_generated_cells_by_pieces_then_by_how_unusual_they_are(
    found: tuple[dict[str, Cell], dict[str, tuple[Failure, ...]]],
) -> None:
    cells, failures = found
    worst = worst_of_each(failures, cells.values(), "Generated", 2)
    assert [cell.key for cell, _ in worst] == ["two", "large"]
    assert failures["two"][0].why.startswith("2 pieces; ")
    large = failures["large"][0]
    assert large.frame == 1
    assert "standard deviations above the originals’ mean" in large.why
    assert [cell.key for cell, _ in worst_of_each(failures, cells.values(), "Reconstructed", 1)] == ["b"]
