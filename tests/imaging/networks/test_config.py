"""Settings of texture models: pix2pixHD's by default, presets that hold only what differs, no dead knobs."""

import tomllib
from pathlib import Path

import pytest

from cytoform.errors import InputError
from cytoform.imaging.networks.config import TextureConfig

IMAGING = Path(__file__).parents[3] / "src" / "cytoform" / "imaging"


def test_the_paper_is_pix2pixhd() -> None:
    config = TextureConfig.load(preset="paper")
    generator, training = config.generator, config.training
    assert (generator.kind, generator.channels, generator.downsamplings, generator.blocks) == ("enhancer", 64, 4, 9)
    assert (generator.enhancer_blocks, generator.norm, training.enhancer_epochs) == (3, "instance", 10)
    assert (training.epochs, training.decay_epochs, training.learning_rate) == (100, 100, 2e-4)
    assert (training.matching_weight, training.matching_px, training.detail_weight) == (10, 1, 0)
    assert training.perceptual_file == ""


@pytest.mark.parametrize("name", TextureConfig.preset_names())
def test_presets_hold_only_what_differs(name: str) -> None:
    values = tomllib.loads((IMAGING / "networks" / "presets" / f"{name}.toml").read_text())
    defaults = TextureConfig().model_dump(mode="json")
    for section, settings in values.items():
        for key, value in settings.items():
            assert value != defaults[section][key], f"{section}.{key}"


def test_every_knob_is_read() -> None:
    text = "".join(path.read_text() for path in IMAGING.rglob("*.py") if path.name != "config.py")
    for section, settings in TextureConfig().model_dump().items():
        for key in settings:
            # Weights of the parts of a loss are read by the names of the parts.
            assert f".{key}" in text or f'"{key.removesuffix("_weight")}"' in text, f"{section}.{key} is never read"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("generator.chanels=3", "did you mean generator.channels"),
        ("generator.kind=unet", "generator.kind"),
        ("training.crop_px=-1", "training.crop_px"),
        ("discriminator.scales=9", "discriminator.scales"),
    ],
)
def test_wrong_settings_are_named(setting: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        TextureConfig.load(preset="small", settings=[setting])
