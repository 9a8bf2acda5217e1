"""Movies of exact shapes, read back: what they show, how large, when."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation
from stores import ball, empty, lopsided, write_store

from cytoform.errors import InputError
from cytoform.pictures.film import MovieStyle, write_movie
from cytoform.pictures.film import write as module
from pictures import BLUE, ORANGE, centre, coloured, decoded

SMALL = (128, 96)
RADII_UM = (2.0, 2.5, 3.0, 3.5, 4.0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    turn = Rotation.from_euler("xyz", [0.3, 0.2, 0.1])
    sequences = {
        "growing": [ball(radius) for radius in RADII_UM],
        "gone": [ball(3.0), empty(), ball(3.0)],
        "lopsided": [lopsided(turn, growth=growth) for growth in (0.8, 1.0)],
    }
    return write_store(tmp_path_factory.mktemp("film") / "cells.zarr", sequences)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = [ball(radius) for radius in np.linspace(2, 4, 9)]
    folder = tmp_path_factory.mktemp("film")
    return write_store(folder / "rec.zarr", {"growing": frames}, command="reconstruct", time_step_s=30.0)


def test_a_time_lapse_in_mp4(store: Path, tmp_path: Path) -> None:
    out, style = tmp_path / "a.mp4", MovieStyle(size_px=SMALL, fps=5.0)
    movie = write_movie(store, out, sequences=["growing"], style=style)
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height, stream.pix_fmt) == (*SMALL, "yuv420p")
        assert (stream.average_rate, stream.frames, movie.n_pictures) == (Fraction(5), 5, 5)
        assert "cells.zarr" in container.metadata["comment"]
    # The index comes first, so that a browser shows it before all is there.
    data = out.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    areas = [coloured(picture).sum() for picture in decoded(out)]
    expected = np.pi * (np.array(RADII_UM) * movie.px_per_um) ** 2
    assert areas == pytest.approx(expected, rel=0.08)


def test_colours_survive_mp4(store: Path, tmp_path: Path) -> None:
    style = MovieStyle(size_px=SMALL, frame=4, fps=1.0, seconds=1.0, labels=False)
    write_movie(store, tmp_path / "a.mp4", sequences=["growing"], style=style)
    write_movie(store, tmp_path / "a", sequences=["growing"], style=style)
    [lossy], [exact] = decoded(tmp_path / "a.mp4"), decoded(tmp_path / "a")
    assert np.abs(lossy.astype(int) - exact).mean() < 2
    assert (lossy[:8, :8] >= 253).all()


@pytest.mark.parametrize("labels", [True, False])
def test_the_cell_is_in_the_middle_and_fills_the_picture(store: Path, tmp_path: Path, labels: bool) -> None:
    style = MovieStyle(size_px=SMALL, frame=4, fps=1.0, seconds=1.0, labels=labels)
    write_movie(store, tmp_path / "a", sequences=["growing"], style=style)
    mask = coloured(decoded(tmp_path / "a")[0])
    row, column = centre(mask)
    assert column == pytest.approx(SMALL[0] / 2, abs=0.6)
    if not labels:
        assert row == pytest.approx(SMALL[1] / 2, abs=0.6)
        assert 0.75 * SMALL[1] < mask.any(axis=1).sum() < 0.9 * SMALL[1]


@pytest.mark.parametrize("name", ["a", "a.png"])
@pytest.mark.parametrize("size_px", [(320, 240), (533, 211)])
def test_the_scale_bar_measures_the_cell(store: Path, tmp_path: Path, size_px: tuple[int, int], name: str) -> None:
    """A ball of 8 µm and the bar in one picture: as many micrometres as the label says, to a pixel."""
    style = MovieStyle(size_px=size_px, frame=4, seconds=None if name.endswith(".png") else 0.1)
    movie = write_movie(store, tmp_path / name, sequences=["growing"], style=style)
    picture = np.array(Image.open(tmp_path / name if name == "a.png" else tmp_path / "a" / "0000.png"))
    dark = (picture < 60).all(axis=2)
    footer = dark[-30:]
    bar_px = max(len(run) for row in footer for run in "".join(".#"[int(value)] for value in row).split("."))
    label_um = min((1.0, 2.0, 5.0), key=lambda um: abs(um * movie.px_per_um - bar_px))
    assert bar_px == pytest.approx(label_um * movie.px_per_um, abs=1)
    ball_px = coloured(picture).any(axis=0).sum()
    assert ball_px / bar_px * label_um == pytest.approx(8.0, rel=0.04)


def test_a_turn_in_gif(store: Path, tmp_path: Path) -> None:
    out, style = tmp_path / "a.gif", MovieStyle(size_px=SMALL, turntable=True, frame=1, seconds=1.5, fps=16.0)
    write_movie(store, out, sequences=["lopsided"], style=style)
    pictures = [picture.astype(int) for picture in decoded(out)]
    assert len(pictures) == 24
    differences = [np.abs(picture - pictures[0]).mean() for picture in pictures]
    # Closes: from the last picture to the first it is no farther than from one to the next.
    assert 0 < differences[-1] < 1.3 * differences[1]
    assert max(differences) > 3 * differences[-1]
    assert coloured(pictures[12]).sum() > 200
    with Image.open(out) as image:
        durations_ms = [(image.seek(n), image.info["duration"])[1] for n in range(24)]  # type: ignore[func-returns-value]
        assert image.info["loop"] == 0
    assert set(durations_ms) <= {60, 70}
    assert sum(durations_ms) == 1500


def test_time_runs_while_the_camera_turns(store: Path, tmp_path: Path) -> None:
    style = MovieStyle(size_px=SMALL, turntable=True, seconds=1.0, fps=10.0)
    write_movie(store, tmp_path / "a", sequences=["growing"], style=style)
    areas = [int(coloured(picture).sum()) for picture in decoded(tmp_path / "a")]
    assert len(areas) == 10
    assert areas[0] == pytest.approx(areas[1], rel=0.03)
    assert areas[-1] > 3 * areas[0]


@pytest.mark.parametrize("background", ["white", "black"])
def test_gif_has_the_colours_of_the_pictures(store: Path, tmp_path: Path, background: str) -> None:
    style = MovieStyle(size_px=SMALL, background=background, fps=5.0)  # type: ignore[arg-type]
    for name in ("a", "a.gif"):
        write_movie(store, tmp_path / name, sequences=["growing"], style=style)
    ground = 255 if background == "white" else 0
    for exact, few in zip(decoded(tmp_path / "a"), decoded(tmp_path / "a.gif"), strict=True):
        error = np.abs(exact.astype(int) - few).max(axis=-1)
        assert error[coloured(exact)].mean() < 3
        assert (few[(exact == ground).all(axis=-1)] == ground).all()


def test_pictures_that_stay_the_same_lengthen_the_one_before(tmp_path: Path) -> None:
    store = write_store(tmp_path / "still.zarr", {"a": [ball(2.0), ball(2.0), ball(3.0)]})
    write_movie(store, tmp_path / "a.gif", style=MovieStyle(size_px=SMALL, labels=False, fps=4.0))
    with Image.open(tmp_path / "a.gif") as image:
        durations = [(image.seek(n), image.info["duration"])[1] for n in range(image.n_frames)]  # type: ignore[attr-defined, func-returns-value]
    assert durations == [500, 250]


def test_no_ground(store: Path, tmp_path: Path) -> None:
    style = MovieStyle(size_px=SMALL, background="transparent", frame=4, fps=1.0, seconds=1.0)
    write_movie(store, tmp_path / "a", sequences=["growing"], style=style)
    rgba = np.array(Image.open(tmp_path / "a" / "0000.png"))
    assert rgba.shape == (*SMALL[::-1], 4)
    assert rgba[0, 0, 3] == 0
    assert (rgba[40:50, 60:68, 3] == 255).all()
    # Letters fade without a light or dark fringe: one colour, more or less of it.
    footer = rgba[-20:]
    letters = footer[footer[..., 3] > 0]
    assert len(np.unique(letters[:, 3])) > 5
    assert len(np.unique(letters[:, :3], axis=0)) == 1


def test_the_original_stands_above_its_reconstruction(store: Path, other: Path, tmp_path: Path) -> None:
    style = MovieStyle(size_px=(200, 300), fps=5.0)
    movie = write_movie(store, tmp_path / "a", against=other, style=style)
    assert movie.names == ("growing",)
    pictures = decoded(tmp_path / "a")
    assert len(pictures) == 5
    for picture in pictures:
        cells = picture[: 300 - 50]
        upper, lower = coloured(cells, BLUE), coloured(cells, ORANGE)
        assert np.flatnonzero(upper.any(axis=1)).max() < np.flatnonzero(lower.any(axis=1)).min()
        # The lower one has twice as many frames, and yet they grow together.
        assert upper.sum() == pytest.approx(lower.sum(), rel=0.05)


def test_a_frame_without_a_cell_says_so(store: Path, tmp_path: Path) -> None:
    style = MovieStyle(size_px=SMALL, fps=5.0)
    write_movie(store, tmp_path / "a", sequences=["gone"], style=style)
    first, gone, _ = decoded(tmp_path / "a")
    assert coloured(first).any()
    assert not coloured(gone).any()
    assert (gone[30:66] < 200).any()


def test_a_sheet_has_a_row_a_cell_and_a_column_a_time(store: Path, tmp_path: Path) -> None:
    movie = write_movie(store, tmp_path / "a.png", sequences=["growing", "lopsided"])
    picture = np.array(Image.open(tmp_path / "a.png"))
    assert picture.shape[:2] == movie.size_px[::-1]
    inked = coloured(picture)
    # Five balls; the other cell has ended after two frames.
    half = inked.shape[0] // 2
    for rows, n in ((inked[:half], 5), (inked[half:], 2)):
        edges = np.diff(np.r_[0, rows.any(axis=0).astype(int)])
        assert (edges == 1).sum() == n


def test_any_number_of_workers_gives_the_same_bytes(store: Path, tmp_path: Path) -> None:
    style = MovieStyle(size_px=SMALL, seconds=1.0, fps=8.0)
    for name, workers in (("one.mp4", 1), ("two.mp4", 2)):
        write_movie(store, tmp_path / name, style=style, workers=workers)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_pictures_do_not_pile_up(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the movie: so many are drawn, then encoded, then the next."""
    monkeypatch.setattr(module, "BYTES_WAITING", 4 * 4 * SMALL[0] * SMALL[1])
    drawn, waiting = module.draw, []

    def draw(pages: list) -> list[np.ndarray]:
        waiting.extend(pages)
        assert len(waiting) <= 4
        return drawn(pages)

    class Encoder:
        def __init__(self, *_: object) -> None: ...

        def __enter__(self) -> "Encoder":
            return self

        def __exit__(self, *_: object) -> None:
            (tmp_path / "made").touch()

        def __call__(self, _: np.ndarray) -> None:
            waiting.pop()

    monkeypatch.setattr(module, "draw", draw)
    monkeypatch.setattr(module, "encoder", Encoder)
    style = MovieStyle(size_px=SMALL, turntable=True, frame=0, fps=12.0, seconds=1.0)
    with pytest.raises(FileNotFoundError):  # for nothing was written
        write_movie(store, tmp_path / "a.mp4", sequences=["growing"], style=style)
    assert (tmp_path / "made").exists()
    assert waiting == []


@pytest.mark.parametrize("ending", [".gif", ".mp4", ".png", ""])
def test_a_store_whose_name_is_no_text(ending: str, store: Path, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff\xfe.zarr")
    odd.symlink_to(store)
    assert write_movie(odd, tmp_path / f"a{ending}", sequences=["gone"], style=MovieStyle(size_px=SMALL)).n_pictures


def test_a_store_of_empty_frames_is_refused(tmp_path: Path) -> None:
    store = write_store(tmp_path / "none.zarr", {"a": [empty(), empty()]})
    with pytest.raises(InputError, match="all frames to be shown are empty"):
        write_movie(store, tmp_path / "a.gif")
