"""The player: what is in it, and what a browser makes of it."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import SIZES, Browser, Tab, changed, chromium, inked, opened
from pages import assert_self_contained, assert_well_formed
from player_decoding import decode_actor, labels_of, scenes_of
from scipy.spatial.transform import Rotation
from stores import GRID, lopsided

from cytoform.errors import InputError
from cytoform.pictures.painting import PALETTE
from cytoform.pictures.player.element import PlayerActor, PlayerScene, player, player_element, player_head, round_up
from cytoform.shapes.mesh import Mesh, mesh_from_distance

BLUE, ORANGE = (0.30, 0.52, 0.78), (0.90, 0.54, 0.20)
N_FRAMES, EMPTY = 6, 4


def cell(frame: int) -> Mesh:
    turn = Rotation.from_euler("z", 25 * frame, degrees=True)
    return mesh_from_distance(lopsided(turn, growth=1 + 0.1 * frame), GRID.spacing_um)


def errors_of(mesh: Mesh) -> np.ndarray:
    """From -0.4 µm on the left to 0.4 µm on the right."""
    return (mesh.vertices_xyz_um[:, 0].astype(float) - GRID.half_extent_um) / 10


@pytest.fixture(scope="module")
def scene() -> PlayerScene:
    meshes = tuple(None if frame == EMPTY else cell(frame) for frame in range(N_FRAMES))
    errors = tuple(None if mesh is None else errors_of(mesh) for mesh in meshes)
    actors = (PlayerActor("Original", BLUE, meshes), PlayerActor("Rebuilt & <new>", ORANGE, meshes, errors))
    return PlayerScene("cell </script> “one”", actors, GRID.half_extent_um, time_step_s=30.0)


@pytest.fixture(scope="module")
def path(scene: PlayerScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of two players, the second far below the first."""
    elements = [player_element(scene, id=id, budget_bytes=200_000) for id in ("first", "second")]
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Players</title>'
        '<meta name="viewport" content="width=device-width">' + player_head() + "</head><body>"
        f'{elements[0]}<div style="height: 4000px"></div>{elements[1]}</body></html>'
    )
    written = tmp_path_factory.mktemp("player") / "page.html"
    written.write_text(page, "utf-8")
    return written


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def tab(browser: Browser, path: Path) -> Iterator[Tab]:
    with opened(browser, path) as tab:
        tab.page.wait_for_function("() => document.querySelector('cell-player').loaded")
        yield tab
        assert tab.faults == []


def cell_of(tab: Tab, number: int) -> np.ndarray:
    return tab.picture(f"#first figure >> nth={number}")


class TestPage:
    def test_is_self_contained_and_well_formed(self, path: Path) -> None:
        page = path.read_text()
        assert_self_contained(page)
        assert_well_formed(page)
        assert labels_of(page) == ["cell </script> “one”"] * 2
        # Pages are filled in by string.Template.
        assert "$" not in player_head()

    def test_holds_the_cells_within_what_it_says(self, scene: PlayerScene) -> None:
        made = player(scene, id="a")
        [data] = scenes_of(made.html)
        assert (data["frames"], data["stride"], data["timeStep"]) == (N_FRAMES, 1, 30.0)
        assert [(actor["label"], actor["errors"]) for actor in data["actors"]] == [
            ("Original", False),
            ("Rebuilt & <new>", True),
        ]
        assert data["largestError"] == 0.5
        frames = decode_actor(data, 1)
        assert [frame is None for frame in frames] == [frame == EMPTY for frame in range(N_FRAMES)]
        for mesh, got in zip(scene.actors[1].meshes, frames, strict=True):
            if mesh is not None and got is not None:
                decoded = Mesh(got.points_um.astype(np.float32), got.faces)
                assert decoded.volume_um3 == pytest.approx(mesh.volume_um3, rel=0.005)
                assert got.errors_um == pytest.approx((got.points_um[:, 0] - 8) / 10, abs=0.01 + GRID.spacing_um / 10)
                assert np.linalg.norm(got.points_um - GRID.half_extent_um, axis=1).max() < data["radius"]
        assert made.step_um < 0.01

    def test_same_bytes_each_time(self, scene: PlayerScene) -> None:
        assert player_element(scene, id="a") == player_element(scene, id="a")

    @pytest.mark.parametrize("budget_bytes", [18_000, 14_500, 7_000])
    def test_keeps_to_its_budget(self, scene: PlayerScene, budget_bytes: int) -> None:
        made = player(scene, id="a", budget_bytes=budget_bytes)
        assert 0.4 * budget_bytes < len(made.html.encode()) <= budget_bytes
        # Frames are left out only where faces alone do not do.
        assert (made.stride > 1) == (budget_bytes < 10_000)
        assert 450 <= made.most_faces < 1100

    def test_impossible_budget_gives_one_coarse_frame(self, scene: PlayerScene) -> None:
        made = player(scene, id="a", budget_bytes=100)
        assert scenes_of(made.html)[0]["frames"] == 1

    def test_refuses_nothing(self) -> None:
        with pytest.raises(InputError, match="at least one actor"):
            player_element(PlayerScene("a", (), 8.0), id="a")
        with pytest.raises(InputError, match="each actor a frame"):
            player_element(PlayerScene("a", (PlayerActor("b", BLUE, ()),), 8.0), id="a")

    def test_only_empty_frames(self) -> None:
        [data] = scenes_of(player_element(PlayerScene("a", (PlayerActor("b", BLUE, (None, None)),), 8.0), id="a"))
        assert decode_actor(data, 0) == [None, None]
        assert data["radius"] > 0


@pytest.mark.parametrize(("value", "rounded"), [(0.146, 0.2), (0.2, 0.2), (0.51, 1.0), (7, 10), (3e-4, 5e-4)])
def test_round_up(value: float, rounded: float) -> None:
    assert math.isclose(round_up(value), rounded, rel_tol=1e-12)


@pytest.fixture(scope="module")
def painted_path(scene: PlayerScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cell whose left half is body and whose right half is the first protrusion, beside one with errors."""
    first, second = scene.actors
    paint = tuple(None if mesh is None else (errors_of(mesh) > 0).astype(int) for mesh in first.meshes)
    painted = replace(scene, actors=(replace(first, paint=paint), second))
    written = tmp_path_factory.mktemp("player") / "painted.html"
    written.write_text(
        f"<!doctype html><title>x</title>{player_head()}{player_element(painted, id='first', budget_bytes=200_000)}",
        "utf-8",
    )
    return written


class TestPaint:
    def test_is_kept_by_decimated_meshes(self, painted_path: Path) -> None:
        [data] = scenes_of(painted_path.read_text())
        assert [actor["paint"] for actor in data["actors"]] == [True, False]
        assert data["palette"] == [list(colour) for colour in PALETTE]
        for got in decode_actor(data, 0):
            if got is not None:
                clear = np.abs(got.points_um[:, 0] - GRID.half_extent_um) > 0.5
                assert np.array_equal(got.paint[clear] > 0, (got.points_um[:, 0] > GRID.half_extent_um)[clear])

    def test_a_button_shows_and_hides_it(self, browser: Browser, painted_path: Path) -> None:
        with opened(browser, painted_path) as tab:
            tab.page.wait_for_function("() => document.querySelector('cell-player').loaded")
            tab.page.evaluate(
                "() => { const p = document.querySelector('#first'); p.camera.azimuth = -90; p.redraw(); }"
            )
            plain = cell_of(tab, 0)[50:]
            tab.page.get_by_role("button", name="Colour by protrusion").click()
            coloured = cell_of(tab, 0)[50:]
            half = coloured.shape[1] // 2
            # The body is grey, the first colour of a protrusion is orange.
            assert inked(plain[:, : half - 40]) > 0.03
            assert inked(coloured[:, : half - 40]) < 0.01
            assert (coloured[..., 0] - coloured[..., 2])[:, half:].max() > 100
            pressed = [each.get_attribute("aria-pressed") for each in tab.page.locator("[aria-pressed]").all()]
            assert pressed == ["false", "true"]
            tab.page.locator("#first .stage").focus()
            tab.page.keyboard.press("p")
            assert changed(plain, cell_of(tab, 0)[50:]) < 0.01
            assert tab.faults == []


class TestBrowser:
    def test_draws_both_cells(self, tab: Tab) -> None:
        tab.picture("#first", "player-wide")
        for number in (0, 1):
            assert 0.05 < inked(cell_of(tab, number)) < 0.6
        assert "0 s · frame 1 of 6" in tab.page.inner_text("#first")

    def test_errors_are_coloured_blue_inside_and_orange_outside(self, tab: Tab) -> None:
        # From the front, x grows to the right.
        tab.page.evaluate("() => { const p = document.querySelector('#first'); p.camera.azimuth = -90; p.redraw(); }")
        coloured = cell_of(tab, 1)[50:]  # without the label
        red_over_blue = coloured[..., 0] - coloured[..., 2]
        half = coloured.shape[1] // 2
        assert red_over_blue[:, :half].min() < -60
        assert red_over_blue[:, half:].max() > 60
        assert red_over_blue[:, : half - 40].max() < 40
        tab.page.get_by_role("button", name="Colour by error").first.click()
        plain = cell_of(tab, 1)[50:]
        assert changed(coloured, plain) > 0.05
        assert tab.page.locator("#first [aria-pressed]").get_attribute("aria-pressed") == "false"
        assert "+0.5 µm outside" in tab.page.inner_text("#first")

    def test_scrubbing_changes_the_picture_and_the_clock(self, tab: Tab) -> None:
        before = cell_of(tab, 0)
        tab.page.locator("#first input").fill("3")
        assert changed(before, cell_of(tab, 0)) > 0.03
        assert "1 min 30 s · frame 4 of 6" in tab.page.inner_text("#first")
        assert "1 min 30 s" in (tab.page.locator("#first input").get_attribute("aria-valuetext") or "")

    def test_playing_moves_on_until_paused(self, tab: Tab) -> None:
        tab.page.locator("#first select").select_option("4")
        tab.page.get_by_role("button", name="Play").first.click()
        tab.page.wait_for_function("() => +document.querySelector('#first input').value >= 2")
        tab.page.get_by_role("button", name="Pause").first.click()
        stopped = tab.page.locator("#first input").input_value()
        before = cell_of(tab, 0)
        tab.page.wait_for_timeout(300)
        assert tab.page.locator("#first input").input_value() == stopped
        assert changed(before, cell_of(tab, 0)) == 0

    def test_empty_frames_are_marked(self, tab: Tab) -> None:
        assert not tab.page.locator("#first .empty").first.is_visible()
        tab.page.locator("#first input").fill(str(EMPTY))
        tab.settle()
        assert tab.page.locator("#first .empty").first.is_visible()
        assert inked(cell_of(tab, 0)) < 0.01
        assert "empty frame" in (tab.page.locator("#first canvas").first.get_attribute("aria-label") or "")

    def test_everything_by_keyboard(self, tab: Tab) -> None:
        page = tab.page
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.className") == "stage"
        seen = cell_of(tab, 0)
        for key, least in (("ArrowLeft", 0.01), ("ArrowUp", 0.01), ("+", 0.02), (".", 0.01)):
            page.keyboard.press(key)
            now = cell_of(tab, 0)
            assert changed(seen, now) > least, key
            seen = now
        assert "frame 2 of 6" in page.inner_text("#first")
        page.keyboard.press("e")
        assert page.locator("#first [aria-pressed]").get_attribute("aria-pressed") == "false"
        page.keyboard.press(" ")
        assert page.get_by_role("button", name="Pause").count() == 1
        page.keyboard.press(" ")
        assert page.get_by_role("button", name="Pause").count() == 0
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.getAttribute('aria-label')") == "Play"

    def test_dragging_turns_both_and_reset_turns_back(self, tab: Tab) -> None:
        before = [cell_of(tab, number) for number in (0, 1)]
        box = tab.page.locator("#first canvas").first.bounding_box()
        assert box is not None
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        tab.page.mouse.move(*middle)
        tab.page.mouse.down()
        tab.page.mouse.move(middle[0] + 120, middle[1] + 30)
        tab.page.mouse.up()
        for number in (0, 1):
            assert changed(before[number], cell_of(tab, number)) > 0.02
        tab.page.mouse.move(0, 0)
        tab.page.get_by_role("button", name="Reset view").first.click()
        assert changed(before[0], cell_of(tab, 0)) == 0

    def test_the_wheel_zooms_only_what_was_clicked(self, tab: Tab) -> None:
        width = "() => parseFloat(document.querySelector('#first .scale').style.width)"
        tab.settle()
        before = tab.page.evaluate(width)
        tab.page.locator("#first canvas").first.hover()
        tab.page.mouse.wheel(0, 30)
        tab.page.wait_for_function("() => scrollY > 0")
        tab.page.mouse.wheel(0, -60)
        tab.page.wait_for_function("() => scrollY === 0")
        assert tab.page.evaluate(width) == before
        tab.page.locator("#first canvas").first.click()
        tab.page.mouse.wheel(0, -100)
        tab.page.wait_for_function("() => document.querySelector('#first').camera.zoom > 1.1")
        assert tab.page.evaluate("() => scrollY") == 0

    def test_a_scale_bar_is_as_long_as_it_says(self, tab: Tab) -> None:
        tab.settle()
        text, pixels, canvas, radius = tab.page.evaluate(
            "() => { const p = document.querySelector('#first'), s = p.querySelector('.scale');"
            "return [s.textContent, s.getBoundingClientRect().width, p.querySelector('canvas').clientWidth, p.scene.radius]; }"
        )
        assert float(text.split()[0]) == pytest.approx(pixels / canvas * 2 * radius, rel=0.01)

    def test_what_is_out_of_sight_holds_nothing_on_the_graphics_card(self, tab: Tab) -> None:
        held = "id => document.getElementById(id).models.reduce((sum, frames) => sum + frames.size, 0)"
        tab.settle()
        assert tab.page.evaluate(held, "first") == 2
        assert tab.page.evaluate(held, "second") == 0
        tab.page.locator("#second").scroll_into_view_if_needed()
        tab.page.wait_for_function("() => document.getElementById('second').models[0].size")
        assert tab.page.evaluate(held, "first") == 0
        assert inked(tab.picture("#second figure")) > 0.05

    def test_a_graphics_card_that_was_lost_is_used_again(self, browser: Browser, path: Path) -> None:
        keep = """const get = HTMLCanvasElement.prototype.getContext;
            HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
              const context = get.call(this, kind, ...more);
              if (kind === "webgl2") window.gl = context;
              return context;
            };"""
        with opened(browser, path, before=keep) as tab:
            tab.page.wait_for_function("() => document.querySelector('cell-player').models[0].size")
            before = cell_of(tab, 0)
            tab.page.evaluate(
                """() => new Promise(done => {
                  const loser = gl.getExtension("WEBGL_lose_context");
                  gl.canvas.addEventListener("webglcontextlost", () => setTimeout(() => loser.restoreContext()));
                  gl.canvas.addEventListener("webglcontextrestored", () => setTimeout(done));
                  loser.loseContext();
                })"""
            )
            tab.page.locator("#first input").fill("3")
            after = cell_of(tab, 0)
            assert inked(after) > 0.05
            assert changed(before, after) > 0.03

    def test_of_several_reports_on_what_is_in_sight_the_last_counts(self, browser: Browser, path: Path) -> None:
        delayed = """const Real = IntersectionObserver;
            window.IntersectionObserver = class extends Real {
              constructor(call, options) { super(changes => call([{ isIntersecting: false }, ...changes]), options); }
            };"""
        with opened(browser, path, before=delayed) as tab:
            tab.page.wait_for_function("() => document.querySelector('cell-player').models[0].size")
            assert inked(cell_of(tab, 0)) > 0.05

    def test_paper_shows_players_that_were_never_on_the_screen(self, tab: Tab) -> None:
        inks = "() => document.querySelector('#second canvas').toDataURL().length > 5000"
        tab.page.wait_for_function("() => document.getElementById('second').loaded")
        assert not tab.page.evaluate(inks)
        assert tab.page.pdf(print_background=True).startswith(b"%PDF")
        assert tab.page.evaluate(inks)

    def test_a_phone(self, browser: Browser, path: Path) -> None:
        with opened(browser, path, size="narrow") as tab:
            tab.page.wait_for_function("() => document.querySelector('cell-player').loaded")
            assert not tab.overflows()
            figures = tab.page.locator("#first figure")
            boxes = [figures.nth(number).bounding_box() for number in (0, 1)]
            assert all(box and box["width"] > 150 and box["x"] + box["width"] <= SIZES["narrow"][0] for box in boxes)
            assert inked(tab.picture("#first", "player-narrow")) > 0.02
            assert tab.faults == []

    def test_without_webgl_it_says_so(self, browser: Browser, path: Path) -> None:
        refuse = """const get = HTMLCanvasElement.prototype.getContext;
            HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
              return kind === "webgl2" ? null : get.call(this, kind, ...more);
            };"""
        with opened(browser, path, before=refuse) as tab:
            assert "needs WebGL 2" in tab.page.inner_text("#first")
            tab.page.locator("#first input").fill("2")
            tab.settle()
            assert tab.faults == []
