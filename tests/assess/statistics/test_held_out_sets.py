"""Held-out cells beside learned and new ones: memorisation, novelty, and sets of equal size."""

import math
from itertools import product

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu, norm
from stores import ball, write_store

from cytoform.assess.statistics.held_out_sets import HeldOutSets, Memorisation
from cytoform.assess.statistics.near_duplicates import NearDuplicates, SetReference
from cytoform.assess.statistics.sets import SetDistances, compare_sets
from cytoform.assess.stores import measure_stores, select


def test_z_is_the_standardised_u_and_p_is_one_sided() -> None:
    rng = np.random.default_rng(0)
    new, held_out = rng.normal(0.4, 1, 33), rng.normal(size=12)
    found = Memorisation.of(new, held_out)
    u = mannwhitneyu(new, held_out).statistic
    assert found.z == pytest.approx((u - 33 * 12 / 2) / math.sqrt(33 * 12 * 46 / 12))
    assert found.p == mannwhitneyu(new, held_out, alternative="less").pvalue
    assert found.p == pytest.approx(norm.cdf(found.z), abs=0.01)
    assert math.isnan(Memorisation.of(new, np.empty(0)).z)


def test_p_is_uniform_where_new_cells_are_like_held_out_ones_and_small_for_copies() -> None:
    rng = np.random.default_rng(1)
    p = [Memorisation.of(rng.normal(size=20), rng.normal(size=12)).p for _ in range(300)]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.03)
    copies = Memorisation.of(0.01 * rng.random(20), 1 + rng.random(12))
    assert copies.z < -4
    assert copies.p < 1e-5


def test_sets_of_unequal_size_are_compared_with_equally_many() -> None:
    """1-NNA of all sequences of two alike sets depends on their sizes; that of equally many is one half."""
    rng = np.random.default_rng(2)

    def accuracy(n: int, n_each: int | None) -> float:
        a, b = rng.normal(size=(60, 2)), rng.normal(size=(n, 2))
        distances = SetDistances(cdist(a, a), cdist(a, b), cdist(b, b))
        return compare_sets(distances, rng=rng, n_replicates=2, n_each=n_each).one_nna.value

    assert np.mean([accuracy(6, None) for _ in range(20)]) > 0.75
    assert np.mean([accuracy(6, 6) for _ in range(20)]) == pytest.approx(0.5, abs=0.08)


def test_equally_many_of_equal_sets_are_all_of_them() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(9, 3)), rng.normal(size=(9, 3))
    distances = SetDistances(cdist(a, a), cdist(a, b), cdist(b, b))
    whole, each = (compare_sets(distances, rng=np.random.default_rng(0), n_each=n) for n in (None, 9))
    assert whole == each


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NearDuplicates]:
    """Copies and new balls, against nine learned and four held-out ones, whose radii lie half-way between learned ones."""
    home = tmp_path_factory.mktemp("sets")

    def balls(name: str, *radii_um: float) -> dict[str, list[np.ndarray]]:
        """Sequences of two frames, with every pair of these radii."""
        return {f"{name}{i}": [ball(r) for r in pair] for i, pair in enumerate(product(radii_um, repeat=2))}

    learned = 2.2, 3.4, 4.6
    paths = [
        write_store(home / "learned.zarr", balls("l", *learned)),
        write_store(home / "copies.zarr", balls("c", *learned)),
        write_store(home / "new.zarr", balls("n", 2.75, 4.05)),
        write_store(home / "held.zarr", balls("h", 2.8, 4.0)),
    ]
    selection = select(paths[0], paths[1:3], paired=[False, False], held_out=paths[3])
    reference, *others, held_out = measure_stores(selection)
    as_set = SetReference(reference, seed=0, workers=1, held_out=held_out)
    return {other.path.stem: as_set.compare(other) for other in others}


def sets_of(found: NearDuplicates) -> HeldOutSets:
    assert found.held_out is not None
    return found.held_out


def test_copies_have_no_novelty_and_a_strongly_negative_z(compared: dict[str, NearDuplicates]) -> None:
    copies, new = sets_of(compared["copies"]), sets_of(compared["new"])
    assert copies.novelty_ratio < 0.2
    assert copies.memorisation.z < -2.5
    assert copies.memorisation.p < 0.01
    assert new.novelty_ratio == pytest.approx((0.55 / 0.6) ** 2, rel=0.2)
    assert new.memorisation.p > 0.05
    assert copies.n_each == new.n_each == 4
    # Of one set, at the same times: the same figures, whatever is compared.
    assert copies.held_out_um2 == new.held_out_um2
    assert copies.held_out_learned == new.held_out_learned
    assert copies.new_um2 == compared["copies"].novelty_um2


def test_the_comparison_with_the_learned_cells_alone_stays_the_same(compared: dict[str, NearDuplicates]) -> None:
    assert set(compared["new"].to_json()) == {
        *(
            "mmd_um2",
            "coverage",
            "one_nna",
            "novelty_um2",
            "reference_nearest_um2",
            "nearest",
            "frames",
            "points",
            "pose",
        )
    }


def test_without_a_second_held_out_cell_sets_are_undefined(compared: dict[str, NearDuplicates]) -> None:
    lone = HeldOutSets(
        *[sets_of(compared["new"]).new_learned] * 3, {"n": 1.0}, {"h": 0.05}, Memorisation(0.0, 0.5), 0.1, 1, 2
    )
    # The held-out cell lies no farther from a learned one than random points on one surface.
    assert math.isnan(lone.novelty_ratio)
