"""What a scene takes from a real movie, and what it says about it."""

from dataclasses import replace
from pathlib import Path

import pytest
from flat import ellipses
from squares import PIXEL_UM, SIDE, STEP_S, write_squares

from cytoform.errors import InputError
from cytoform.scenes.like.taken import settle
from cytoform.scenes.request import SceneRequest


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ellipses(tmp_path_factory.mktemp("flat") / "flat.zarr", 1, 2)


def like(folder: Path, source: Path) -> SceneRequest:
    return SceneRequest(sources=(source,), like=folder, geff=False)


def test_options_come_from_the_movie(flat: Path, tmp_path: Path) -> None:
    settled, likeness = settle(like(write_squares(tmp_path / "real"), flat))
    assert likeness is not None
    assert (settled.frames, settled.size_zyx, settled.cells) == (10, (1, SIDE, SIDE), 2)
    assert (settled.time_step_s, settled.voxel_size_zyx_um) == (STEP_S, (PIXEL_UM,) * 3)
    assert (settled.leave, settled.arrivals, settled.deaths, settled.quiescent) == ("none", 0.0, 0.0, None)
    assert settled.cell_size == pytest.approx((6 * PIXEL_UM) ** 2)
    # One division in 25 cells and frames of two minutes.
    assert settled.cycle_min == pytest.approx(0.6931 * 25 * 2, rel=1e-3)
    assert settled.cycle_spread == 0.2
    said = "\n".join(likeness.sentences)
    assert "--cycle-spread: not taken, only 0 lives from a division to the next" in said
    assert "a rough figure, of so few" in said
    assert "brightness of the images: not taken" in said
    assert "no images 01/t000.tif" in said


def test_given_options_override_it(flat: Path, tmp_path: Path) -> None:
    asked = replace(like(write_squares(tmp_path / "real"), flat), cells=7, size_zyx=(1, 2 * SIDE, SIDE), texture="none")
    settled, likeness = settle(asked)
    assert likeness is not None
    assert (settled.cells, settled.size_zyx) == (7, (1, 2 * SIDE, SIDE))
    assert any(each.startswith("--cells 7 as given; the movie: 4, from 2 cells") for each in likeness.sentences)
    assert any("since --texture none is given" in each for each in likeness.sentences)


def test_what_a_movie_does_not_record_is_asked_for(flat: Path, tmp_path: Path) -> None:
    asked = like(write_squares(tmp_path / "real", scale=False), flat)
    with pytest.raises(InputError, match="no time step is recorded; pass --time-step"):
        settle(asked)
    settled, _ = settle(replace(asked, time_step_s=30.0))
    assert settled.time_step_s == 30


def test_movies_that_do_not_fit_are_refused(flat: Path, tmp_path: Path) -> None:
    real = write_squares(tmp_path / "real")
    with pytest.raises(InputError, match="leave --projection out"):
        settle(replace(like(real, flat), projection=True))
    for path in (real / "01_GT" / "TRA").glob("man_track.txt"):
        path.unlink()
    with pytest.raises(InputError, match=r"man_track\.txt"):
        settle(like(real, flat))
    with pytest.raises(InputError, match="no such file or folder"):
        settle(like(tmp_path / "absent", flat))


def test_without_a_movie_a_scene_needs_its_numbers(flat: Path) -> None:
    with pytest.raises(InputError, match=r"--frames: missing; give it, or a movie that .* --like FOLDER"):
        settle(SceneRequest(sources=(flat,), cells=3, size_zyx=(1, 9, 9)))
    with pytest.raises(InputError, match="--deaths: only with --cycle"):
        settle(SceneRequest(sources=(flat,), cells=3, frames=2, size_zyx=(1, 9, 9), deaths=0.1))
