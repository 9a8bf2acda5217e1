"""Principal components of codes, and their map by UMAP."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytoform.reports.latent.components import FEWEST_MAPPED, principal_components, umap_positions


def random_codes(n: int, code_dim: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, (n, code_dim)).astype(np.float32)


@given(n=st.integers(1, 8), code_dim=st.integers(1, 8), seed=st.integers(0, 99))
def test_components_hold_the_codes(n: int, code_dim: int, seed: int) -> None:
    codes = random_codes(n, code_dim, seed)
    found = principal_components(codes)
    assert len(found.sigmas) == min(n - 1, code_dim)
    assert found.directions @ found.directions.T == pytest.approx(np.eye(len(found.sigmas)), abs=1e-9)
    coordinates = found.coordinates(codes)
    assert found.mean + coordinates @ found.directions == pytest.approx(codes, abs=1e-7)
    if n > 1:
        assert coordinates.std(axis=0, ddof=1) == pytest.approx(found.sigmas, rel=1e-4)
        assert found.shares.sum() == pytest.approx(1)
        assert (np.diff(found.shares) <= 0).all()


def test_a_line_of_codes_has_one_component_and_its_direction() -> None:
    codes = np.outer([-2.0, 0.0, 2.0], [0.6, 0.0, -0.8]).astype(np.float32) + np.float32(0.25)
    found = principal_components(codes)
    assert found.directions == pytest.approx(np.array([[-0.6, 0, 0.8]]), abs=1e-6)  # largest entry positive
    assert found.code(0, -2) == pytest.approx(0.25 + np.array([2.4, 0, -3.2]), abs=1e-6)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_equal_codes_have_no_component(n: int) -> None:
    for code in (np.zeros(5), np.full(5, 0.1)):
        codes = np.tile(code, (n, 1)).astype(np.float32)
        found = principal_components(codes)
        assert (found.directions.shape, len(found.shares)) == ((0, 5), 0)
        assert found.coordinates(codes).shape == (n, 0)


def test_no_umap_of_few_codes_or_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    assert umap_positions(random_codes(FEWEST_MAPPED - 1, 4), seed=0) is None
    monkeypatch.setitem(sys.modules, "umap", None)
    assert umap_positions(random_codes(FEWEST_MAPPED, 4), seed=0) is None


@pytest.mark.long
def test_umap_keeps_groups_apart_and_is_seeded() -> None:
    pytest.importorskip("umap")
    codes = random_codes(24, 6)
    codes[:12] += 3
    places = umap_positions(codes, seed=3)
    assert places is not None
    assert places.shape == (24, 2)
    middles = places[:12].mean(axis=0), places[12:].mean(axis=0)
    spread = max(np.linalg.norm(places[:12] - middles[0], axis=1).max(), places[12:].std())
    assert np.linalg.norm(middles[0] - middles[1]) > spread
    again = umap_positions(codes, seed=3)
    assert again is not None
    assert np.array_equal(places, again)
    equal = umap_positions(np.zeros((8, 3), np.float32), seed=0)
    assert equal is not None
    assert np.isfinite(equal).all()
