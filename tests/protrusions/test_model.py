"""New protrusions: lives that the movie cuts off count by their chance to be seen, shapes keep mean and variance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.protrusions.model import Lives, is_alive, placed
from cytoform.protrusions.placing import Numbers, Roots, farthest, fitted_candidates, hidden
from cytoform.protrusions.sizes import CELL, Sizes
from cytoform.protrusions.units import ALONG, OVER, PHASES, PLACES, Units, joined


def unit(birth: float, end: float, *, length: float = 0.3, root=(0.3, 0.0, 0.0), rng=None) -> Units:
    angles = np.zeros((1, 2, ALONG, OVER)) if rng is None else rng.normal(0, 0.2, (1, 2, ALONG, OVER))
    direction = np.array(root) / np.linalg.norm(root)
    across = np.eye(3)[int(np.argmin(np.abs(direction)))]
    return Units(
        np.array([-1]), np.array([[birth, end]]), np.array([[root, root]], float), np.array([[direction, direction]]),
        across[None], np.zeros(1), np.array([length]), np.ones((1, PHASES)), np.full((1, PLACES), 0.02), angles,
    )  # fmt: skip


def movies(n: int, rate: float, lasting, rng: np.random.Generator) -> list[Units]:
    """Poisson births at `rate` a movie; the movie from 0 to 1 cuts lives off."""
    cells = []
    for _ in range(n):
        births = rng.uniform(-2, 1, rng.poisson(3 * rate))
        found = []
        for birth in births:
            end = birth + float(lasting(rng))
            if end > 0:
                found.append(unit(max(birth, -1e-3), min(end, 1 + 1e-3), rng=rng))
        cells.append(joined(found))
    return cells


def test_rates_and_lives_are_found_behind_cuts() -> None:
    rng = np.random.default_rng(0)
    cells = movies(60, 12, lambda r: r.choice([0.2, 0.6]), rng)
    lives = Lives.of(cells)
    assert lives.renewed
    assert lives.births == pytest.approx(12, rel=0.1)
    mean = float(lives.weights @ lives.lasting)
    assert mean == pytest.approx(0.4, abs=0.03)
    # Lives that were seen whole are shorter: the plain mean is wrong.
    assert lives.lasting.mean() < 0.37
    assert lives.births * float(lives.weights @ lives.lasting) == pytest.approx(4.8, rel=0.12)


@pytest.mark.parametrize("span", [1.0, 2.5])
def test_new_movies_of_any_length_hold_as_many(span: float) -> None:
    rng = np.random.default_rng(1)
    cells = movies(40, 12, lambda r: r.uniform(0.2, 0.6), rng)
    lives = Lives.of(cells)
    learned = np.mean([is_alive(u, t).sum() for u in cells for t in np.linspace(0.05, 0.95, 7)])
    drawn = [joined(lives.draw(1.0, span, rng)) for _ in range(60)]
    for moment in np.linspace(0.05, 0.95 * span, 4):
        alive = np.mean([is_alive(u, moment).sum() for u in drawn])
        assert alive == pytest.approx(learned, rel=0.15)


def test_protrusions_that_outlive_the_movie_keep_their_windows() -> None:
    rng = np.random.default_rng(2)
    cells = [joined([unit(-1e-3, 1 + 1e-3, rng=rng) for _ in range(5)]) for _ in range(4)]
    lives = Lives.of(cells)
    assert not lives.renewed
    drawn = lives.draw(1.0, 3.0, rng)
    assert all(is_alive(each, moment).all() for each in drawn for moment in (0.0, 1.5, 3.0))


def test_short_movies_keep_long_arms_that_they_never_show_whole() -> None:
    """Of three frames, brief short protrusions are seen whole in the middle one; long ones are cut off at one end."""
    cells = [
        joined([unit(0.3, 0.7, length=0.1), unit(-1e-3, 0.8, length=0.5), unit(0.2, 1 + 1e-3, length=0.5)])
        for _ in range(12)
    ]
    lives = Lives.of(cells)
    assert not lives.renewed
    drawn = [joined(lives.draw(1.0, 1.0, np.random.default_rng(n))) for n in range(200)]
    lengths = [float(u.length @ is_alive(u, 0.5)) for u in drawn]
    assert np.mean(lengths) == pytest.approx(1.1, rel=0.1)


def test_lives_that_the_movie_cuts_off_are_not_shortened() -> None:
    """Their true length is unknown: with mixed lengths a seventh of them had ended in the movie."""
    rng = np.random.default_rng(6)
    cells = movies(40, 6, lambda r: r.uniform(1, 3), rng)
    lives = Lives.of(cells)
    assert not lives.renewed
    times = np.linspace(0.05, 0.95, 7)
    learned = np.mean([is_alive(u, t).sum() for u in cells for t in times])
    drawn = [joined(lives.draw(1.0, 1.0, rng)) for _ in range(300)]
    assert np.mean([is_alive(u, t).sum() for u in drawn for t in times]) == pytest.approx(learned, rel=0.06)


def test_mixing_keeps_the_mean_and_the_variance_of_bends() -> None:
    rng = np.random.default_rng(3)
    cells = [
        joined([unit(0.1, 0.5, length=float(rng.uniform(0.2, 0.4)), rng=rng) for _ in range(30)]) for _ in range(6)
    ]
    lives = Lives.of(cells)
    learned = joined(cells)
    drawn = joined([each for _ in range(40) for each in lives.draw(1.0, 1.0, rng)])
    assert drawn.angles[:, :, 1:].mean() == pytest.approx(0, abs=0.01)
    assert drawn.angles[:, :, 1:].std() == pytest.approx(learned.angles[:, :, 1:].std(), rel=0.08)
    assert np.log(drawn.length).std() == pytest.approx(np.log(learned.length).std(), rel=0.2)
    plain = joined(lives.draw(3.0, 1.0, rng, mixed=False))
    sizes = {round(float(length), 9) for length in learned.length}
    assert all(round(float(length), 9) in sizes for length in plain.length)
    assert not all(round(float(length), 9) in sizes for length in drawn.length)


def test_no_protrusions_are_no_fault() -> None:
    lives = Lives.of([Units.none(), Units.none()])
    assert lives.draw(1.0, 1.0, np.random.default_rng(0)) == []


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_placing_keeps_the_shape(seed: int) -> None:
    from cytoform.protrusions.tubes import tubes_at

    rng = np.random.default_rng(seed)
    one = unit(0.0, 1.0, rng=rng)
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    moved = placed(one, np.stack([0.4 * direction] * 2), np.stack([direction] * 2), rng)
    (before,), (after,) = (tubes_at(each, 0.5, lambda roots: roots) for each in (one, moved))
    assert np.allclose(after.line[2], 0.4 * direction, atol=1e-9)
    distances = [np.linalg.norm(t.line[:, None] - t.line, axis=2) for t in (before, after)]
    assert np.allclose(*distances, atol=1e-9)


def test_roots_keep_apart_as_learned_ones_do() -> None:
    rng = np.random.default_rng(4)

    def cell(candidates: int) -> Roots:
        found: list[np.ndarray] = []
        for _ in range(16):
            drawn = rng.normal(size=(candidates, 3))
            drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
            found.append(drawn[farthest(drawn, np.array(found).reshape(-1, 3))])
        return Roots.of(joined([unit(-1e-3, 1 + 1e-3, root=tuple(0.3 * d)) for d in found]))

    assert fitted_candidates([cell(1) for _ in range(12)], rng) <= 2
    assert fitted_candidates([cell(8) for _ in range(12)], rng) >= 4
    assert fitted_candidates([Roots.of(unit(0.0, 1.0))], rng) == 1


def thorn(root: tuple[float, float], axis: tuple[float, float]) -> Units:
    """A straight protrusion in an image, 0.3 long, over the whole movie."""
    return Units(
        np.array([-1]), np.array([[-1e-3, 1 + 1e-3]]), np.array([[root, root]], float), np.array([[axis, axis]], float),
        np.array([[axis[1], -axis[0]]], float), np.zeros(1), np.array([0.3]), np.ones((1, PHASES)),
        np.full((1, PLACES), 0.02), np.zeros((1, 1, ALONG, OVER)),
    )  # fmt: skip


def test_protrusions_hide_in_the_body_and_in_each_other() -> None:
    def to_disc(points: np.ndarray, moment: float) -> np.ndarray:
        return np.linalg.norm(points, axis=1) - 0.3

    def share(new: Units, *others: Units) -> float:
        return hidden(new, others, [0.2, 0.8], to_disc)

    outwards, inwards = thorn((0.3, 0), (1, 0)), thorn((0.3, 0), (-1, 0))
    assert share(outwards) == 0
    assert share(inwards) == 1
    assert share(outwards, outwards) == 1
    assert share(outwards, thorn((0, 0.3), (0, 1))) == 0
    # One that lies across it hides the width of both.
    assert 0 < share(outwards, thorn((0.5, -0.15), (0, 1))) < 0.35


def test_numbers_follow_the_volume_and_spread_beyond_chance() -> None:
    rng = np.random.default_rng(5)
    volumes = np.exp(rng.normal(0, 0.1, 80))
    rates = 20 * (1 - 3 * np.log(volumes))
    cells = [joined([unit(-1e-3, 1 + 1e-3) for _ in range(max(rng.poisson(r), 1))]) for r in rates]
    numbers = Numbers.of([Roots.of(cell) for cell in cells], volumes)
    assert numbers.slope == pytest.approx(-3, abs=0.6)
    assert numbers.residuals.std() < 0.15  # what is left is chance, which the drawing of births adds
    drawn = [numbers.factor(float(v), float(r)) for v in volumes for r in numbers.draw(5, rng)]
    assert np.mean(drawn) == pytest.approx(1, abs=0.05)


def test_sizes_know_the_kept_volume_and_the_fluctuation() -> None:
    rng = np.random.default_rng(6)
    n_frames, volumes, tubes = 40, [], []
    for _ in range(12):
        outside = 0.1 * (1 + 0.3 * np.sin(np.linspace(0, 6, n_frames) + rng.uniform(0, 6)))
        wander = np.empty(n_frames)
        wander[0] = rng.normal(0, 0.02)
        for t in range(1, n_frames):
            wander[t] = 0.8 * wander[t - 1] + 0.6 * rng.normal(0, 0.02)
        cell = np.exp(wander)
        volumes.append(np.stack([cell, cell - outside], axis=1))
        tubes.append(outside)
    sizes = Sizes.of(volumes, tubes)
    assert sizes.kept == CELL
    assert sizes.fluctuation == pytest.approx(0.02, rel=0.3)
    # The line that is taken off as a trend takes some of the memory with it.
    assert sizes.memory == pytest.approx(0.7, abs=0.2)
    course = np.stack([sizes.course(2.0, rng) for _ in range(200)])
    assert course.shape == (200, 2 * (n_frames - 1) + 1)
    assert course.std() == pytest.approx(0.02, rel=0.4)


@pytest.mark.parametrize("rounding", [0.0, 1e-8])
def test_where_no_volume_changes_that_of_the_cell_is_kept(rounding: float) -> None:
    chance = 1 + rounding * np.random.default_rng(0).normal(size=30)
    sizes = Sizes.of([np.stack([1.1 * chance, np.ones(30)], axis=1)] * 3, [np.full(30, 0.1)] * 3)
    assert (sizes.kept, sizes.fluctuation) == (CELL, 0.0)
