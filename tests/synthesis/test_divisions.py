"""Cells that divide beside cells that do not: new ones divide at the learned rate, and are of one kind or the other."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flat import disc, ellipse, write_flat

from cytoform.assess.measures.dynamics import Bodies
from cytoform.errors import InputError
from cytoform.priors.prior import Drawn, Given, Prior
from cytoform.runs.config import load_config
from cytoform.runs.stage import train
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.choice import CHOICE, Choice, Pieces, draw, whole_cells
from cytoform.synthesis.divisions import DIVIDES, Grouped, divides, dividing_among, prior_by_division
from cytoform.synthesis.priors import prior_of
from cytoform.synthesis.trial import FEWEST_NEW, _Trial

GRID = Grid(32, 8.0, 2)
N_FRAMES = 5
DIVIDING = ("d0", "d1", "d2")


def dividing(apart_um: float, radius_um: float) -> list[np.ndarray]:
    """Two discs that overlap at first and are apart at the end."""
    shifts_um = np.linspace(0.3, 1, N_FRAMES) * apart_um
    return [
        np.minimum(
            disc(radius_um, shift_yx_um=(0, shift_um), grid=GRID),
            disc(radius_um, shift_yx_um=(0, -shift_um), grid=GRID),
        )
        for shift_um in shifts_um
    ]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cells = {name: dividing(4.2 + 0.2 * n, 2.2 + 0.15 * n) for n, name in enumerate(DIVIDING)}
    for n in range(6):
        cells[f"e{n}"] = [
            ellipse((2.4 + 0.1 * n, long), grid=GRID) for long in np.linspace(3 + 0.1 * n, 4 + 0.2 * n, N_FRAMES)
        ]
    return write_flat(tmp_path_factory.mktemp("some") / "cells.zarr", cells, grid=GRID)


@pytest.fixture(scope="module")
def cells(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Cells:
    run = tmp_path_factory.mktemp("some") / "run"
    train(shapes, run, load_config(preset="linear", settings=["model.knots=5", "model.nodes=24"]))
    return load(run)


def bodies(*sizes: int) -> Bodies:
    """Bodies of these numbers of pixels."""
    return Bodies(np.repeat(np.arange(len(sizes) + 1), (5, *sizes)), len(sizes))


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([(9,), (5, 4)], True),
        ([(9,), (5, 4), (9,)], True),  # daughters that touch
        ([(9,), (4, 1, 4)], True),
        ([(9,), (), (5, 4)], True),
        ([(5, 4), (9,)], False),  # in two bodies from the start
        ([(), (5, 4)], False),
        ([(90,), (90, 9)], False),  # a fragment
        ([(9,), (9,)], False),
    ],
)
def test_a_cell_divides_once_it_has_daughters(frames: list[tuple[int, ...]], expected: bool) -> None:
    assert divides(bodies(*sizes) for sizes in frames) is expected


def test_the_sequences_that_divide_are_found_and_all_of_them_are_one_group(shapes: Path) -> None:
    store = ShapeStore.open(shapes)
    assert dividing_among(store, store.names) == DIVIDING
    assert dividing_among(store, ["e0", "e1"]) == ()
    assert dividing_among(store, DIVIDING) == ()


def test_a_comparison_of_priors_finds_who_divides(cells: Cells, shapes: Path, tmp_path: Path) -> None:
    store = ShapeStore.open(shapes)
    rows = np.arange(len(store.names))
    trial = _Trial(cells, store, [rows[:5], rows[5:]], tmp_path, 0, 1)
    originals = trial.originals()
    assert trial.most_pieces(originals) == 2
    assert trial.dividing_of(originals) == DIVIDING
    alone = originals.only([name for name in store.names if name not in DIVIDING])
    assert trial.dividing_of(alone) == (), "no cell is ever in two bodies, so nothing is looked for"
    drawn = trial.drawn("around", None, originals)
    assert [len(names) for names in drawn.names] == [FEWEST_NEW] * 2, "enough for a test to fail"


class _Constant(Prior):
    def __init__(self, value: float) -> None:
        self.value = value

    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        return Drawn(np.full((n, 2), self.value), {"scale": np.full((n, 3), self.value)})


def test_the_share_is_kept_and_a_group_can_be_given() -> None:
    prior, rng = Grouped({True: _Constant(1.0), False: _Constant(0.0)}, 0.3), np.random.default_rng(0)
    drawn = prior.draw(10, rng)
    assert drawn.variables[DIVIDES].sum() == 3
    assert (drawn.codes[:, 0] == drawn.variables[DIVIDES]).all()
    assert (drawn.variables["scale"][:, 2] == drawn.variables[DIVIDES]).all()
    firsts = [prior.draw(1, rng).variables[DIVIDES][0] for _ in range(400)]
    assert np.mean(firsts) == pytest.approx(0.3, abs=0.08)
    for given in (0.0, 1.0):
        assert (prior.draw(4, rng, given={DIVIDES: given}).codes == given).all()
    with pytest.raises(InputError, match="cannot be given size"):
        prior.draw(1, rng, given={"size": 1.0})


def test_a_group_of_few_has_a_prior_that_they_are_enough_for(cells: Cells) -> None:
    rng = np.random.default_rng(0)
    for rows in ([0, 3, 4, 5, 6], [0, 1, 3, 4]):  # one that divides; two, and two that do not
        prior = prior_by_division(cells, "covariance", DIVIDING, sigma=1.25, rows=np.array(rows))
        assert isinstance(prior, Grouped)
        assert np.isfinite(prior.draw(4, rng).codes).all()
        for given in (0.0, 1.0):  # none of the other group
            assert len(prior.draw(1, rng, given={DIVIDES: given})) == 1


def test_where_all_divide_or_none_the_prior_is_what_it_was(cells: Cells) -> None:
    for dividing_names, rows in (
        ((), None),
        (cells.names, None),
        (DIVIDING, np.arange(3)),
        (DIVIDING, np.arange(3, 9)),
    ):
        prior = prior_by_division(cells, "between", dividing_names, rows=rows)
        before = prior_of(cells, "between", rows=rows)
        drawn, expected = (each.draw(3, np.random.default_rng(1)) for each in (prior, before))
        assert np.array_equal(drawn.codes, expected.codes)
        assert drawn.variables.keys() == expected.variables.keys()


def test_a_choice_records_who_divides_only_where_it_matters(cells: Cells, tmp_path: Path) -> None:
    choice = Choice("between", None, 2, "")
    choice.write(tmp_path)
    assert "dividing" not in json.loads((tmp_path / CHOICE).read_text())
    replace(choice, dividing=DIVIDING).write(tmp_path)
    found = Choice.read(tmp_path)
    assert found is not None
    assert found.dividing == DIVIDING
    with pytest.raises(InputError, match="other was not learned"):
        replace(choice, dividing=("other",)).fitted(cells)


def test_new_cells_divide_at_the_learned_rate(cells: Cells) -> None:
    Choice("between", None, 2, "", dividing=DIVIDING).write(cells.run.path)
    fields = draw(cells, 3, seed=1)  # refuses variables that the run does not know
    (cells.run.path / CHOICE).unlink()
    ends = [Bodies.of(field.render(1.0, 32).inside).n for field in fields]
    assert sorted(ends) == [1, 1, 2]


def test_a_cell_of_the_other_group_is_drawn_again(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    from cytoform.synthesis import choice as module

    n_seen = []

    def divides_the_third_time(*_: object) -> Pieces:
        n_seen.append(1)
        return Pieces(1, False, divides=len(n_seen) % 3 == 0)

    prior, rng = Grouped({True: _Constant(1.0), False: _Constant(0.0)}, 1.0), np.random.default_rng(0)
    monkeypatch.setattr(module, "in_pieces", divides_the_third_time)
    assert len(whole_cells(cells, prior, 2, 2, rng)) == 2
    assert len(n_seen) == 6
    monkeypatch.setattr(module, "in_pieces", lambda *_: Pieces(1, False))
    (cell,) = whole_cells(cells, prior, 1, 2, rng)  # none divides: one that does not
    assert (cell.code == 1).all() and DIVIDES not in cell.variables  # noqa: PT018
