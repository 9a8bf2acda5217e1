"""A network in the frame of components: resumed to the same bytes, and its codes know mirror images."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from flat import ellipses
from refined_run import GRID, N_FRAMES, refined_config, write_bodies

from cytoform.errors import InputError
from cytoform.representations.refined.representation import Refined
from cytoform.representations.rotation import MIRRORS
from cytoform.runs.refined import Place
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


def test_learned_cells_come_back(run: Path, bodies: Path) -> None:
    assert jaccard(run, bodies) > 0.9


def test_a_mirror_image_has_the_code_with_other_signs(run: Path) -> None:
    decoder, code = load_run(run).decoder, load_run(run).codes[0]
    images = torch.from_numpy(decoder.images(code[None].numpy())).float()
    points = torch.tensor(np.random.default_rng(0).uniform(-0.4, 0.4, (2000, 3)), dtype=torch.float32)
    own = decoder.frame(code, 0.2)(points)
    for image, mirror in zip(images, torch.from_numpy(MIRRORS[3]), strict=True):
        assert float((decoder.frame(image, 0.2)(points * mirror) - own).abs().mean()) < 0.25 * float(own.abs().mean())


def test_a_run_is_whole(run: Path) -> None:
    found = load_run(run)
    assert isinstance(found.decoder, Refined)
    assert found.has_scales
    assert found.codes.shape == (4, 4, 12)
    assert {path.name for path in run.iterdir()}.isdisjoint({"components.safetensors", "samples"})


def test_samples_lie_in_the_cube_of_the_grid() -> None:
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3))).Q
    samples = np.array([[0.1, 0.2, 0.3, -0.1], [0.5, -0.5, 0.5, 0.4]], np.float32)
    found = Place(turn, 0.8, 0.7).brought(samples, 0.3)
    assert found[0, :3] @ turn * 0.8 * 0.7 == pytest.approx(samples[0, :3], abs=1e-6)
    assert np.abs(found[1, :3]).max() == 1
    assert found[:, 3] == pytest.approx([-0.125, 0.3])


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
    assert train(shapes, tmp_path / "run", refined_config("training.epochs=40")).finished
    store = ShapeStore.open(shapes)
    name = store.names[0]
    known, found = store[name].mask(0), load(tmp_path / "run").field(name).render(-1.0, store.grid.size).mask()
    assert (known & found).sum() / (known | found).sum() > 0.8


def test_the_grid_of_the_store_is_that_of_the_run(run: Path) -> None:
    assert load_run(run).learned.cube == GRID
