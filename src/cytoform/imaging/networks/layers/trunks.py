"""Trunks of the generators (pix2pixHD; SPADE, Park et al. 2019) up to the last feature map; `generator.py` makes the image."""

import torch
from torch import nn

from cytoform.errors import InputError
from cytoform.imaging.networks.config import GeneratorConfig
from cytoform.imaging.networks.layers.blocks import NORMS, Images, ResidualBlock, down, up, wide


def halve(images: Images) -> Images:
    """Halve the resolution as in pix2pixHD's pyramids."""
    return nn.functional.avg_pool2d(images, 3, stride=2, padding=1, count_include_pad=False)


class GlobalTrunk(nn.Module):
    """pix2pixHD's global generator: 7×7 convolution, downsampling, residual blocks, upsampling."""

    def __init__(self, config: GeneratorConfig, *, channels_in: int) -> None:
        super().__init__()
        self.channels_out, self.stride = config.channels, 2**config.downsamplings
        # Receptive field: both 3×3 convolutions of a block at the lowest resolution, plus down- and upsampling, which may
        # include interpolation.
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
    """pix2pixHD's local enhancer: a global trunk at half the resolution, added to a shallow trunk at full resolution."""

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


class SpadeTrunk(nn.Module):
    """SPADE generator of MONAI blocks: residual blocks from the lowest to the full resolution, normalised as the labels say."""

    def __init__(self, config: GeneratorConfig, *, channels_in: int) -> None:
        super().__init__()
        self.channels_out, self.stride = config.channels, 2**config.downsamplings
        widest = config.channels * self.stride
        self.first = nn.Conv2d(channels_in, widest, 3, padding=1)
        sizes = [widest] * config.blocks + [widest // 2**n for n in range(1, config.downsamplings + 1)]
        pairs = list(zip([widest, *sizes], sizes, strict=False))
        self.blocks = nn.ModuleList(_block(*pair, config=config, label_channels=channels_in) for pair in pairs)
        self.n_lowest = config.blocks
        # First convolution, two per block, two of the labels before them, and pooling and interpolation.
        self.reach_px = (2 * config.blocks + 2 + 2 + 2) * self.stride

    def forward(self, x: Images, *, coarse_learns: bool = True) -> Images:
        """Features at the resolution of `x`."""
        features = self.first(nn.functional.avg_pool2d(x, self.stride))
        for number, block in enumerate(self.blocks):
            if number >= self.n_lowest:
                features = nn.functional.interpolate(features, scale_factor=2.0, mode="nearest")
            scale = x.shape[-1] // features.shape[-1]
            # Mean pooling: MONAI's subsampling would lose thin edges.
            features = block(features, nn.functional.avg_pool2d(x, scale))
        return nn.functional.leaky_relu(features, 0.2)


def _block(channels_in: int, channels_out: int, *, config: GeneratorConfig, label_channels: int) -> nn.Module:
    try:
        from monai.networks.blocks.spade_norm import SPADE
        from monai.networks.nets.spade_network import SPADENetResBlock
    except ImportError:
        raise InputError(
            "generator.kind = 'spade' needs MONAI: pip install 'cytoform[texture]', or use generator.kind=global"
        ) from None
    # MONAI's default of 128 label channels would dominate the cost of a small generator.
    block = SPADENetResBlock(2, channels_in, channels_out, label_channels, config.channels)
    for module in block.modules():
        if isinstance(module, SPADE):
            module.param_free_norm = NORMS[config.norm](module.param_free_norm.num_features)
            # MONAI also normalises scale and shift over the image, unlike the paper, and tiles would not agree.
            for mlp in (module.mlp_gamma, module.mlp_beta):
                del mlp.adn
    return block
