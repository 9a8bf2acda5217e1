"""What a data set records of its request, and when an interrupted one is gone on with."""

from dataclasses import replace
from pathlib import Path

import pytest

from cytoform.base.unfinished import refuse_to_resume
from cytoform.errors import InputError
from cytoform.scenes.request import OPTIONS
from cytoform.scenes.scale import settle_scale
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


def test_other_files_and_options_are_refused(tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs.zarr")
    (tmp_path / "t.toml").write_text("x")
    recorded = request(pairs, texture=str(tmp_path / "t.toml")).recorded()
    refuse_to_resume(Path("out"), wanted=recorded, recorded=recorded, options=OPTIONS)
    for change in ({"texture": "u.toml"}, {"motion": "pairs.zarr"}, {"files_sha256": {}}):
        with pytest.raises(InputError, match="--resume with another"):
            refuse_to_resume(Path("out"), wanted=recorded, recorded={**recorded, **change}, options=OPTIONS)


def test_a_cell_cycle_shorter_than_two_frames_is_refused(tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs.zarr")
    assert settle_scale(request(pairs, cycle_min=2.0).settled()).time_step_s == 60
    with pytest.raises(InputError, match=r"--cycle 1\.9: shorter than 2 frames of 60 s; choose at least 2, or"):
        settle_scale(request(pairs, cycle_min=1.9).settled())
