"""Outputs that grow beside their final place."""

from pathlib import Path

import pytest

from cytoform.base.unfinished import Unfinished, refuse_to_resume
from cytoform.errors import InputError


def at(out: Path, *, overwrite: bool = False) -> Unfinished:
    return Unfinished.at(out, inputs=[], overwrite=overwrite)


def grown(work: Unfinished, text: str = "new") -> Path:
    folder = work.folder / "grown"
    folder.mkdir()
    (folder / "file").write_text(text)
    (folder / "provenance.json").write_text("{}")
    return folder


def test_nothing_to_go_on_with_leaves_nothing(tmp_path: Path) -> None:
    work = at(tmp_path / "out")
    with work.locked():
        grown(work)
        assert work.plan() is None
    assert not list(tmp_path.iterdir())


def interrupt(work: Unfinished) -> None:
    def interrupted() -> None:
        with work.locked():
            work.note_plan({"cells": 3})
            grown(work)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()


def test_what_was_planned_outlives_an_interruption(tmp_path: Path) -> None:
    work = at(tmp_path / "out")
    interrupt(work)
    assert at(tmp_path / "out").plan() == {"cells": 3}
    with at(tmp_path / "out").staged():
        pass  # another command, which is not about this work
    assert at(tmp_path / "out").plan() == {"cells": 3}
    (work.folder / "plan.json").write_text("{")
    assert work.plan() is None
    with work.locked():
        assert not (work.folder / "grown").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_one_makes_it(tmp_path: Path) -> None:
    work = at(tmp_path / "out")
    with work.locked(), pytest.raises(InputError, match="out: another process is making it"), work.locked():
        pass


def place(out: Path, text: str, *, overwrite: bool = False) -> None:
    work = at(out, overwrite=overwrite)
    with work.locked():
        work.note_plan({})
        work.put_in_place(grown(work, text))


def test_takes_the_place_of_what_is_there_and_cleans_up(tmp_path: Path) -> None:
    place(tmp_path / "out", "old")
    place(tmp_path / "out", "new", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"file", "provenance.json"}
    assert (tmp_path / "out" / "file").read_text() == "new"


def test_what_may_not_be_placed_can_be_placed_later(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").touch()
    with pytest.raises(InputError, match="not written by cytoform"):
        place(out, "new", overwrite=True)
    assert at(out).plan() is not None
    out.rename(tmp_path / "mine")
    work = at(out)
    with work.locked():
        work.put_in_place(work.folder / "grown")
    assert (out / "file").read_text() == "new"


@pytest.mark.parametrize("exchanges", [True, False])
def test_killed_when_it_has_its_name_it_is_finished(
    exchanges: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanges:
        monkeypatch.setattr("cytoform.base.renames._renameat2", lambda *_: False)
    out = tmp_path / "out"
    place(out, "old")
    with monkeypatch.context() as patch:
        patch.setattr(Unfinished, "give_up", lambda self: None)
        patch.setattr(Unfinished, "_tidy", lambda self: None)
        place(out, "new", overwrite=True)
    work = at(out)
    assert (work.folder / "plan.json").exists()
    assert work.plan() is None
    with work.locked():
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (out / "file").read_text() == "new"


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


def test_what_zarr_had_begun_is_removed_and_files_of_like_names_stay(tmp_path: Path) -> None:
    work = at(tmp_path / "out")
    with work.locked():
        new = grown(work)
        (new / f"zarr.{'0a' * 16}.partial").write_text("{")
        (new / "notes.partial").write_text("mine")
        work.put_in_place(new)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["file", "notes.partial", "provenance.json"]
