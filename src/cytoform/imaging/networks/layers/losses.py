"""What the generator and the discriminators are asked for."""

import torch
from torch import Tensor, nn

from cytoform.imaging.networks.layers.blocks import Grey
from cytoform.imaging.networks.layers.discriminators import Features

# pix2pixHD adds up as many layers, and divides by their number where there are more.
PUBLISHED_LAYERS = 4
OCTAVES = 3  # of detail: of one, two and four pixels
WINDOW = 8  # sides of the squares over which it is averaged, in units of the detail


def verdict_loss(found: list[Features], wanted: float) -> Tensor:
    """Least squares (Mao et al. 2017) of the verdicts from 1, real, or 0, generated; summed over the scales."""
    return torch.stack([(features[-1].float() - wanted).square().mean() for features in found]).sum()


def matching_loss(generated: list[Features], real: list[Features], *, size_px: int, crop_px: int) -> Tensor:
    """Mean absolute difference of the features of all layers but the last, averaged over scales and times PUBLISHED_LAYERS.

    They are averaged over squares of `size_px` pixels before they are compared. Pixel by pixel, a generator does best
    without any noise, since its noise is never that of the real image.
    """
    differences = [
        (_means(ours, size_px, crop_px) - _means(theirs.detach(), size_px, crop_px)).abs().mean()
        for features, others in zip(generated, real, strict=True)
        for ours, theirs in zip(features[:-1], others[:-1], strict=True)
    ]
    return PUBLISHED_LAYERS * torch.stack(differences).mean()


def detail_loss(generated: Grey, real: Grey) -> Tensor:
    """Mean absolute difference of the root mean squares of detail, octave by octave, in squares of WINDOW × the detail.

    Along y and along x for itself: cameras smear along rows. Noise of the right strength costs nothing, whatever its
    values. In a square of 64 values it is known to 9 %.
    """
    differences = []
    for _ in range(OCTAVES):
        strengths = [_detail(image) for image in (generated, real)]
        differences.append((strengths[0] - strengths[1]).abs().mean())
        generated, real = (nn.functional.avg_pool2d(image, 2) for image in (generated, real))
    return torch.stack(differences).sum()


def _detail(image: Grey) -> Tensor:
    """Its root mean squares, along y and along x in two channels."""
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
