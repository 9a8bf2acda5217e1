"""Losses of the generator and the discriminators."""

import torch
from torch import Tensor, nn

from cytoform.imaging.networks.layers.blocks import Grey
from cytoform.imaging.networks.layers.discriminators import Features

# pix2pixHD sums over four layers; with another number of layers, the mean is scaled to the same weight.
PUBLISHED_LAYERS = 4
OCTAVES = 3  # detail of one, two and four pixels
WINDOW = 8  # side of the averaging squares, in units of the detail


def adversarial_loss(found: list[Features], wanted: float) -> Tensor:
    """Least-squares loss (Mao et al. 2017) of scores against 1 (real) or 0 (generated), summed over scales."""
    return torch.stack([(features[-1].float() - wanted).square().mean() for features in found]).sum()


def matching_loss(generated: list[Features], real: list[Features], *, size_px: int, crop_px: int) -> Tensor:
    """Mean absolute difference of features of all layers but the last, averaged over scales, times PUBLISHED_LAYERS.

    Features are first averaged over squares of `size_px` pixels. A comparison pixel by pixel would penalise all noise,
    because generated noise never equals the noise of the real image.
    """
    differences = [
        (_means(ours, size_px, crop_px) - _means(theirs.detach(), size_px, crop_px)).abs().mean()
        for features, others in zip(generated, real, strict=True)
        for ours, theirs in zip(features[:-1], others[:-1], strict=True)
    ]
    return PUBLISHED_LAYERS * torch.stack(differences).mean()


def detail_loss(generated: Grey, real: Grey) -> Tensor:
    """Mean absolute difference of the local strength (root mean square) of detail, summed over octaves.

    Strength is measured in squares of WINDOW × the detail, separately along y and x, because cameras smear along rows. Noise
    of the correct strength costs nothing, whatever its values. A square of 64 values determines the strength to 9 %.
    """
    differences = []
    for _ in range(OCTAVES):
        strengths = [_detail(image) for image in (generated, real)]
        differences.append((strengths[0] - strengths[1]).abs().mean())
        generated, real = (nn.functional.avg_pool2d(image, 2) for image in (generated, real))
    return torch.stack(differences).sum()


def _detail(image: Grey) -> Tensor:
    """Local root mean squares along y and x, as two channels."""
    axes = []
    for size in ((3, 1), (1, 3)):
        padding = (size[0] // 2, size[1] // 2)
        around = nn.functional.avg_pool2d(image, size, stride=1, padding=padding, count_include_pad=False)
        axes.append(nn.functional.avg_pool2d((image - around).square(), WINDOW, ceil_mode=True))
    return (torch.cat(axes, dim=1) + 1e-8).sqrt()


def _means(features: Tensor, size_px: int, crop_px: int) -> Tensor:
    stride = max(1, round(crop_px / features.shape[-1]))
    size = max(1, size_px // stride)
    return nn.functional.avg_pool2d(features.float(), size) if size > 1 else features.float()
