"""What a data set records of its request, and when an interrupted one is gone on with."""

from dataclasses import replace
from pathlib import Path

import pytest

from cytoform.errors import InputError
from cytoform.scenes.request import refuse_to_resume
from scenes import request, write_pairs


def test_no_folder_of_the_machine_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = write_pairs(tmp_path / "pairs.zarr")
    (tmp_path / "t.toml").write_text("x")
    scene = request(pairs, texture=str(tmp_path / "t.toml"), motion=str(pairs))
    recorded = scene.recorded()
    assert str(tmp_path) not in str(recorded)
    assert (recorded["texture"], recorded["motion"]) == ("t.toml", "pairs.zarr")
    monkeypatch.chdir(tmp_path)
    assert replace(scene, texture="t.toml").recorded() == recorded


def test_paths_of_older_versions_are_known_and_other_files_refused(tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs.zarr")
    (tmp_path / "t.toml").write_text("x")
    recorded = request(pairs, texture=str(tmp_path / "t.toml")).recorded()
    refuse_to_resume(recorded, {**recorded, "texture": str(tmp_path / "t.toml")}, Path("out"))
    for change in ({"texture": "/x/u.toml"}, {"motion": "pairs.zarr"}, {"files_sha256": {}}):
        with pytest.raises(InputError, match="--resume with another"):
            refuse_to_resume(recorded, {**recorded, **change}, Path("out"))
