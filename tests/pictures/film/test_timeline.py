"""What is seen when: frames, turns, pace, and time in words."""

from pathlib import Path

import pytest

from cytoform.errors import InputError
from cytoform.pictures.film.cast import MovieCell, Subject
from cytoform.pictures.film.style import FORMATS, MovieStyle
from cytoform.pictures.film.timeline import Clock, matching_frame, timeline


def subject(n_frames: int, step_s: float | None, *, n_below: int = 0) -> Subject:
    cells = [MovieCell(Path("a.zarr"), "a", n_frames, 0)] + [MovieCell(Path("b.zarr"), "a", n_below, 1)] * (n_below > 0)
    return Subject(tuple(cells), step_s)


def moments(n_frames: int, ending: str = ".mp4", **style: object) -> tuple[list[int], list[float], float]:
    found = timeline([subject(n_frames, 60.0)], MovieStyle(**style), FORMATS[ending])  # type: ignore[arg-type]
    return [m.tick for m in found.moments], [m.turned_deg for m in found.moments], float(found.fps)


def test_a_long_time_lapse_shows_each_frame_once_at_ten_a_second() -> None:
    ticks, turned, fps = moments(50)
    assert ticks == list(range(50))
    assert set(turned) == {0}
    assert fps == 10


def test_a_short_one_lasts_three_seconds_and_players_get_ten_pictures_a_second() -> None:
    ticks, _, fps = moments(4)
    assert fps >= 10
    assert len(ticks) / fps == pytest.approx(3)
    assert [ticks.count(tick) for tick in range(4)] == [len(ticks) // 4] * 4
    assert moments(4, ".gif") == ([0, 1, 2, 3], [0] * 4, pytest.approx(4 / 3, abs=1e-3))


def test_seconds_and_fps_are_kept() -> None:
    for ending in (".mp4", ".gif", ""):
        ticks, _, fps = moments(30, ending, seconds=2.0)
        assert (ticks, fps) == (list(range(30)), 15)
        assert moments(30, ending, fps=5.0)[::2] == (list(range(30)), 5)
        ticks, _, fps = moments(30, ending, fps=5.0, seconds=2.0)
        assert (ticks, fps) == (list(range(0, 30, 3)), 5)


def test_a_turn_is_even_and_closes() -> None:
    ticks, turned, fps = moments(30, turntable=True, frame=7, seconds=4.0, fps=10.0)
    assert set(ticks) == {7}
    assert turned == [9.0 * i for i in range(40)]
    ticks, turned, fps = moments(30, turntable=True)
    assert (len(ticks) / fps, fps) == (8, 25)
    assert (ticks[0], ticks[-1], sorted(set(ticks))) == (0, 29, list(range(30)))
    assert turned[-1] == pytest.approx(360 - 360 / 200)


def test_one_frame_turns_unless_it_is_a_sheet() -> None:
    assert len(set(moments(1)[1])) == 200
    assert moments(9, ".png", frame=4)[:2] == ([4], [0])
    assert moments(9, ".png", frame=4, turntable=True)[:2] == ([4] * 6, [0, 60, 120, 180, 240, 300])
    assert moments(11, ".png")[0] == [0, 2, 4, 6, 8, 10]


def test_cells_with_other_steps_share_a_clock() -> None:
    fast, slow = subject(10, 2.5), subject(10, 5.0)
    clock = timeline([fast, slow], MovieStyle(), FORMATS[".mp4"]).clock
    assert (clock.step_s, clock.n_ticks) == (2.5, 19)
    assert [clock.frame(fast, tick) for tick in (0, 9, 10)] == [0, 9, None]
    assert [clock.frame(slow, tick) for tick in (0, 1, 2, 3, 18)] == [0, 0, 1, 1, 9]
    assert clock.text(18) == "45.0 s"
    still = timeline([fast, slow], MovieStyle(frame=9), FORMATS[".mp4"]).clock
    assert (still.frame(fast, 9), still.frame(slow, 9), still.text(9)) == (9, 9, "frame 9")


def test_unknown_steps_count_frames() -> None:
    clock = timeline([subject(10, None), subject(4, 5.0)], MovieStyle(), FORMATS[".mp4"]).clock
    assert (clock.n_ticks, clock.text(3)) == (10, "frame 3")


def test_what_stands_below_begins_and_ends_with_what_stands_above() -> None:
    assert [matching_frame(subject(5, 1.0, n_below=9), frame) for frame in range(5)] == [0, 2, 4, 6, 8]
    assert matching_frame(subject(1, 1.0, n_below=9), 0) == 0


@pytest.mark.parametrize(
    ("step_s", "n_ticks", "tick", "text"),
    [(5.0, 10, 9, "45 s"), (2.5, 10, 1, "2.5 s"), (60.0, 30, 29, "29 min"), (90.0, 9, 3, "4:30 min"),
     (5.0, 30, 25, "2:05 min"), (300.0, 100, 30, "2:30 h")],
)  # fmt: skip
def test_time_in_words(step_s: float, n_ticks: int, tick: int, text: str) -> None:
    assert Clock(step_s, n_ticks).text(tick) == text


@pytest.mark.parametrize(
    ("style", "words"),
    [
        (MovieStyle(frame=30), "--frame 30: the cells shown have frames 0 to 29"),
        (MovieStyle(frame=-1), "--frame -1"),
        (MovieStyle(seconds=0.1), "--seconds 0.1: 30 frames are too many"),
        (MovieStyle(fps=0.001), "too long"),
    ],
)
def test_what_cannot_be_shown(style: MovieStyle, words: str) -> None:
    with pytest.raises(InputError, match=words):
        timeline([subject(30, 60.0)], style, FORMATS[".mp4"])
