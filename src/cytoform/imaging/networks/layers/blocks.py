"""Layers shared by the generators."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

# Averages over about 50 crops represent all images; PyTorch's 0.1 would follow the last few.
STATISTICS_MOMENTUM = 0.02

Grey = Float[Tensor, "images 1 _ _"]
Images = Float[Tensor, "images _ _ _"]  # channels, y, x


class PixelNorm(nn.Module):
    """Divides each pixel's channels by their root mean square (Karras et al. 2018), independently of other pixels and tiles."""

    def forward(self, x: Images) -> Images:
        """Features of the same shape."""
        return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-6)


def instance_norm(channels: int) -> nn.Module:
    """Uses statistics of each image in training and their running averages in evaluation, so that tiles agree."""
    return nn.InstanceNorm2d(channels, track_running_stats=True, momentum=STATISTICS_MOMENTUM)


def pixel_norm(_channels: int) -> nn.Module:
    """Normalisation per pixel, without statistics of the image."""
    return PixelNorm()


NORMS: dict[str, Callable[[int], nn.Module]] = {"instance": instance_norm, "pixel": pixel_norm}


def fix_statistics(generator: nn.Module) -> None:
    """Switch instance norms to their running averages, as in rendering; other layers stay in training mode."""
    for module in generator.modules():
        if isinstance(module, nn.InstanceNorm2d):
            module.eval()


def wide(channels_in: int, channels_out: int, norm: str) -> list[nn.Module]:
    """A 7×7 convolution at constant resolution."""
    return [nn.ReflectionPad2d(3), nn.Conv2d(channels_in, channels_out, 7), NORMS[norm](channels_out), nn.ReLU(True)]


def down(channels: int, norm: str) -> list[nn.Module]:
    """Halve the resolution and double the channels."""
    convolution = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1)
    return [convolution, NORMS[norm](2 * channels), nn.ReLU(True)]


def transposed(channels: int) -> nn.Module:
    """A transposed convolution, as published; its output pixels alternate between four sets of weights."""
    return nn.ConvTranspose2d(channels, channels // 2, 3, stride=2, padding=1, output_padding=1)


def resized(channels: int) -> nn.Module:
    """A convolution, then bilinear interpolation, which avoids checkerboard patterns (Odena et al. 2016)."""
    larger = nn.Upsample(scale_factor=2, mode="bilinear")
    return nn.Sequential(nn.Conv2d(channels, channels // 2, 3, padding=1), larger)


UPSAMPLINGS: dict[str, Callable[[int], nn.Module]] = {"transposed": transposed, "resized": resized}


def up(channels: int, norm: str, upsampling: str) -> list[nn.Module]:
    """Double the resolution and halve the channels."""
    return [UPSAMPLINGS[upsampling](channels), NORMS[norm](channels // 2), nn.ReLU(True)]


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with a skip connection."""

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
        """Features of the same shape."""
        return x + self.change(x)
