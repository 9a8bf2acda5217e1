"""The linker that learns: candidates, the best set of links, divisions from few examples, tracks, scores of a small movie."""

from pathlib import Path

import numpy as np
import pytest

from cytoform.movies.lineage import Track
from linking import AMOUNTS, ARMS, by_laptrack, chosen_steps, main, rows, scored, write_ctc
from linking_model import Cells, Linker, Movie, Step, by_overlap, examples, f1, tracked


def discs(*cells: tuple[int, float, float, float]) -> Cells:
    """Discs of (label, y, x, radius) in 120 × 120 pixels."""
    y, x = np.indices((120, 120))
    mask = np.zeros((120, 120), int)
    for label, middle_y, middle_x, radius in cells:
        mask[np.hypot(y - middle_y, x - middle_x) <= radius] = label
    return Cells.of(mask)


def dividing(seed: int, *, at: int = 2, n_frames: int = 5) -> Movie:
    """A cell at rest beside one that divides into two halves in frame `at`."""
    rng = np.random.default_rng(seed)
    frames = []
    for time in range(n_frames):
        y, x = rng.normal(0, 1, 2)
        cells = [(1, 30 + y, 30 + x, 13.0)]
        if time < at:
            cells.append((2, 80 + x, 80 + y, 14.0))
        else:
            cells += [(3, 80 + x, 70 + y, 9.9), (4, 80 + x, 91 + y, 9.9)]
        frames.append(discs(*cells))
    last = n_frames - 1
    tracks = (Track(1, 0, last, 0), Track(2, 0, at - 1, 0), Track(3, at, last, 2), Track(4, at, last, 2))
    return Movie(tuple(frames), {each.label: each for each in tracks})


def test_overlaps_and_distances_are_those_of_the_pixels() -> None:
    before, after = discs((5, 40, 40, 10), (9, 80, 80, 10)), discs((2, 40, 46, 10))
    step = Step(before, after, 20.0)
    assert step.overlaps[0, 0] == ((before.mask_yx == 5) & (after.mask_yx == 2)).sum() > 0
    assert step.overlaps[1, 0] == 0
    assert step.distances[0, 0] == pytest.approx(6 / 20)
    assert step.pairs == [(0, 0)]
    assert step.triples == []


def test_the_truth_of_a_step_has_links_and_divisions() -> None:
    movie = dividing(0)
    links, divisions = movie.truth(movie.steps()[1])
    assert (links, divisions) == ({(0, 0)}, {(1, 1, 2)})
    assert movie.truth(movie.steps()[0]) == ({(0, 0), (1, 1)}, set())


@pytest.mark.parametrize("kind", ["logistic", "balanced logistic", "forest"])
def test_divisions_are_learned_from_other_movies(kind: str) -> None:
    sides = [examples(dividing(seed)) for seed in range(1, 5)]
    linker, movie = Linker(sides, kind, 0), dividing(9, at=3)  # type: ignore[arg-type]
    assert [linker(step) for step in movie.steps()] == [movie.truth(step) for step in movie.steps()]


def test_without_a_division_among_the_examples_none_is_found() -> None:
    linker = Linker([examples(dividing(1), [0, 2, 3])], "balanced logistic", 0)
    found = [linker(step) for step in dividing(2).steps()]
    assert all(divisions == set() for _, divisions in found)
    assert found[0][0] == {(0, 0), (1, 1)}


def test_a_cell_has_one_past_though_two_would_be_likelier() -> None:
    """Both cells of the first frame are most like the only one that is left: it takes one of them."""
    linker = Linker([examples(dividing(seed)) for seed in range(3)], "logistic", 0)
    links, divisions = linker(Step(discs((1, 60, 50, 12), (2, 60, 70, 12)), discs((1, 60, 58, 12)), 24.0))
    assert (links, divisions) == ({(0, 0)}, set())


def test_overlap_takes_two_cells_on_one_for_daughters() -> None:
    movie = dividing(3)
    assert [by_overlap(step) for step in movie.steps()] == [movie.truth(step) for step in movie.steps()]


def test_true_links_give_the_true_tracks_and_scores_of_one(tmp_path: Path) -> None:
    movie = dividing(4)
    truth = [movie.truth(step) for step in movie.steps()]
    masks, tracks = tracked(movie, truth)
    assert [(t.first, t.last, t.parent) for t in tracks] == [(0, 4, 0), (0, 1, 0), (2, 4, 2), (2, 4, 2)]
    assert all(((mask > 0) == (cells.mask_yx > 0)).all() for mask, cells in zip(masks, movie.frames, strict=True))
    write_ctc(movie, tmp_path / "truth")
    found = scored(movie, truth, tmp_path / "truth" / "01_GT")
    assert set(found.values()) == {1.0}
    lost = scored(movie, [(links, set()) for links, _ in truth], tmp_path / "truth" / "01_GT")
    assert lost["links"] == 1
    assert lost["divisions"] == 0
    assert lost["TRA"] < 1
    assert f1(set(), set()) is None


def test_real_steps_are_a_stretch_or_all_but_divisions_that_are_left_out() -> None:
    movie, rng = dividing(5, n_frames=8), np.random.default_rng(0)
    stretch = chosen_steps(movie, AMOUNTS[0], rng)
    assert len(stretch) == 4
    assert np.ptp(stretch) == 3
    assert chosen_steps(movie, next(arm for arm in AMOUNTS if arm.divisions == 0), rng) == [0, 2, 3, 4, 5, 6]
    assert chosen_steps(movie, AMOUNTS[-1], rng) == list(range(7))


def test_the_gain_stands_beside_the_arm_without_a_scene() -> None:
    metrics = dict.fromkeys(("TRA", "LNK", "divisions_1"), 1.0)
    seeds = [
        {
            str(n): {**metrics, "links": 0.5 + 0.25 * arm.scene, "divisions": 0.5, "steps": 3, "true_divisions": 1}
            for n, arm in enumerate(ARMS)
        }
        for _ in range(8)
    ]
    found = rows({"fixed": {}, "seeds": seeds})
    assert found[1][0] == "real + scene"
    assert found[1][-1] == "+0.250 (+0.250 to +0.250); +0.000 (+0.000 to +0.000)"
    assert found[0][-1] == found[-1][-1] == ""


def test_laptrack_gives_the_truth_of_an_easy_movie() -> None:
    movie = dividing(6)
    assert by_laptrack(movie) == [movie.truth(step) for step in movie.steps()]


def test_no_repetition_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "0"]) == 2
    assert "--seeds" in capsys.readouterr().err
