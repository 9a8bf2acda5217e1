"""Filled frames in the report: their expected errors, as the store has them, beside those that are found."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from moving import moving_ball
from refusals import assert_refused
from stores import write_store

from cytoform import cli
from cytoform.completion.options import FillOptions
from cytoform.completion.stage import fill
from cytoform.shapes.store import ShapeStore

pytestmark = pytest.mark.usefixtures("blank_figures")


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A ball that moves, and the same with every second frame filled."""
    home = tmp_path_factory.mktemp("filled")
    shapes = write_store(home / "shapes.zarr", {"a<b": [moving_ball(time) for time in range(9)]})
    fill(shapes, home / "filled.zarr", options=FillOptions(every_frame=2))
    return shapes, home / "filled.zarr"


def evaluate(stores: tuple[Path, Path], out: Path) -> list[str]:
    return ["evaluate", *map(str, stores), "--paired", "--out", str(out), "--workers", "1", "--quiet"]


def test_expected_errors_stand_beside_those_that_are_found(stores: tuple[Path, Path], tmp_path: Path) -> None:
    assert cli.run(evaluate(stores, tmp_path / "report")) == 0
    page = (tmp_path / "report" / "report.html").read_text()
    section = page[page.index('id="filled"') :]
    cells = [
        re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<td>(.*?)</td>", section[: section.index("</table>")])
    ]
    recorded = ShapeStore.open(stores[1]).attributes["fill"]
    errors = np.array(recorded["sequences"]["a<b"]["expected_error_um"], float)
    assert "a&lt;b" in section[: section.index("</table>")]
    assert cells[-4:-1] == ["4", f"{np.median(errors[1::2]):.3f}", f"{errors.max():.3f} in frame {errors.argmax() + 1}"]
    results = json.loads((tmp_path / "report" / "results.json").read_text())
    found = np.array(results["surface_distance"]["assd_um"]["per_sequence"]["a<b"]["per_frame"])
    assert cells[-1] == f"{np.median(found[1::2]):.3f}"
    assert found[::2].max() < 1e-9  # known frames
    assert any((tmp_path / "report" / "figures").glob("*_expected_error.svg"))


def test_a_store_that_nothing_was_filled_in_has_no_such_part(stores: tuple[Path, Path], tmp_path: Path) -> None:
    assert cli.run(evaluate((stores[0], stores[0]), tmp_path / "report")) == 0
    assert 'id="filled"' not in (tmp_path / "report" / "report.html").read_text()


def test_records_that_cannot_be_are_refused(
    stores: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = stores[1] / "zarr.json"
    whole = path.read_text()
    try:
        for wrong in (-1.0, "0.1"):
            changed = json.loads(whole)
            changed["attributes"]["cytoform"]["fill"]["sequences"]["a<b"]["expected_error_um"][1] = wrong
            path.write_text(json.dumps(changed))
            assert_refused(
                evaluate(stores, tmp_path / "report"),
                "make the store anew with 'cytoform fill'",
                capsys,
                folder=tmp_path,
            )
    finally:
        path.write_text(whole)
