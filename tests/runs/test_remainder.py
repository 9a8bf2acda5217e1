"""A network trained on what components leave: resumed to the same bytes, and closer to the cells than components alone."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from flat import ellipses
from refined_run import GRID, N_FRAMES, refined_config, write_bodies

from cytoform.errors import InputError
from cytoform.representations.linear.representation import Linear
from cytoform.representations.refined.representation import Refined
from cytoform.representations.representation import SCALE
from cytoform.runs.config import load_config
from cytoform.runs.remainder import left_by
from cytoform.runs.run import load_run
from cytoform.runs.stage import train
from cytoform.shapes.grid import frame_times
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import load


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bodies(tmp_path_factory.mktemp("bodies") / "bodies.zarr")


@pytest.fixture(scope="module")
def run(bodies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("refined") / "run"
    assert train(bodies, out, refined_config()).finished
    return out


def jaccard(run: Path, shapes: Path) -> float:
    """Over all frames of all cells."""
    cells, store, found = load(run), ShapeStore.open(shapes), []
    for name in cells.names:
        for frame, time in enumerate(frame_times(N_FRAMES)):
            known = store[name].mask(frame)
            seen = cells.field(name).render(float(time), store.grid.size).mask()
            found.append((known & seen).sum() / (known | seen).sum())
    return float(np.mean(found))


def test_the_network_brings_cells_closer_than_few_components_alone(bodies: Path, tmp_path: Path) -> None:
    few = ["model.nodes=16", "model.components=3", "model.knots=4"]
    train(bodies, tmp_path / "linear", load_config(preset="linear", settings=few))
    train(bodies, tmp_path / "refined", refined_config(*few, "training.epochs=60"))
    assert jaccard(tmp_path / "refined", bodies) > jaccard(tmp_path / "linear", bodies) + 0.005


def test_a_run_is_whole(run: Path) -> None:
    found = load_run(run)
    assert isinstance(found.decoder, Refined)
    assert found.has_scales
    assert found.codes.shape == (4, 4, 12)
    assert {path.name for path in run.iterdir()}.isdisjoint({"components.safetensors", "samples"})


def test_samples_and_what_is_left_of_them_make_the_distance(run: Path) -> None:
    cells = load_run(run)
    decoder, code = cells.decoder, cells.codes[0]
    assert isinstance(decoder, Linear)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1))).Q
    frame = decoder.grid_frame(code, 0.2, rotation=turn, variables={SCALE: torch.tensor([0.8, 0.8])})
    rng = np.random.default_rng(0)
    samples = np.column_stack([rng.uniform(-0.3, 0.3, (50, 3)), rng.uniform(-0.02, 0.02, 50)]).astype(np.float32)
    left = left_by(frame, samples, decoder.cut, 2.0)
    assert np.abs(left[:, :3] * 0.8 * float(decoder.extent) - samples[:, :3] @ turn.numpy().T).max() < 1e-6
    width = decoder.cut * 2 * 0.8 * float(decoder.extent) / decoder.nodes
    found = frame(torch.from_numpy(samples[:, :3])).numpy().clip(-width, width) + 0.8 * left[:, 3]
    assert np.abs(found - samples[:, 3]).max() < 1e-6


def test_a_stopped_training_goes_on_to_the_same_bytes(
    run: Path, bodies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cytoform.runs.trainer import Trainer

    steps, step = [], Trainer._step

    def stopping(trainer: Trainer, rows: np.ndarray) -> int:
        steps.append(1)
        if len(steps) == 18:
            raise KeyboardInterrupt
        return step(trainer, rows)

    monkeypatch.setattr(Trainer, "_step", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(bodies, tmp_path / "run", refined_config())
    assert not (tmp_path / "run" / "model.safetensors").exists()
    monkeypatch.setattr(Trainer, "_step", step)
    assert train(bodies, tmp_path / "run", resume=True).finished
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()
    assert (tmp_path / "run" / "config.toml").read_bytes() == (run / "config.toml").read_bytes()


def test_a_training_without_its_components_ends_in_one_line(
    bodies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cytoform.runs.trainer import Trainer

    def never(trainer: Trainer, rows: np.ndarray) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", never)
        with pytest.raises(KeyboardInterrupt):
            train(bodies, tmp_path / "run", refined_config())
    for fault in ("damaged", "missing"):
        place = tmp_path / fault
        shutil.copytree(tmp_path / "run", place)
        file = place / "components.safetensors"
        file.write_bytes(b"{}") if fault == "damaged" else file.unlink()
        with pytest.raises(InputError, match=r"components\.safetensors") as found:
            train(bodies, place, resume=True)
        assert "\n" not in str(found.value)


def test_learned_rotations_are_refused(bodies: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model\.rotations"):
        train(bodies, tmp_path / "run", refined_config("model.rotations=learned"))
    assert not (tmp_path / "run").exists()


def test_cells_in_images_are_refined(tmp_path: Path) -> None:
    shapes = ellipses(tmp_path / "flat.zarr", n=4)
    assert train(shapes, tmp_path / "run", refined_config("training.epochs=3")).finished
    store = ShapeStore.open(shapes)
    name = store.names[0]
    known, found = store[name].mask(0), load(tmp_path / "run").field(name).render(-1.0, store.grid.size).mask()
    assert (known & found).sum() / (known | found).sum() > 0.8


def test_the_grid_of_the_store_is_that_of_the_run(run: Path) -> None:
    assert load_run(run).learned.cube == GRID
