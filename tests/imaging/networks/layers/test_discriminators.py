"""Discriminators: pix2pixHD's layers on a pyramid."""

import torch

from cytoform.imaging.networks.config import DiscriminatorConfig
from cytoform.imaging.networks.layers.discriminators import Discriminators


def test_layers_of_the_paper() -> None:
    with torch.device("meta"):
        found = Discriminators(4, DiscriminatorConfig())(torch.zeros(1, 4, 256, 256))
    assert len(found) == 2
    for scale, features in enumerate(found):
        assert [f.shape[1] for f in features] == [64, 128, 256, 512, 1]
        # Padding of 2 before a 4×4 convolution adds a pixel at every layer.
        side = 256 // 2**scale
        assert [f.shape[-1] for f in features] == [
            side // 2 + 1,
            side // 4 + 1,
            side // 8 + 1,
            side // 8 + 2,
            side // 8 + 3,
        ]


def test_scales_share_nothing_and_see_means() -> None:
    torch.manual_seed(0)
    judges = Discriminators(1, DiscriminatorConfig(scales=2, channels=4, layers=1))
    names = [name.split(".")[1] for name, _ in judges.named_parameters()]
    assert names.count("0") == names.count("1") > 0
    # What alternates from pixel to pixel is gone at the coarser scale, away from the border.
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    chequered = ((y + x) % 2 * 2.0 - 1)[None, None]
    judges.requires_grad_(False)
    fine, coarse = (scale[0][..., 4:-4, 4:-4] for scale in judges(chequered))
    blank = [scale[0][..., 4:-4, 4:-4] for scale in judges(torch.zeros(1, 1, 64, 64))]
    assert float((coarse - blank[1]).abs().max()) < 0.2 * float((fine - blank[0]).abs().max())
