"""Texture models: images of any size without seams, and folders that are refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from discs import disc_labels, tiny_texture, write_discs
from safetensors.torch import load_file, save

from cytoform.base.tensors import write_tensors
from cytoform.errors import InputError
from cytoform.imaging.networks import model as module
from cytoform.imaging.networks.model import TextureModel
from cytoform.imaging.networks.stage import train_texture
from cytoform.imaging.networks.tiles import TileLayout
from cytoform.imaging.texture import Texture
from cytoform.movies.pairs.pairs import open_pairs
from cytoform.runs.config import load_config
from cytoform.runs.run import load_run

SPACING = (1.0, 0.5, 0.5)


def render(model: TextureModel, labels: np.ndarray, *, frame: int = 0, seed: int = 0) -> np.ndarray:
    return model.render(labels, spacing_zyx_um=SPACING, frame=frame, seed=seed)


@pytest.mark.parametrize("shape", [(64, 64), (1, 1), (5, 90), (61, 47)])
def test_images_of_any_size_and_of_the_training_images_type(texture: Path, shape: tuple[int, int]) -> None:
    model: Texture = TextureModel.open(texture)
    labels = np.zeros((1, *shape), np.uint16)
    labels[:, : shape[0] // 2] = 7
    image = model.render(labels, spacing_zyx_um=SPACING, frame=3, seed=1)
    assert image.shape == (1, *shape)
    assert image.dtype == model.dtype == np.uint16


def test_frames_follow_from_their_number_and_the_seed(texture: Path) -> None:
    model, labels = TextureModel.open(texture), disc_labels(0)[None]
    first = render(model, labels, frame=1, seed=2)
    np.testing.assert_array_equal(first, render(TextureModel.open(texture), labels, frame=1, seed=2))
    assert (first != render(model, labels, frame=2, seed=2)).any()
    assert (first != render(model, labels, frame=1, seed=3)).any()


@pytest.mark.parametrize("norm", ["pixel", "instance"])
def test_tiles_leave_no_seams(norm: str, discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that sees no further than tiles overlap: as the image in one piece, up to rounding."""
    train_texture(open_pairs([discs]), tmp_path / "model", tiny_texture(f"generator.norm={norm}"))
    model = TextureModel.open(tmp_path / "model")
    labels = np.tile(disc_labels(2), (3, 4))[None, :, :250]
    whole = model.render(labels, spacing_zyx_um=SPACING, frame=0, seed=0).astype(int)
    monkeypatch.setattr(module.TileLayout, "around", lambda reach_px, stride: TileLayout(128, reach_px, 8, stride))
    assert model._generator.reach_px < 50
    tiled = model.render(labels, spacing_zyx_um=SPACING, frame=0, seed=0).astype(int)
    assert np.abs(tiled - whole).max() <= 1
    assert (tiled != whole).mean() < 0.01


def test_projections_need_to_be_asked_for(texture: Path) -> None:
    model, labels = TextureModel.open(texture), np.repeat(disc_labels(0)[None], 3, axis=0)
    with pytest.raises(InputError, match="volumes; pass --projection"):
        render(model, labels)
    projected = model.render(labels, spacing_zyx_um=SPACING, frame=0, seed=0, projection=True)
    np.testing.assert_array_equal(projected, render(model, labels[:1]))


def test_slices_are_rendered_plane_by_plane(tmp_path: Path) -> None:
    pairs = open_pairs([write_discs(tmp_path / "discs", n_frames=2, n_planes=5)], planes="slices")
    train_texture(pairs, tmp_path / "model", tiny_texture())
    model, labels = TextureModel.open(tmp_path / "model"), np.repeat(disc_labels(0)[None], 3, axis=0)
    image = render(model, labels)
    assert image.shape == (3, 64, 64)
    assert (image[0] != image[1]).any()
    brightest = model.render(labels, spacing_zyx_um=SPACING, frame=0, seed=0, projection=True)
    np.testing.assert_array_equal(brightest[0], image.max(axis=0))


def test_other_pixels_are_refused(texture: Path) -> None:
    with pytest.raises(InputError, match=r"learned pixels of 0\.5×0\.5 µm.*0\.25×0\.25"):
        TextureModel.open(texture).render(disc_labels(0)[None], spacing_zyx_um=(1.0, 0.25, 0.25), frame=0, seed=0)


def test_a_folder_that_is_no_texture_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a texture model; give a texture model of 'cytoform texture train'"):
        TextureModel.open(tmp_path)


def test_models_of_shapes_and_of_textures_are_not_taken_for_each_other(texture: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a texture model, not a run folder; give a run folder of 'cytoform train'"):
        load_run(texture)
    (tmp_path / "config.toml").write_text(load_config().to_toml())
    write_tensors(tmp_path / "model.safetensors", {"codes": torch.zeros(1)}, {"learned": "{}"})
    with pytest.raises(InputError, match="is a run folder, not a texture model; give"):
        TextureModel.open(tmp_path)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("unfinished", "--resume"),
        ("sizes", "generator"),
        ("huge", "has shape"),
        ("channels", "channels"),
        ("scale", "scale"),
        ("spacing", "spacing_zyx_um"),
        ("pickle", "safetensors"),
    ],
)
def test_damaged_models_are_refused(fault: str, words: str, texture: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(texture, tmp_path / "model"))
    weights, config = folder / "model.safetensors", folder / "config.toml"
    if fault == "unfinished":
        weights.unlink()
    elif fault == "pickle":
        tensors = {name: tensor.clone() for name, tensor in load_file(weights).items()}
        torch.save(tensors, weights)
    elif fault == "sizes":
        config.write_text(config.read_text().replace("blocks = 1\n", "blocks = 2\n", 1))
        words = "tensor trunk"
    elif fault == "huge":  # a terabyte, if it were made
        config.write_text(
            config.read_text().replace("channels = 4\ndown", "channels = 512\ndown").replace("ings = 2", "ings = 6")
        )
    else:
        learned = _metadata(weights)
        learned["scale"]["width"] = -1.0 if fault == "scale" else learned["scale"]["width"]
        learned["spacing_zyx_um"] = [1.0, 0.0, 1.0] if fault == "spacing" else None
        learned["channels"] = ["inside"] if fault == "channels" else learned["channels"]
        _write(weights, learned)
    with pytest.raises(InputError, match=words) as found:
        TextureModel.open(folder)
    assert "\n" not in str(found.value)


def _metadata(weights: Path) -> dict:
    from cytoform.base.tensors import read_tensors

    return json.loads(read_tensors(weights)[1]["texture"])


def _write(weights: Path, learned: dict) -> None:
    note = {"format": "1", "texture": json.dumps(learned)}
    weights.write_bytes(save(load_file(weights), {"cytoform": json.dumps(note)}))
