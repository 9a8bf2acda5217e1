"""The principal frames of a store: one body in several poses has one canonical pose."""

import numpy as np
import pytest
import stores
from scipy.spatial.transform import Rotation

from cytoform.representations.rotation import to_matrix
from cytoform.runs.alignment import principal_rotations
from cytoform.runs.samples import training_frames
from cytoform.shapes.store import ShapeStore

TURNS = Rotation.random(4, random_state=np.random.default_rng(3))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ShapeStore:
    path = tmp_path_factory.mktemp("turned") / "turned.zarr"
    bodies = {f"s{n}": [stores.lopsided(turn, growth=g) for g in (0.9, 1.1)] for n, turn in enumerate(TURNS)}
    return ShapeStore.open(stores.write_store(path, bodies))


def test_one_body_in_several_poses_gets_one(store: ShapeStore) -> None:
    rotations = principal_rotations(store, training_frames(store, store.names, 1))
    from_body = to_matrix(rotations).numpy() @ TURNS.as_matrix()
    for other in from_body[1:]:
        # Voxels are coarse, and the two short axes are much alike.
        assert Rotation.from_matrix(other @ from_body[0].T).magnitude() < np.radians(10)
    # Its long axis, and the side to which that trails off, lie along x.
    assert (from_body @ [1.0, 0.0, 0.0])[:, 0].min() > 0.9


def test_only_frames_that_are_learned_count(store: ShapeStore) -> None:
    every, second = (principal_rotations(store, training_frames(store, store.names, stride)) for stride in (1, 2))
    assert every.shape == second.shape == (4, 4)
    assert not np.array_equal(every.numpy(), second.numpy())
