"""Generators with a common interface: condition channels in, image out."""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import nn

from cytoform.imaging.networks.conditions import CHANNELS
from cytoform.imaging.networks.config import GeneratorConfig
from cytoform.imaging.networks.layers.blocks import Grey, Images
from cytoform.imaging.networks.layers.noise import (
    CAMERA_KERNEL_PX,
    OCTAVES_REACH_PX,
    OCTAVES_SIGMA_PX,
    CameraNoise,
    octaves,
)
from cytoform.imaging.networks.layers.trunks import EnhancerTrunk, GlobalTrunk, SpadeTrunk

TRUNKS: dict[str, Callable[..., Any]] = {"global": GlobalTrunk, "enhancer": EnhancerTrunk, "spade": SpadeTrunk}

INPUTS = (*CHANNELS, "brightness")
# Known properties of cells, noise to be turned into texture, and camera noise. Discriminators see only the first group,
# because the noise behind a real image is unknown.
KNOWN = [INPUTS.index(name) for name in ("inside", "edges", "depth", "brightness")]
TEXTURE = [INPUTS.index(name) for name in ("cell_noise", "field_noise")]
CAMERA_NOISE = [INPUTS.index("frame_noise")]

# coarse: the enhancer's global generator alone, at half the resolution; enhancer: the enhancer alone; whole: both.
TrainingStage = Literal["coarse", "enhancer", "whole"]


class Head(nn.Module):
    """Converts features to an image: 7×7 convolution and tanh as published, plus camera noise."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.image = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(channels, 1, 7))
        self.noise = CameraNoise(channels)

    def forward(self, features: Images, white: Grey) -> Grey:
        """Image with values mostly between -1 and 1."""
        noise = self.noise(features, white)
        return torch.tanh(self.image(features).to(noise.dtype)) + noise


class Generator(nn.Module):
    """Generates images from condition channels. Sides are multiples of `stride`; `reach_px` is the receptive field's radius."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        channels_in = len(KNOWN) + len(OCTAVES_SIGMA_PX) * len(TEXTURE)
        self.trunk = TRUNKS[config.kind](config, channels_in=channels_in)
        self.head = Head(self.trunk.channels_out)
        self.coarse_head = Head(self.trunk.coarse.channels_out) if isinstance(self.trunk, EnhancerTrunk) else None
        self.stride: int = self.trunk.stride
        self.reach_px: int = self.trunk.reach_px + OCTAVES_REACH_PX + max(3, CAMERA_KERNEL_PX // 2)

    def forward(self, conditions: Images, stage: TrainingStage = "whole") -> Grey:
        """Generate an image. At stage "coarse" the conditions must be halved by `halve`."""
        x = torch.cat([conditions[:, KNOWN], octaves(conditions[:, TEXTURE])], dim=1)
        white = conditions[:, CAMERA_NOISE]
        if stage == "coarse" and self.coarse_head is not None:
            return self.coarse_head(self.trunk.coarse(x), white)
        return self.head(self.trunk(x, coarse_learns=stage != "enhancer"), white)


def start_weights(network: nn.Module, *, seed: int) -> None:
    """Draw all weights from N(0, 0.02²) as in pix2pixHD, except for the camera noise."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith("bias"):
                weight.zero_()
            else:
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.02)
    for module in network.modules():
        if isinstance(module, CameraNoise):
            module.start()
