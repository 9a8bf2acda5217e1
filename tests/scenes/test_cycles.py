"""Cell cycles: their distribution, ages at the start, and trees of cells."""

from collections import Counter

import numpy as np
import pytest

from cytoform.errors import InputError
from cytoform.scenes.cycles import Cycle, draw_lives
from cytoform.scenes.request import SHORTEST_CYCLE


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("spread", [0.0, 0.2, 0.6])
def test_cycles_have_the_mean_and_the_spread_that_are_asked_for(spread: float) -> None:
    dice = rng()
    drawn = np.array([Cycle(50.0, spread).draw(dice) for _ in range(20_000)])
    assert drawn.mean() == pytest.approx(50, rel=0.02)
    assert drawn.std() / drawn.mean() == pytest.approx(spread, abs=0.02)
    assert Cycle(0.1, spread).draw(dice) == SHORTEST_CYCLE


def test_cells_at_the_start_are_as_old_as_in_a_population_that_grows_steadily() -> None:
    # Its mean age is 1 / ln 2 - 1 of the cycle: half of the cells are younger than 0.415.
    ages = [-draw_lives(0, 1, Cycle(100.0, 0.0), rng(seed), rng())[0].divides / 100 for seed in range(5000)]
    assert min(ages) >= 0
    assert max(ages) <= 1
    assert np.mean(ages) == pytest.approx(1 / np.log(2) - 1, abs=0.01)
    assert np.median(ages) == pytest.approx(-np.log2(0.75), abs=0.015)


@pytest.mark.parametrize("seed", range(5))
def test_every_cell_that_divides_in_the_scene_has_two_daughters(seed: int) -> None:
    first, n_frames = 3, 60
    lives = draw_lives(first, n_frames, Cycle(12.0, 0.3), rng(seed), rng())
    assert [life.number for life in lives] == list(range(len(lives)))
    assert lives[0].divides <= first < lives[1].divides
    children = Counter(life.parent for life in lives)
    for life in lives:
        assert life.parent is None or life.divides >= lives[life.parent].divides + SHORTEST_CYCLE or life.number == 1
        assert children[life.number] == (1 if not life.number else 2 * (life.divides <= n_frames - 1))
    assert len(lives) > 20


def test_too_many_cells_are_refused() -> None:
    with pytest.raises(InputError, match="--cycle: over 100000 cells in 200 frames"):
        draw_lives(0, 200, Cycle(2.0, 0.0), rng(), rng())
