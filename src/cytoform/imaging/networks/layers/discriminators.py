"""pix2pixHD's discriminators: independent PatchGANs on the levels of a pyramid; input: condition channels and image."""

from itertools import pairwise

from torch import nn

from cytoform.imaging.networks.config import DiscriminatorConfig
from cytoform.imaging.networks.layers.blocks import Images
from cytoform.imaging.networks.layers.trunks import halve

WIDEST = 8  # largest multiple of the channels of the first layer, as published
Features = list[Images]  # one per layer; the last one is the score


class PatchDiscriminator(nn.Module):
    """4×4 convolutions, with instance norm in all layers but the first and last."""

    def __init__(self, channels_in: int, config: DiscriminatorConfig) -> None:
        super().__init__()
        widths = [config.channels * min(2**n, WIDEST) for n in range(config.layers + 1)]
        layers: list[nn.Module] = [nn.Sequential(_convolution(channels_in, widths[0], 2), nn.LeakyReLU(0.2, True))]
        for n, (before, after) in enumerate(pairwise(widths), start=1):
            convolution = _convolution(before, after, 2 if n < config.layers else 1)
            layers.append(nn.Sequential(convolution, nn.InstanceNorm2d(after), nn.LeakyReLU(0.2, True)))
        self.layers = nn.ModuleList([*layers, _convolution(widths[-1], 1, 1)])

    def forward(self, x: Images) -> Features:
        """The features of every layer; the last are scores of patches."""
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


class Discriminators(nn.Module):
    """One discriminator per scale, without shared weights."""

    def __init__(self, channels_in: int, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(channels_in, config) for _ in range(config.scales))

    def forward(self, x: Images) -> list[Features]:
        """The features of each discriminator, finest scale first."""
        found = []
        for number, discriminator in enumerate(self.scales):
            x = halve(x) if number else x
            found.append(discriminator(x))
        return found


def _convolution(channels_in: int, channels_out: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, 4, stride=stride, padding=2)
