"""Noise in a generator: smooth noise as a source of texture, white noise for the camera."""

import math
from typing import cast

import torch
from torch import Tensor, nn

from cytoform.imaging.networks.layers.blocks import Grey, Images

# Kernel widths that cover the range from the sharpest detail of a microscope to a nucleus.
OCTAVES_SIGMA_PX = (1.5, 6.0)
BLUR_REACH_SIGMA = 3
OCTAVES_REACH_PX = math.ceil(BLUR_REACH_SIGMA * max(OCTAVES_SIGMA_PX))
CAMERA_KERNELS = 4
CAMERA_KERNEL_PX = 5
FAINT = 0.05  # initial standard deviation, on a scale from -1 to 1


def octaves(white: Images) -> Images:
    """White noise blurred to each width and rescaled to unit variance.

    Blurring commutes with shifts, so that the noise still moves with its cell.
    """
    return torch.cat([_blur(white, sigma) for sigma in OCTAVES_SIGMA_PX], dim=1)


def _blur(white: Images, sigma_px: float) -> Images:
    reach = math.ceil(BLUR_REACH_SIGMA * sigma_px)
    offsets = torch.arange(-reach, reach + 1, device=white.device, dtype=white.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma_px) ** 2)
    kernel = kernel / kernel.square().sum().sqrt()
    channels = white.shape[1]
    for shape, padding in (((1, 1, -1, 1), (reach, 0)), ((1, 1, 1, -1), (0, reach))):
        weight = kernel.reshape(shape).expand(channels, -1, -1, -1)
        white = nn.functional.conv2d(white, weight, padding=padding, groups=channels)
    return white


class CameraNoise(nn.Module):
    """Camera noise (shot and read noise): a few spatial correlations, with strengths predicted from features at every pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.correlate = nn.Conv2d(1, CAMERA_KERNELS, CAMERA_KERNEL_PX, padding=CAMERA_KERNEL_PX // 2, bias=False)
        self.strength = nn.Conv2d(channels, CAMERA_KERNELS, 1)

    def start(self) -> None:
        """Initialise with faint white noise: a product of two small random numbers would have almost no gradient."""
        with torch.no_grad():
            kernels, middle = self.correlate.weight, CAMERA_KERNEL_PX // 2
            kernels /= kernels.norm(dim=(2, 3), keepdim=True)
            kernels[0] = 0
            kernels[0, 0, middle, middle] = 1
            nn.init.constant_(cast(Tensor, self.strength.bias)[0], FAINT)

    def forward(self, features: Images, white: Grey) -> Grey:
        """Noise to be added to the image."""
        # In full precision: faint noise on a bright image would be lost by rounding.
        with torch.autocast(features.device.type, enabled=False):
            precise = self.strength.weight.dtype
            strength = self.strength(features.to(precise))
            return (strength * self.correlate(white.to(precise))).sum(dim=1, keepdim=True)
