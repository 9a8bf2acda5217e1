"""Settings of a texture model; the defaults are those of pix2pixHD (Wang et al. 2018)."""

from typing import ClassVar, Literal

from pydantic import Field

from cytoform.base.settings import SettingsFile, SettingsSection


class GeneratorConfig(SettingsSection):
    """What makes images of masks."""

    kind: Literal["global", "enhancer", "spade"] = "global"
    channels: int = Field(64, ge=2, le=512)  # of the global generator at full resolution; the enhancer has half as many
    downsamplings: int = Field(4, ge=1, le=6)
    blocks: int = Field(9, ge=1, le=32)  # residual, at the lowest resolution
    enhancer_blocks: int = Field(3, ge=1, le=32)
    # instance: as published, with the statistics of each image in training and fixed ones later; pixel: over the
    # channels of every pixel, which needs no statistics.
    norm: Literal["instance", "pixel"] = "instance"
    upsampling: Literal["transposed", "resized"] = "transposed"  # resized: leaves no chequered pattern in what is even


class DiscriminatorConfig(SettingsSection):
    """What tells real images from generated ones."""

    scales: int = Field(2, ge=1, le=4)  # discriminators, each at half the resolution of the one before
    channels: int = Field(64, ge=2, le=512)
    layers: int = Field(3, ge=1, le=6)  # with a stride of 2


class TextureTrainingConfig(SettingsSection):
    """Losses, optimiser and schedule."""

    epochs: int = Field(100, ge=1)  # at the full learning rate; an epoch shows `crops_per_image` of every image
    decay_epochs: int = Field(100, ge=0)  # in which it falls to nothing; instance norms have fixed statistics then
    coarse_epochs: int = Field(0, ge=0)  # of an enhancer's global generator alone, at half the resolution; come first
    enhancer_epochs: int = Field(10, ge=0)  # of the enhancer alone, then; after them both learn
    crop_px: int = Field(512, ge=16)
    crops_per_image: int = Field(1, ge=1)
    crops_per_batch: int = Field(1, ge=1)
    learning_rate: float = Field(2e-4, gt=0)
    matching_weight: float = Field(10.0, ge=0)  # of the features of all layers of the discriminators but the last
    # Features are compared as means over squares of so many pixels. 1 is as published, and takes noise for a fault.
    matching_px: int = Field(1, ge=1)
    # Of differences in the strength of fine detail, place by place, whatever the detail; not published. It teaches how
    # strong noise is in a few hundred steps, which discriminators take thousands for.
    detail_weight: float = Field(0.0, ge=0)
    perceptual_file: str = ""  # safetensors of VGG-19's convolutions; none: no perceptual loss
    perceptual_weight: float = Field(10.0, ge=0)
    checkpoint_epochs: int = Field(10, ge=1)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"  # 16-mixed: on a GPU only


class TextureConfig(SettingsFile):
    """All settings of a texture model."""

    presets: ClassVar[str] = "imaging/networks/presets"

    generator: GeneratorConfig = GeneratorConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    training: TextureTrainingConfig = TextureTrainingConfig()
