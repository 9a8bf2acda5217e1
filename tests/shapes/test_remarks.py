"""Remarks on cells that show nothing name every such cell of a store."""

from pathlib import Path

import numpy as np
from stores import GRID, ball, empty, write_store

from cytoform.shapes.remarks import remark
from cytoform.shapes.store import ShapeStore

FULL = np.full(GRID.shape, -1.0, np.float32)


def test_every_odd_cell_is_named_wherever_it_stands(tmp_path: Path) -> None:
    frames = {
        "none": [empty(), empty()],
        "gap": [ball(3), empty()],
        "full": [FULL, ball(3)],
        "whole": [ball(3), ball(4)],
    }
    store = ShapeStore.open(write_store(tmp_path / "odd.zarr", frames))
    said = remark(store, remedy="train again")
    assert said == (
        "notice: 1 of 4 cells are empty (none), 1 of 4 cells are empty in some frames (gap), "
        "1 of 4 cells fill the whole cube (full); train again"
    )
    assert remark(store, ["whole"], remedy="train again") == ""
    assert "1 of 2 cells are empty (none)" in remark(store, ["none", "whole"], remedy="train again")


def test_many_names_are_cut_short(tmp_path: Path) -> None:
    frames = {f"cell{n}": [empty()] for n in range(5)}
    store = ShapeStore.open(write_store(tmp_path / "odd.zarr", frames))
    assert "5 of 5 cells are empty (cell0, cell1, cell2, …)" in remark(store, remedy="train again")
