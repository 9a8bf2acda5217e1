"""Components of grids and their mirror images, against scikit-learn's of all images written out."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from cytoform.representations.linear.representation import unfolded
from cytoform.runs.principal_components import principal_components


def test_components_are_those_of_all_frames_and_their_mirror_images() -> None:
    rng = np.random.default_rng(1)
    basis = rng.normal(size=(5, 8, 8, 8))
    grids = np.tensordot(rng.normal(size=(12, 5)) * [5, 4, 3, 2, 1], basis, 1).astype(np.float32)
    images = [np.flip(grids, [a for a in (1, 2, 3) if k >> (a - 1) & 1]) for k in range(8)]
    expected = PCA(20).fit(np.concatenate(images).reshape(96, -1).astype(float))
    found = principal_components(grids, 20)
    vectors = np.stack(
        [
            unfolded(torch.tensor(o), tuple(map(bool, odd))).numpy()
            for o, odd in zip(found.octants, found.odd, strict=True)
        ]
    ).reshape(20, -1)
    assert vectors @ vectors.T == pytest.approx(np.eye(20), abs=1e-6)
    # The same subspace: the projection on either keeps the other.
    assert np.linalg.svd(vectors @ expected.components_.T)[1][:10] == pytest.approx(np.ones(10), abs=1e-5)
    weights = found.weights_of(grids)
    assert weights.var(axis=0).sum() <= expected.explained_variance_.sum() * 96 / 95
    every = principal_components(grids, 200)
    assert every.error(grids, every.weights_of(grids)) < 1e-4
