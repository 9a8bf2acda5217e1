"""Layers that the generators share."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

# Averages over so many crops stand for the statistics of all images; PyTorch's 0.1 follows the last few.
STATISTICS_MOMENTUM = 0.02

Grey = Float[Tensor, "images 1 _ _"]
Images = Float[Tensor, "images _ _ _"]  # channels, y, x


class PixelNorm(nn.Module):
    """Divides every pixel's channels by their root mean square (Karras et al. 2018): no tile changes another's result."""

    def forward(self, x: Images) -> Images:
        """As many channels as came."""
        return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-6)


def instance_norm(channels: int) -> nn.Module:
    """In training with the statistics of each image, in evaluation with their averages, so that tiles agree."""
    return nn.InstanceNorm2d(channels, track_running_stats=True, momentum=STATISTICS_MOMENTUM)


def pixel_norm(_channels: int) -> nn.Module:
    """Without statistics."""
    return PixelNorm()


NORMS: dict[str, Callable[[int], nn.Module]] = {"instance": instance_norm, "pixel": pixel_norm}


def fix_statistics(generator: nn.Module) -> None:
    """Have instance norms use what they have averaged, as in rendering, though the rest goes on learning."""
    for module in generator.modules():
        if isinstance(module, nn.InstanceNorm2d):
            module.eval()


def wide(channels_in: int, channels_out: int, norm: str) -> list[nn.Module]:
    """A 7×7 convolution at full resolution."""
    return [nn.ReflectionPad2d(3), nn.Conv2d(channels_in, channels_out, 7), NORMS[norm](channels_out), nn.ReLU(True)]


def down(channels: int, norm: str) -> list[nn.Module]:
    """To half the resolution and twice the channels."""
    convolution = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1)
    return [convolution, NORMS[norm](2 * channels), nn.ReLU(True)]


def transposed(channels: int) -> nn.Module:
    """A transposed convolution, as published; each of four kinds of pixels has weights of its own."""
    return nn.ConvTranspose2d(channels, channels // 2, 3, stride=2, padding=1, output_padding=1)


def resized(channels: int) -> nn.Module:
    """A convolution, then interpolation: what is even stays even, where the other leaves a chequered pattern.

    The pattern and this remedy are those of Odena et al. 2016.
    """
    larger = nn.Upsample(scale_factor=2, mode="bilinear")
    return nn.Sequential(nn.Conv2d(channels, channels // 2, 3, padding=1), larger)


UPSAMPLINGS: dict[str, Callable[[int], nn.Module]] = {"transposed": transposed, "resized": resized}


def up(channels: int, norm: str, upsampling: str) -> list[nn.Module]:
    """To twice the resolution and half the channels."""
    return [UPSAMPLINGS[upsampling](channels), NORMS[norm](channels // 2), nn.ReLU(True)]


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions that change what passes by."""

    def __init__(self, channels: int, norm: str) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            NORMS[norm](channels),
            nn.ReLU(True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            NORMS[norm](channels),
        )

    def forward(self, x: Images) -> Images:
        """As many channels as came."""
        return x + self.change(x)
