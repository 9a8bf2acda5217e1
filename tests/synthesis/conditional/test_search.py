"""Conditional draws: what is kept has been measured, what cannot be had is one line."""

import numpy as np
import pytest

from cytoform.errors import InputError
from cytoform.priors.fitted import fit_prior
from cytoform.priors.prior import Drawn, DrawnCell
from cytoform.synthesis.conditional.request import parse_request
from cytoform.synthesis.conditional.search import ATTEMPTS_A_CELL, Condition, Measure
from cytoform.synthesis.sized import Sized

RNG = np.random.default_rng(0)
CODES = RNG.normal(0, 0.1, (12, 6)).astype(np.float32)
NAMES = ("size", "growth")


def descriptors(code: np.ndarray) -> dict[str, float]:
    """A world where size follows one number of the code, not quite linearly, and growth another."""
    return {"size": float(40 + 100 * code[0] + 50 * code[1] ** 2), "growth": float(1 + code[2])}


def measure(cell: DrawnCell, number: int, as_wanted: bool) -> dict[str, float]:
    return descriptors(cell.code)


def condition(*texts: str, measure: Measure = measure) -> Condition:
    table = {name: np.array([descriptors(code)[name] for code in CODES]) for name in NAMES}
    return Condition(tuple(parse_request(text, NAMES) for text in texts), Drawn(CODES), table, measure)


def draw(asked: Condition, n: int = 5, seed: int = 0) -> np.ndarray:
    cells = asked.draw(fit_prior("covariance", CODES), n, np.random.default_rng(seed))
    return np.stack([cell.code for cell in cells])


def test_what_is_drawn_meets_every_request() -> None:
    for code in draw(condition("size=45±1", "growth=1.05..1.1"), 10):
        found = descriptors(code)
        assert 44 <= found["size"] <= 46
        assert 1.05 <= found["growth"] <= 1.1


def test_draws_differ_from_each_other_and_repeat_with_their_seed() -> None:
    first, again, other = (draw(condition("size>40"), 6, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
    assert len(np.unique(first, axis=0)) == 6


def test_few_cells_have_to_be_measured() -> None:
    """One in hundreds of unconditional draws would do."""
    n_measured = 0

    def counted(cell: DrawnCell, number: int, as_wanted: bool) -> dict[str, float]:
        nonlocal n_measured
        n_measured += not as_wanted
        return descriptors(cell.code)

    draw(condition("size=45±0.2", "growth=1.1±0.01", measure=counted), 5)
    assert n_measured < 60


def test_a_cell_that_only_seems_to_meet_the_request_is_not_kept() -> None:
    def coarse_is_wrong(cell: DrawnCell, number: int, as_wanted: bool) -> dict[str, float]:
        found = descriptors(cell.code)
        return found if as_wanted else {**found, "size": found["size"] + 2}

    for code in draw(condition("size=45±1.5", measure=coarse_is_wrong)):
        assert 43.5 <= descriptors(code)["size"] <= 44.5


def test_numbers_of_the_new_cells_are_passed_on() -> None:
    numbers = []

    def noted(cell: DrawnCell, number: int, as_wanted: bool) -> dict[str, float]:
        if as_wanted:
            numbers.append(number)
        return descriptors(cell.code)

    draw(condition("size>40", measure=noted), 4)
    assert numbers == [0, 1, 2, 3]


@pytest.mark.parametrize("text", ["size=400±5", "size<1", "growth>1000"])
def test_a_request_outside_the_datas_range_names_the_range(text: str) -> None:
    sizes = [descriptors(code)["size" if "size" in text else "growth"] for code in CODES]
    with pytest.raises(InputError, match="outside the data's range") as fault:
        condition(text)
    assert f"between {min(sizes):.4g} and {max(sizes):.4g}" in str(fault.value)
    assert "\n" not in str(fault.value)


def test_what_no_cell_meets_ends_in_one_line() -> None:
    def never(cell: DrawnCell, number: int, as_wanted: bool) -> dict[str, float]:
        return {"size": 44.0, "growth": np.nan}

    with pytest.raises(InputError) as fault:
        draw(condition("size=44±1", "growth>1", measure=never), 2)
    tried = 2 * ATTEMPTS_A_CELL
    assert f"size=44±1 (met by {tried} of {tried}), growth>1 (met by 0 of {tried}): 0 of 2" in str(fault.value)
    assert "\n" not in str(fault.value)


def test_too_few_cells_for_a_regression() -> None:
    table = {"size": np.array([1.0, 2, 3] + [np.nan] * 9)}
    with pytest.raises(InputError, match="--where size>1: only 3 learned cells have it"):
        Condition((parse_request("size>1", NAMES),), Drawn(CODES), table, measure)


def test_a_size_beside_the_code_is_looked_at() -> None:
    """Where size is a variable of its own, draws are chosen by it, and few have to be measured."""
    logs = RNG.normal(0, 0.2, (12, 3))
    sizes = np.exp(3 * logs.mean(axis=1))
    measured = []

    def weighed(cell: DrawnCell, number: int, as_wanted: bool) -> dict[str, float]:
        measured.append(as_wanted)
        return {"size": float(np.exp(3 * np.log(cell.variables["scale"]).mean()))}

    learned = Drawn(CODES, {"scale": np.exp(logs)})
    asked = Condition((parse_request("size=1.2±0.05", NAMES),), learned, {"size": sizes}, weighed)
    prior = Sized(fit_prior("covariance", CODES), logs, lambda _: np.ones(3))
    cells = asked.draw(prior, 5, np.random.default_rng(0))
    assert all(1.15 <= np.exp(3 * np.log(cell.variables["scale"]).mean()) <= 1.25 for cell in cells)
    assert measured.count(False) < 40
