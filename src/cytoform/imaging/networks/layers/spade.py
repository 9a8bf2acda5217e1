"""A SPADE generator (Park et al. 2019) of MONAI's blocks: labels scale and shift the features at every resolution."""

from torch import nn

from cytoform.errors import InputError
from cytoform.imaging.networks.config import GeneratorConfig
from cytoform.imaging.networks.layers.blocks import NORMS, Images


class SpadeTrunk(nn.Module):
    """From the lowest resolution up: residual blocks, each normalised as the conditions say."""

    def __init__(self, config: GeneratorConfig, *, channels_in: int) -> None:
        super().__init__()
        self.channels_out, self.stride = config.channels, 2**config.downsamplings
        widest = config.channels * self.stride
        self.first = nn.Conv2d(channels_in, widest, 3, padding=1)
        sizes = [widest] * config.blocks + [widest // 2**n for n in range(1, config.downsamplings + 1)]
        pairs = list(zip([widest, *sizes], sizes, strict=False))
        self.blocks = nn.ModuleList(_block(*pair, config=config, label_channels=channels_in) for pair in pairs)
        self.n_lowest = config.blocks
        # The first convolution, two a block, two of the labels before them, and the squares of pooling and enlarging.
        self.reach_px = (2 * config.blocks + 2 + 2 + 2) * self.stride

    def forward(self, x: Images, *, coarse_learns: bool = True) -> Images:
        """Features at the resolution of `x`."""
        features = self.first(nn.functional.avg_pool2d(x, self.stride))
        for number, block in enumerate(self.blocks):
            if number >= self.n_lowest:
                features = nn.functional.interpolate(features, scale_factor=2.0, mode="nearest")
            scale = x.shape[-1] // features.shape[-1]
            # Means, where MONAI would take every n-th pixel and lose thin edges.
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
    # MONAI's 128 channels for the labels would cost more than all else in a small generator.
    block = SPADENetResBlock(2, channels_in, channels_out, label_channels, config.channels)
    for module in block.modules():
        if isinstance(module, SPADE):
            module.param_free_norm = NORMS[config.norm](module.param_free_norm.num_features)
            # MONAI normalises scale and shift over the image again, which the paper does not, and tiles would not agree.
            for mlp in (module.mlp_gamma, module.mlp_beta):
                del mlp.adn
    return block
