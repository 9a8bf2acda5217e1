"""Outputs name their sources without the folders of the machine that made them, and yet apart."""

from pathlib import Path

import pytest

from cytoform.base.provenance import is_recorded_as, recorded_names


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["data/a.tif"], ["data/a.tif"]),
        (["./data/../a.tif"], ["a.tif"]),
        (["../elsewhere/a.tif"], ["a.tif"]),
        (["/x/a.tif", "/y/b.tif"], ["a.tif", "b.tif"]),
        (["/x/1/a.tif", "/y/2/a.tif"], ["1/a.tif", "2/a.tif"]),
        (["/x/1/a.tif", "/y/1/a.tif"], ["x/1/a.tif", "y/1/a.tif"]),
        (["a.tif", "/y/a.tif"], ["here/a.tif", "y/a.tif"]),
        (["/x/a.tif", "/x/a.tif"], ["a.tif", "a.tif"]),
        ([".", "/"], ["here", "/"]),
    ],
)
def test_names_are_as_short_as_they_can_be_and_differ(
    paths: list[str], names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert recorded_names(paths) == names
    assert all(map(is_recorded_as, paths, names))
    for path, name in zip(paths, names, strict=True):
        assert sum(is_recorded_as(other, name) for other in set(paths)) == 1, path


def test_longer_names_of_older_versions_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (str(tmp_path / "a.tif"), "../a.tif", "./a.tif"):
        assert is_recorded_as("a.tif", name)
    assert not is_recorded_as("a.tif", "/elsewhere/a.tif")
    assert not is_recorded_as("a.tif", "b.tif")
