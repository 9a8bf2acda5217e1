"""Settings from the data: taken apart or not, few or many sequences."""

from pathlib import Path

import pytest

from cytoform.protrusions.verdict import Verdict
from cytoform.runs.auto import automatic, chosen_for
from cytoform.runs.config import load_config
from cytoform.shapes.store import ShapeStore

APPLIES = Verdict((), 0.5, 0.3, 0.05, 20, 0.1, 0.2)
NOT = Verdict(("the body is no steadier than the cell",))


@pytest.mark.parametrize(
    ("verdict", "n", "preset", "aligned", "kind"),
    [
        (APPLIES, 5, "parts", True, "parts"),
        (NOT, 3, "quick", False, "global"),
        (NOT, 6, "quick", True, "global"),
        (NOT, 27, "unseen", True, "global"),
    ],
)
def test_the_data_choose(verdict: Verdict, n: int, preset: str, aligned: bool, kind: str) -> None:
    found = chosen_for(verdict, n)
    assert found.preset == preset
    config = load_config(preset=found.preset, settings=list(found.settings))
    assert (config.data.align == "principal") == aligned
    assert config.model.kind == kind
    assert verdict.sentence in found.reason


def test_balls_are_no_bodies_with_protrusions(balls: Path) -> None:
    assert automatic(ShapeStore.open(balls)).preset == "quick"
