"""Losses against sums by hand."""

import pytest
import torch

from cytoform.imaging.networks.layers.losses import (
    OCTAVES,
    PUBLISHED_LAYERS,
    adversarial_loss,
    detail_loss,
    matching_loss,
)


def test_verdicts_by_hand() -> None:
    other, verdicts = torch.zeros(1, 1, 1, 1), (torch.tensor([[[[0.5, 1.0]]]]), torch.tensor([[[[-1.0]]]]))
    found = [[other, verdict] for verdict in verdicts]
    assert float(adversarial_loss(found, 1.0)) == pytest.approx(0.125 + 4)
    assert float(adversarial_loss(found, 0.0)) == pytest.approx(0.625 + 1)


def test_matching_by_hand_leaves_out_the_verdict_and_teaches_only_the_generator() -> None:
    ours = [[torch.full((1, 2, 4, 4), 3.0, requires_grad=True), torch.full((1, 1, 4, 4), 9.0)]]
    real = [[torch.full((1, 2, 4, 4), 1.0, requires_grad=True), torch.full((1, 1, 4, 4), 0.0)]]
    loss = matching_loss(ours, real, size_px=1, crop_px=4)
    assert float(loss.detach()) == pytest.approx(PUBLISHED_LAYERS * 2)
    loss.backward()
    assert ours[0][0].grad is not None
    assert real[0][0].grad is None


@pytest.mark.parametrize(("size_px", "noise_pays"), [(1, False), (16, True)])
def test_means_do_not_punish_noise(size_px: int, noise_pays: bool) -> None:
    """An image of the true mean and noise of the true strength, against one without noise, to features that square."""
    generator = torch.Generator().manual_seed(0)

    def features(noise: float) -> list[list[torch.Tensor]]:
        image = noise * torch.randn(4, 1, 64, 64, generator=generator)
        return [[torch.cat([image, image.square()], dim=1), image]]

    real = features(1.0)
    noisy, flat = (float(matching_loss(features(noise), real, size_px=size_px, crop_px=64)) for noise in (1.0, 0.0))
    assert (noisy < flat) == noise_pays


def test_detail_of_equal_strength_costs_little_and_none_costs_its_strength() -> None:
    generator = torch.Generator().manual_seed(0)
    real, other = (torch.randn(4, 1, 128, 128, generator=generator) for _ in range(2))
    # White noise less its mean over three keeps 2/3 of its variance, and averaging halves its standard deviation.
    strength = sum((2 / 3) ** 0.5 / 2**octave for octave in range(OCTAVES))
    assert float(detail_loss(torch.zeros_like(real), real)) == pytest.approx(strength, rel=0.03)
    assert float(detail_loss(0.5 * other, real)) == pytest.approx(strength / 2, rel=0.05)
    assert float(detail_loss(other, real)) < 0.15 * strength
    assert float(detail_loss(real + 7, real)) == pytest.approx(0, abs=1e-4)


def test_detail_knows_rows_from_columns() -> None:
    white = torch.randn(8, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    smeared = (white + white.roll(1, dims=-1)) / 2
    assert float(detail_loss(smeared.mT, smeared)) > 2 * float(detail_loss(smeared.flip(-1), smeared))
