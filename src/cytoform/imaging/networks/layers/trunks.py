"""pix2pixHD's generators up to their last feature map; `generator.py` makes images of it."""

import torch
from torch import nn

from cytoform.imaging.networks.config import GeneratorConfig
from cytoform.imaging.networks.layers.blocks import Images, ResidualBlock, down, up, wide


def halve(images: Images) -> Images:
    """Half the resolution, as pix2pixHD's pyramids."""
    return nn.functional.avg_pool2d(images, 3, stride=2, padding=1, count_include_pad=False)


class GlobalTrunk(nn.Module):
    """7×7, down-samplings, residual blocks, up-samplings."""

    def __init__(self, config: GeneratorConfig, *, channels_in: int) -> None:
        super().__init__()
        self.channels_out, self.stride = config.channels, 2**config.downsamplings
        # Of both 3×3 convolutions of a block, at the lowest resolution, and of those on the way there and back, which may be
        # followed by interpolation.
        self.reach_px = 3 + 2 * config.blocks * self.stride + (1 + 2 + 1) * self.stride
        layers = wide(channels_in, config.channels, config.norm)
        sizes = [config.channels * 2**n for n in range(config.downsamplings)]
        for channels in sizes:
            layers += down(channels, config.norm)
        layers += [ResidualBlock(2 * sizes[-1], config.norm) for _ in range(config.blocks)]
        for channels in reversed(sizes):
            layers += up(2 * channels, config.norm, config.upsampling)
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Images, *, coarse_learns: bool = True) -> Images:
        """Features at the resolution of `x`."""
        return self.layers(x)


class EnhancerTrunk(nn.Module):
    """A global trunk at half the resolution, whose features are added to those of a shallow one at the full resolution."""

    def __init__(self, config: GeneratorConfig, *, channels_in: int) -> None:
        super().__init__()
        self.coarse = GlobalTrunk(config, channels_in=channels_in)
        self.channels_out, self.stride = config.channels // 2, 2 * self.coarse.stride
        self.reach_px = 2 * self.coarse.reach_px + 4 * config.enhancer_blocks + 6
        channels = 2 * self.channels_out
        self.before = nn.Sequential(
            *wide(channels_in, self.channels_out, config.norm), *down(self.channels_out, config.norm)
        )
        blocks = [ResidualBlock(channels, config.norm) for _ in range(config.enhancer_blocks)]
        self.after = nn.Sequential(*blocks, *up(channels, config.norm, config.upsampling))

    def forward(self, x: Images, *, coarse_learns: bool = True) -> Images:
        """Features at the resolution of `x`; without `coarse_learns` no gradient reaches the global trunk."""
        with torch.set_grad_enabled(coarse_learns and torch.is_grad_enabled()):
            coarse = self.coarse(halve(x))
        return self.after(self.before(x) + coarse)
