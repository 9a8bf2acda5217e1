"""Training of textures: exact resume, same seed same bytes, stages, refusals, and that it learns."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import edt
import numpy as np
import pytest
import torch
from discs import OFFSET, READ_NOISE, SIGNAL, disc_labels, tiny_texture, write_discs
from safetensors.torch import load_file

from cytoform.errors import InputError
from cytoform.imaging.networks.model import TextureModel
from cytoform.imaging.networks.stage import train_texture
from cytoform.imaging.networks.trainer import learning_rate_factor
from cytoform.movies.pairs.pairs import open_pairs
from cytoform.training import loop


def weights(model: Path) -> bytes:
    return (model / "model.safetensors").read_bytes()


@contextmanager
def stopped_after(steps: int) -> Iterator[None]:
    """A signal at this step."""

    @contextmanager
    def requests():
        left = iter(range(steps))
        yield lambda: next(left, None) is None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "stop_requests", requests)
        yield


@pytest.mark.parametrize(
    ("steps", "settings"),
    [
        (5, ()),
        pytest.param(6, ("training.precision=bf16-mixed",), marks=pytest.mark.long),
        (4, ("generator.kind=enhancer", "training.coarse_epochs=1", "training.enhancer_epochs=1")),
        pytest.param(8, ("generator.norm=instance",), marks=pytest.mark.long),
        pytest.param(3, ("generator.kind=spade", "training.matching_px=1"), marks=pytest.mark.long),
    ],
)
def test_resume_is_exact(steps: int, settings: tuple[str, ...], discs: Path, tmp_path: Path) -> None:
    """Ten steps are five, a stop, and five; three to an epoch."""
    config, pairs = tiny_texture(*settings), open_pairs([discs])
    whole = train_texture(pairs, tmp_path / "whole", config, seed=4)
    with stopped_after(steps):
        stopped = train_texture(pairs, tmp_path / "model", config, seed=4)
    assert not stopped.finished
    with pytest.raises(InputError, match="--resume"):
        TextureModel.open(tmp_path / "model")
    finished = train_texture(pairs, tmp_path / "model", resume=True, seed=4)
    assert finished.finished
    assert finished.loss == whole.loss
    assert weights(tmp_path / "model") == weights(tmp_path / "whole")
    rows = [list(csv.DictReader((tmp_path / name / "metrics.csv").open())) for name in ("whole", "model")]
    for one, other in zip(*rows, strict=True):
        assert {**one, "crops_per_second": 0} == {**other, "crops_per_second": 0}


def test_same_seed_same_bytes(discs: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train_texture(open_pairs([discs]), tmp_path / name, tiny_texture("training.decay_epochs=0"), seed=seed)
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert weights(tmp_path / "a") != weights(tmp_path / "c")


def test_an_enhancer_learns_alone_before_both_learn(discs: Path, tmp_path: Path) -> None:
    """At the end of each stage, what has changed since the one before."""
    stages = ("training.coarse_epochs=1", "training.enhancer_epochs=1", "training.epochs=2", "training.decay_epochs=0")
    train_texture(open_pairs([discs]), tmp_path / "model", tiny_texture("generator.kind=enhancer", *stages))
    checkpoints = [load_file(path) for path in sorted((tmp_path / "model" / "checkpoints").iterdir())]
    changed = [
        {
            name.split(".")[3]
            for name in one
            if name.startswith("model.generator.trunk") and (one[name] != other[name]).any()
        }
        for one, other in pairwise(checkpoints)
    ]
    assert changed == [{"before", "after"}, {"before", "after", "coarse"}]


def test_the_rate_is_constant_then_falls_to_nothing() -> None:
    training = tiny_texture("training.epochs=10", "training.decay_epochs=5").training
    assert [learning_rate_factor(training, at) for at in (0, 10, 12.5, 15)] == pytest.approx([1, 1, 0.5, 0])


def test_other_data_settings_or_seeds_are_not_resumed(discs: Path, tmp_path: Path) -> None:
    pairs, out = open_pairs([discs]), tmp_path / "model"
    with stopped_after(4):
        train_texture(pairs, out, tiny_texture())
    with pytest.raises(InputError, match=r"--resume with another set of pairs .* --frames"):
        train_texture(pairs[:4], out, resume=True)
    with pytest.raises(InputError, match=r"--resume with another --seed \(0 before, 3 now\)"):
        train_texture(pairs, out, resume=True, seed=3)
    text = (out / "config.toml").read_text()
    (out / "config.toml").write_text(text.replace("channels = 4", "channels = 6", 1))
    with pytest.raises(InputError, match=r"config\.toml"):
        train_texture(pairs, out, resume=True)
    (out / "config.toml").write_text(text)
    assert train_texture(pairs, out, resume=True).finished
    with pytest.raises(InputError, match="finished"):
        train_texture(pairs, out, resume=True)


def test_what_cannot_be_trained_leaves_nothing(discs: Path, tmp_path: Path) -> None:
    pairs = open_pairs([discs])
    for setting, words in [
        ("training.crop_px=65", "smaller than a crop of 65"),
        ("training.perceptual_file=none.safetensors", "no such file"),
    ]:
        with pytest.raises(InputError, match=words):
            train_texture(pairs, tmp_path / "model", tiny_texture(setting))
    assert not (tmp_path / "model").exists()
    (tmp_path / "model").mkdir()
    with pytest.raises(InputError, match="--overwrite"):
        train_texture(pairs, tmp_path / "model", tiny_texture())


def test_divergence_is_one_clear_line(discs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"training diverged in epoch .*learning_rate"):
        train_texture(open_pairs([discs]), tmp_path / "model", tiny_texture("training.learning_rate=1e30"))


@pytest.mark.long
def test_it_learns_the_levels_and_the_noise_of_a_camera(tmp_path: Path) -> None:
    """On discs that were not seen: mean and noise of background and signal, whose truth is known, and new noise a frame."""
    torch.manual_seed(0)
    # Edges of a single pixel, which no objective makes, would be taken for noise.
    pairs = open_pairs([write_discs(tmp_path / "discs", n_frames=8, blur_px=1.5)])
    settings = (
        "generator.channels=8",
        "training.epochs=60",
        "training.decay_epochs=60",
        "training.learning_rate=1e-3",
    )
    train_texture(pairs, tmp_path / "model", tiny_texture(*settings, "training.crop_px=48"))
    model, labels = TextureModel.open(tmp_path / "model"), np.rot90(disc_labels(15)).copy()[None]
    frames = [
        model.render(labels, spacing_zyx_um=(1.0, 1.0, 1.0), frame=frame, seed=1).astype(float) for frame in (0, 1)
    ]
    for inside, mean, noise in ((0, OFFSET, READ_NOISE), (1, OFFSET + SIGNAL, np.hypot(READ_NOISE, SIGNAL**0.5))):
        pixels = edt.edt((labels[0] > 0) == inside)[None] > 4
        assert frames[0][pixels].mean() == pytest.approx(mean, rel=0.1)
        new = (frames[0] - frames[1])[pixels].std() / np.sqrt(2)
        assert noise / 2 < new < noise * 2
