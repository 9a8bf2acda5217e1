"""`cytoform view`: a page of players for any store."""

import webbrowser
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, chromium, inked, opened
from pages import assert_self_contained, assert_well_formed
from player_decoding import decode_actor, labels_of, scenes_of
from refusals import assert_refused
from stores import GRID, ball, empty, write_store
from thorny import N_FRAMES, write_thorny

from cytoform import cli
from cytoform.shapes.grid import Grid

NAMES = ["a<b>", "cell two", "last"]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = {
        "a<b>": [ball(3.0), ball(3.4)],
        "cell two": [ball(2.0), empty(), ball(4.0)],
        "last": [ball(3.0)],
        "not rebuilt": [ball(3.0)],
    }
    return write_store(tmp_path_factory.mktemp("view") / "ref.zarr", frames)


@pytest.fixture(scope="module")
def rebuilt(reference: Path) -> Path:
    """On a larger cube: the first cell is too small by 0.2 µm, the last too large, and one has another number of frames."""
    grid = Grid(40, 10.0)
    frames = {
        "a<b>": [ball(2.8, grid=grid), ball(3.2, grid=grid)],
        "cell two": [ball(2.0, grid=grid)] * 2,
        "last": [ball(3.3, grid=grid)],
    }
    return write_store(reference.parent / "rec.zarr", frames, grid=grid, command="reconstruct", time_step_s=None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def view(*arguments: str | Path) -> int:
    return cli.run(["view", *map(str, arguments), "--workers", "1"])


@pytest.fixture(scope="module")
def page(reference: Path, rebuilt: Path) -> Path:
    out = reference.parent / "view.html"
    assert view(rebuilt, "--against", reference, "--out", out) == 0
    return out


def test_one_file_for_all_cells(page: Path) -> None:
    text = page.read_text()
    assert_self_contained(text)
    assert_well_formed(text)
    assert labels_of(text) == NAMES
    assert "a<b>" not in text.replace("\\u003c", "")
    assert "rec.zarr against ref.zarr" in text
    assert "meshes of up to" in text


def test_errors_are_those_of_the_store_against_the_other(page: Path) -> None:
    first, second, last = scenes_of(page.read_text())
    assert [actor["label"] for actor in first["actors"]] == ["Original", "Reconstructed"]
    assert [actor["errors"] for actor in first["actors"]] == [False, True]
    for frame in decode_actor(first, 1):
        assert frame is not None
        assert frame.errors_um == pytest.approx(-0.2, abs=0.04)
    [frame] = decode_actor(last, 1)
    assert frame is not None
    assert frame.errors_um == pytest.approx(0.3, abs=0.04)
    # Other numbers of frames: the cells stand side by side, but no frame has a counterpart.
    assert [actor["errors"] for actor in second["actors"]] == [False, False]
    assert [got is None for got in decode_actor(second, 0)] == [False, True, False]
    assert first["largestError"] == 0.5


def test_both_stand_in_the_middle_of_their_cubes(page: Path) -> None:
    for actor in (0, 1):
        frame = decode_actor(scenes_of(page.read_text())[0], actor)[0]
        assert frame is not None
        assert (frame.points_um.min(axis=0) + frame.points_um.max(axis=0)) / 2 == pytest.approx([10.0] * 3, abs=0.02)


def test_one_store(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(webbrowser, "open", lambda _: pytest.fail("nobody asked for it"))
    assert view(reference, "--sequences", "last", "cell two") == 0
    said = capsys.readouterr().out
    assert said.startswith("2 cells, 4 frames; meshes of up to")
    assert "wrote ref.html" in said
    scenes = scenes_of((tmp_path / "ref.html").read_text())
    assert [scene["name"] for scene in scenes] == ["cell two", "last"]
    assert [len(scene["actors"]) for scene in scenes] == [1, 1]
    assert scenes[0]["halfExtent"] == GRID.half_extent_um


def test_opens_the_browser_when_asked(reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    assert view(reference, "--sequences", "last", "--out", tmp_path / "a b.html", "--open") == 0
    assert shown == [(tmp_path / "a b.html").as_uri()]


def test_protrusions_have_colours_that_last(tmp_path: Path) -> None:
    write_thorny(tmp_path / "thorny.zarr", n_cells=1)
    assert view(tmp_path / "thorny.zarr", "--protrusions", "--out", tmp_path / "thorny.html") == 0
    [scene] = scenes_of((tmp_path / "thorny.html").read_text())
    paints = [frame.paint for frame in decode_actor(scene, 0) if frame is not None and frame.paint is not None]
    assert len(paints) == N_FRAMES
    assert all(0 in paint for paint in paints)  # the body
    seen = {colour: [t for t, paint in enumerate(paints) if colour in paint] for colour in set(np.concatenate(paints))}
    assert len(seen) == 8  # and seven thorns
    for frames in seen.values():
        assert frames == list(range(frames[0], frames[-1] + 1))


def test_cells_without_protrusions_and_a_comparison_have_none(
    reference: Path, rebuilt: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--protrusions", "--out", str(tmp_path / "page.html")]
    for arguments, words in (
        (["view", str(reference), *more], "leave --protrusions out"),
        (["view", str(rebuilt), "--against", str(reference), *more], "leave one of the two out"),
    ):
        assert_refused(arguments, words, capsys, folder=tmp_path)


def test_same_bytes_each_time(page: Path, reference: Path, rebuilt: Path, tmp_path: Path) -> None:
    assert view(rebuilt, "--against", reference, "--out", tmp_path / "again.html") == 0
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_keeps_to_its_size(reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    fine = [np.asarray(ball(4.0 + 0.1 * frame)) for frame in range(12)]
    store = write_store(tmp_path / "long.zarr", {"a": fine, "b": fine})
    assert view(store, "--out", tmp_path / "v.html", "--megabytes", "0.1") == 0
    assert (tmp_path / "v.html").stat().st_size <= 100_000
    assert "0.1 MB" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sequences", "zebra"], "no sequence 'zebra'"),
        (["--megabytes", "0"], "--megabytes 0: choose a number from 0.1 to 2000"),
        (["--against", "REBUILT"], "no sequence 'not rebuilt', which ref.zarr has"),
        (["--against", "nothing.zarr"], "no such shape store"),
        (["--out", "FOLDER/none/v.html"], "no such folder"),
        (["--out", "FOLDER/v.txt"], "ends in .html"),
    ],
)
def test_faults_are_one_line_and_leave_nothing(
    arguments: list[str],
    words: str,
    reference: Path,
    rebuilt: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    filled = [word.replace("REBUILT", str(rebuilt)).replace("FOLDER", str(tmp_path)) for word in arguments]
    assert_refused(["view", str(reference), *filled], words, capsys, folder=tmp_path)


def test_an_existing_page_is_kept(page: Path, reference: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = page.read_bytes()
    assert_refused(["view", str(reference), "--out", str(page)], "pass --overwrite", capsys, folder=page.parent)
    assert page.read_bytes() == before


def test_a_store_without_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = write_store(tmp_path / "none.zarr", {})
    assert_refused(
        ["view", str(store), "--out", str(tmp_path / "v.html")], "no sequence to show", capsys, folder=tmp_path
    )


class TestBrowser:
    def test_links_choose_the_cell(self, browser: Browser, page: Path) -> None:
        with opened(browser, page) as tab:
            shown = tab.page.locator("section:visible h2")
            assert shown.all_inner_texts() == ["a<b>"]
            tab.page.wait_for_function("() => document.querySelector('cell-player').loaded")
            assert 0.05 < inked(tab.picture("section:visible figure")) < 0.7
            tab.picture("body", "view-wide")
            tab.page.get_by_role("link", name="cell two").click()
            assert shown.all_inner_texts() == ["cell two"]
            assert tab.page.locator("[aria-current]").all_inner_texts() == ["cell two"]
            tab.page.wait_for_function("() => [...document.querySelectorAll('cell-player')][1].models[0].size")
            assert inked(tab.picture("section:visible figure")) > 0.01
            assert "frame 1 of 3" in tab.page.inner_text("main")
            tab.page.go_back()
            assert shown.all_inner_texts() == ["a<b>"]
            assert tab.faults == []

    def test_an_address_names_the_cell_and_a_phone_shows_it(self, browser: Browser, page: Path) -> None:
        with opened(browser, page, size="narrow", anchor="#last") as tab:
            assert tab.page.locator("section:visible h2").all_inner_texts() == ["last"]
            tab.page.wait_for_function("() => [...document.querySelectorAll('cell-player')].at(-1).models[0].size")
            assert not tab.overflows()
            # A single frame has nothing to play.
            assert tab.page.locator("section:visible .play").is_hidden()
            assert inked(tab.picture("section:visible figure", "view-narrow")) > 0.02
            assert tab.faults == []
