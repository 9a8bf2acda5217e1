"""What stores are called that are shown together."""

from pathlib import Path

import pytest
from stores import ball, write_store

from cytoform.pictures.labels import distinct, label_of
from cytoform.shapes.store import ShapeStore


@pytest.fixture
def stores(tmp_path: Path) -> list[ShapeStore]:
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
    paths = folders[0] / "new.zarr", folders[0] / "newer.zarr", folders[1] / "new.zarr"
    return [ShapeStore.open(write_store(path, {"s": [ball(3.0)]})) for path in paths]


def test_labels_that_are_the_same_get_names_and_numbers(stores: list[ShapeStore]) -> None:
    assert distinct(["Original", "Generated"], stores[:2]) == ["Original", "Generated"]
    assert distinct(["Original", "Generated", "Generated"], stores) == [
        "Original",
        "Generated (newer)",
        "Generated (new)",
    ]
    assert distinct(["Generated"] * 3, stores) == ["Generated (new)", "Generated (newer)", "Generated (new) 3"]


def test_a_store_whose_name_is_no_text(tmp_path: Path) -> None:
    strange = ShapeStore.open(write_store(tmp_path / "a\udcff.zarr", {"s": [ball(3.0)]}, command="somebody's own"))
    assert label_of(strange) == r"a\udcff"


def test_a_store_of_unknown_origin_is_called_by_its_name(tmp_path: Path) -> None:
    strange = ShapeStore.open(write_store(tmp_path / "strange.zarr", {"s": [ball(3.0)]}, command="somebody's own"))
    assert label_of(strange) == "strange"


@pytest.mark.parametrize(("command", "label"), [("prepare", "Original"), ("cytoform generate", "Generated")])
def test_a_store_is_called_by_the_command_that_wrote_it(tmp_path: Path, command: str, label: str) -> None:
    store = ShapeStore.open(write_store(tmp_path / "any.zarr", {"s": [ball(3.0)]}, command=command))
    assert label_of(store) == label
