"""The three seams: a second representation and a prior of more than a code go the whole way as table entries."""

from pathlib import Path

import numpy as np
import pytest
import radial
from tiny import write_balls

from cytoform.errors import InputError
from cytoform.priors.file import write_priors
from cytoform.priors.fitted import fit_prior
from cytoform.runs.config import load_config, read_config
from cytoform.runs.stage import train
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.conditional.stage import condition_on
from cytoform.synthesis.sequences import Rendering, generate, reconstruct

SETTINGS = ["model.kind=radial", "training.epochs=120", "training.learning_rate=0.01", "training.code_learning_rate=0.01",
            "training.code_penalty=0", "sampling.pool_points=2000", "training.points_per_frame=500"]  # fmt: skip
HALF_UM = 6.0


END_RADII_UM = {"a": 3.0, "b": 4.0, "c": 2.5, "d": 3.5}


@pytest.fixture
def cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cells:
    """Balls that grow from 2 µm, learned by the second representation, saved and loaded."""
    radial.register(monkeypatch)
    config = load_config(preset="quick", settings=SETTINGS)
    train(write_balls(tmp_path / "balls.zarr", END_RADII_UM), tmp_path / "run", config, at_end=write_priors)
    return load(tmp_path / "run")


def radius_um(store: Path, name: str, frame: int) -> float:
    """The radius of a ball of the stored volume."""
    sequence = ShapeStore.open(store)[name]
    volume_um3 = sequence.mask(frame).sum() * sequence.grid.spacing_um**3
    return float((3 * volume_um3 / (4 * np.pi)) ** (1 / 3))


def test_a_second_representation_is_trained_saved_loaded_and_rendered(cells: Cells, tmp_path: Path) -> None:
    assert cells.codes.shape == (4, 2, 1)
    assert read_config(cells.run.path / "config.toml").model == radial.RadialConfig()
    reconstruct(cells, tmp_path / "back.zarr")
    for name, end_um in END_RADII_UM.items():
        for frame in range(4):
            expected_um = 2.0 + (end_um - 2.0) * frame / 3
            assert radius_um(tmp_path / "back.zarr", name, frame) == pytest.approx(expected_um, abs=0.1)
    assert np.array_equal(cells.codes_of(ShapeStore.open(tmp_path / "back.zarr")), cells.codes)


def test_its_field_has_exact_gradients_and_refuses_codes_of_another_shape(cells: Cells) -> None:
    field = cells.field("b")
    points = np.array([[6.0, 6.0, 9.0], [2.0, 6.0, 6.0]])
    np.testing.assert_allclose(field.gradient(points, 0.3), [[0, 0, 1], [-1, 0, 0]], atol=1e-5)
    assert field(points, 1.0) == pytest.approx([-1.0, 0.0], abs=0.1)
    assert cells.field(cells.codes[0].ravel())(points, 0.0) == pytest.approx(cells.field("a")(points, 0.0))
    with pytest.raises(InputError, match="its codes have 2 numbers"):
        cells.field(np.zeros(3))


def test_a_prior_draws_more_than_a_code(cells: Cells, tmp_path: Path) -> None:
    """The size that is drawn reaches the rendered cell and is kept with it."""
    generate(cells, tmp_path / "new.zarr", 3, prior="sized", seed=1)
    store = ShapeStore.open(tmp_path / "new.zarr")
    for name in store.names:
        latent = store[name].latent
        assert latent["code"].shape == (2, 1)
        assert 0.5 <= latent["size"] <= 1
        plain = cells.field(latent["code"]).render(1.0, 32).mask().sum()
        found = store[name].mask(store[name].info.n_frames - 1).sum()
        assert found == pytest.approx(plain * latent["size"] ** 3, rel=0.1)


def test_a_request_on_cells_of_such_a_prior(cells: Cells, tmp_path: Path) -> None:
    wanted = condition_on(cells, ["size_um3<60"], rendering=Rendering(32))
    generate(cells, tmp_path / "new.zarr", 2, prior="sized", condition=wanted, rendering=Rendering(32), seed=2)
    store = ShapeStore.open(tmp_path / "new.zarr")
    assert all(store[name].latent["size"] < 1 for name in store.names)


def test_what_a_prior_can_be_given(cells: Cells) -> None:
    rng = np.random.default_rng(0)
    assert (cells.prior("sized").draw(4, rng, given={"size": 0.7}).variables["size"] == 0.7).all()
    with pytest.raises(InputError, match="Gaussian cannot be given size; it can be given nothing"):
        cells.prior("gaussian").draw(4, rng, given={"size": 0.7})


def test_a_variable_that_a_representation_does_not_have(trained: Path) -> None:
    with pytest.raises(InputError, match="its cells have no variable size"):
        load(trained).field("a", variables={"size": np.array(0.7)})


def test_unknown_kinds_and_their_settings_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"unknown model.kind = 'radial'; use one of global"):
        load_config(settings=["model.kind=radial"])
    radial.register(monkeypatch)
    with pytest.raises(InputError, match=r"unknown setting model.width"):
        load_config(settings=["model.kind=radial", "model.width=3"])
    with pytest.raises(InputError, match=r"--prior sizd: unknown; choose one of gaussian, .*sized"):
        fit_prior("sizd", np.zeros((2, 2)))
