"""The judgement that chooses between ways of making cells: good cells before copies, averages and debris."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats.qmc import Halton
from stores import ball, write_store

from cytoform.assess.judgement import Judgement, judge, pieces_share
from cytoform.assess.results import evaluate
from cytoform.assess.stores import MeasuredStore, measure_stores, select
from cytoform.errors import InputError
from cytoform.shapes.grid import Grid

N = 9
GRID = Grid(24, 6.0)


def cells(radii_um: np.ndarray) -> dict[str, list[np.ndarray]]:
    """Balls whose radius changes linearly over three frames, from the first of two radii to the second."""
    frames = [[ball(r, grid=GRID) for r in np.linspace(*pair, 3)] for pair in radii_um]
    return {f"s{i}": each for i, each in enumerate(frames)}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MeasuredStore]:
    """Learned, held-out and good cells fill one population evenly."""
    home = tmp_path_factory.mktemp("judged")
    population = 2.0 + 3.0 * Halton(2, rng=np.random.default_rng(8)).random(3 * N)
    sets = {
        "learned": cells(population[:N]),
        "held": cells(population[N : 2 * N]),
        "good": cells(population[2 * N :]),
        "copies": cells(population[:N] + 0.01),
        "average": cells(3.4 + 0.02 * population[:N]),
    }
    paths = [write_store(home / f"{name}.zarr", frames, grid=GRID) for name, frames in sets.items()]
    return dict(zip(sets, measure_stores(select(paths[0], paths[1:], paired=[False] * 4)), strict=True))


@pytest.fixture(scope="module")
def judged(measured: dict[str, MeasuredStore]) -> dict[str, Judgement]:
    learned, held = measured["learned"], measured["held"]
    return {name: judge(measured[name], learned, held_out=held) for name in ("good", "copies", "average")}


def test_good_cells_pass_and_come_first(judged: dict[str, Judgement]) -> None:
    scores = {name: each.score for name, each in judged.items()}
    assert judged["good"].passes, judged["good"].to_json()
    assert scores["good"] == 1
    assert max(scores[name] for name in ("copies", "average")) < 0.9
    assert judged["copies"].to_json()["failed"] == ["novelty_ratio", "memorisation_p"]
    assert judged["copies"].memorisation_z < -2
    assert judged["average"].shares["one_nna"] < 1


def test_figures_are_those_of_the_comparison(judged: dict[str, Judgement], measured: dict[str, MeasuredStore]) -> None:
    paths = {name: store.path for name, store in measured.items()}
    results = evaluate(paths["learned"], paths["good"], paired=False, held_out=paths["held"])
    assert Judgement.of(results) == judged["good"]
    found = results.to_json()
    assert judged["good"].p_sequences["jaccard_next"] == found["temporal"]["jaccard_next"]["ks_p_sequences"]
    assert judged["good"].p_frames["sphericity"] == found["descriptors"]["sphericity"]["ks_p_permuted"]
    assert judged["good"].one_nna == found["held_out"]["sets"]["other_to_held_out"]["one_nna"]["value"]
    assert judged["good"].novelty_ratio == found["held_out"]["sets"]["novelty_ratio"]
    assert judged["good"].jaccard_next == pytest.approx(found["temporal"]["jaccard_next"]["other"]["mean"])
    json.dumps(judged["good"].to_json())


def test_without_held_out_cells_memorisation_is_undefined(measured: dict[str, MeasuredStore]) -> None:
    found = judge(measured["copies"], measured["learned"])
    assert all(math.isnan(v) for v in (found.novelty_ratio, found.memorisation_z, found.memorisation_p))
    assert set(found.shares).isdisjoint({"novelty_ratio", "memorisation_p"})
    # Copies lie beside the originals, not among each other.
    assert found.one_nna < 0.3


def test_folds_of_one_store(measured: dict[str, MeasuredStore]) -> None:
    store = measured["learned"]
    fold, rest = store.only(store.names[:2]), store.only(store.names[2:])
    assert judge(measured["good"], rest, held_out=fold).pieces_share == 1
    with pytest.raises(InputError, match="'s0' is 's0' of"):
        judge(measured["good"], store, held_out=fold)


def with_pieces(store: MeasuredStore, *frames: tuple[int, int]) -> MeasuredStore:
    """A store of one sequence with these numbers of bodies and of pieces."""
    first = store.sequences[0]
    made = tuple(replace(first.frames[0], topology=replace(first.frames[0].topology, components=p)) for _, p in frames)
    return replace(store, sequences=(replace(first, frames=made, n_bodies=tuple(n for n, _ in frames)),))


def test_pieces_are_compared_with_their_distribution(measured: dict[str, MeasuredStore]) -> None:
    store = measured["learned"]
    dividing = with_pieces(store, (1, 1), (1, 1), (2, 2), (2, 2))
    crumbly = with_pieces(store, (1, 1), (1, 3))
    whole = with_pieces(store, (1, 1), (1, 1), (1, 1))
    assert pieces_share(dividing, dividing) == 1
    assert pieces_share(whole, dividing) == 0.5
    assert pieces_share(with_pieces(store, (2, 2), (1, 1), (1, 1), (1, 1)), dividing) == 0.75
    assert pieces_share(with_pieces(store, (3, 3)), dividing) == 0
    # Fewer crumbs are no fault, more are.
    assert pieces_share(whole, crumbly) == 1
    assert pieces_share(crumbly, whole) == 0.5


def test_four_questions_count_alike(judged: dict[str, Judgement]) -> None:
    good = judged["good"]
    assert replace(good, one_nna=1.0).score == pytest.approx(0.01**0.25)
    assert replace(good, pieces_share=0.45).score == pytest.approx(0.5**0.25)
    assert replace(good, novelty_ratio=0.0).score == pytest.approx(0.01**0.125)
    apart = replace(good, p_frames=dict.fromkeys(good.p_frames, 0.0))
    assert apart.score == pytest.approx(0.01 ** (3 / 32))


def test_a_stated_figure_fails_alone(judged: dict[str, Judgement]) -> None:
    good = judged["good"]
    for change, name in {
        ("one_nna", 0.9): "one_nna",
        ("one_nna", 0.1): "one_nna",
        ("novelty_ratio", 0.5): "novelty_ratio",
        ("memorisation_p", 0.01): "memorisation_p",
    }.items():
        assert replace(good, **{change[0]: change[1]}).to_json()["failed"] == [name]
    apart = replace(good, p_sequences={**good.p_sequences, "size_um3": 1e-4})
    assert apart.to_json()["failed"] == ["size_um3 over sequences"]
    assert apart.score < good.score


def test_paired_cells_are_no_new_ones(measured: dict[str, MeasuredStore]) -> None:
    paired = evaluate(measured["learned"].path, measured["learned"].path, paired=True)
    assert math.isnan(Judgement.of(paired).one_nna)
