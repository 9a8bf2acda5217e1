"""Settings of a texture model; the defaults are pix2pixHD's (Wang et al. 2018)."""

from typing import ClassVar, Literal

from pydantic import Field

from cytoform.base.settings import Count, Rate, SettingsFile, SettingsSection, Weight
from cytoform.errors import InputError

MOST_WEIGHTS = 1 << 29  # of the widest layers; 2 GB


class GeneratorConfig(SettingsSection):
    """Network that generates images from masks."""

    kind: Literal["global", "enhancer", "spade"] = "global"
    channels: int = Field(64, ge=2, le=512)  # of the global generator at full resolution; half as many in the enhancer
    downsamplings: int = Field(4, ge=1, le=6)
    blocks: int = Field(9, ge=1, le=32)  # residual, at the lowest resolution
    enhancer_blocks: int = Field(3, ge=1, le=32)
    # instance: as published, with the statistics of each image in training and averaged ones later; pixel: over the
    # channels of every pixel, without statistics of the image.
    norm: Literal["instance", "pixel"] = "instance"
    upsampling: Literal["transposed", "resized"] = "transposed"  # resized avoids checkerboard patterns in even regions

    def check_memory(self) -> None:
        """Raise InputError for a network that is too large to be trained."""
        widest = self.channels << self.downsamplings
        if 18 * (self.blocks + self.downsamplings) * widest**2 > MOST_WEIGHTS:
            raise InputError(
                f"generator: {self.blocks} blocks of {widest} channels have more than {MOST_WEIGHTS:,} weights; choose fewer "
                "generator.channels or generator.downsamplings"
            )


class DiscriminatorConfig(SettingsSection):
    """Networks that distinguish real from generated images."""

    scales: int = Field(2, ge=1, le=4)  # number of discriminators, each at half the resolution of the previous one
    channels: int = Field(64, ge=2, le=512)
    layers: int = Field(3, ge=1, le=6)  # with a stride of 2


class TextureTrainingConfig(SettingsSection):
    """Losses, optimiser and schedule."""

    epochs: Count = 100  # at the full learning rate; an epoch draws `crops_per_image` from every image
    decay_epochs: int = Field(
        100, ge=0, le=1_000_000
    )  # linear decay of the learning rate to 0; statistics of instance norms are fixed
    coarse_epochs: int = Field(
        0, ge=0, le=1_000_000
    )  # first: the enhancer's global generator alone, at half the resolution
    enhancer_epochs: int = Field(10, ge=0, le=1_000_000)  # then: the enhancer alone; afterwards both are trained
    crop_px: int = Field(512, ge=16, le=8192)
    crops_per_image: Count = 1
    crops_per_batch: int = Field(1, ge=1, le=4096)
    learning_rate: Rate = 2e-4
    matching_weight: Weight = 10.0  # of the feature-matching loss (all discriminator layers but the last)
    # Features are averaged over squares of this size before comparison. 1 is as published, and penalises noise.
    matching_px: int = Field(1, ge=1, le=4096)
    # Of the local difference in the strength of fine detail; not in pix2pixHD. It learns the strength of noise in a few
    # hundred steps instead of the thousands needed by discriminators.
    detail_weight: Weight = 0.0
    perceptual_file: str = ""  # safetensors of VGG-19's convolutions; empty: no perceptual loss
    perceptual_weight: Weight = 10.0
    checkpoint_epochs: Count = 10
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"  # 16-mixed: on a GPU only


class TextureConfig(SettingsFile):
    """All settings of a texture model."""

    presets: ClassVar[str] = "imaging/networks/presets"

    generator: GeneratorConfig = GeneratorConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    training: TextureTrainingConfig = TextureTrainingConfig()
