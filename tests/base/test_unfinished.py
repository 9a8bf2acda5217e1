"""Outputs that grow beside their final place."""

from pathlib import Path

import pytest

from cytoform.base.unfinished import Unfinished, refuse_to_resume
from cytoform.errors import InputError


def grown(work: Unfinished) -> Path:
    folder = work.folder / "grown"
    folder.mkdir()
    (folder / "file").write_text("new")
    return folder


def test_nothing_to_go_on_with_leaves_nothing(tmp_path: Path) -> None:
    work = Unfinished.beside(tmp_path / "out")
    with work.locked():
        grown(work)
        assert work.plan() is None
    assert not list(tmp_path.iterdir())


def test_what_was_planned_outlives_an_interruption(tmp_path: Path) -> None:
    work = Unfinished.beside(tmp_path / "out")

    def interrupted() -> None:
        with work.locked():
            work.note_plan({"cells": 3})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert Unfinished.beside(tmp_path / "out").plan() == {"cells": 3}
    (work.folder / "plan.json").write_text("{")
    assert work.plan() is None


def test_only_one_makes_it(tmp_path: Path) -> None:
    work = Unfinished.beside(tmp_path / "out")
    with work.locked(), pytest.raises(InputError, match="out: another process is making it"), work.locked():
        pass


def test_takes_the_place_of_what_is_there_and_cleans_up(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    work = Unfinished.beside(tmp_path / "out")
    with work.locked():
        work.note_plan({})
        work.put_in_place(grown(work))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["file"]


RECORDED = {
    "frames": 3,
    "size_zyx": [4, 5, 6],
    "sources": ["a", "b", "c", "d"],
    "sha256": "f" * 64,
    "projection": False,
}
OPTIONS = {"size_zyx": "--size", "sources": "list of sources", "sha256": "data set"}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            {"frames": 2},
            "out: --resume with another --frames (3 before, 2 now); give the same sources and options again",
        ),
        ({"size_zyx": [4, 5, 7]}, "another --size ([4, 5, 6] before, [4, 5, 7] now);"),
        ({"sources": ["a"]}, "another list of sources (4 of them before, ['a'] now);"),
        ({"sources": ["a", "b", "d", "c"]}, "another list of sources;"),
        ({"sha256": "e" * 64}, "another data set;"),
        ({"new_option": 1}, "another --new-option (None before, 1 now);"),
    ],
)
def test_the_first_option_that_differs_is_named(other: dict[str, object], words: str) -> None:
    with pytest.raises(InputError) as fault:
        refuse_to_resume(Path("out"), wanted=RECORDED | other, recorded=RECORDED, options=OPTIONS)
    assert words in str(fault.value)


def test_the_same_request_is_resumed() -> None:
    refuse_to_resume(Path("out"), wanted={"frames": 3}, recorded=RECORDED, options=OPTIONS)
