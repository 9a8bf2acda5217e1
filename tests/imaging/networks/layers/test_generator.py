"""Generators: sizes, how far they see, what they make of noise, and stages."""

import sys

import pytest
import torch
from torch import Tensor, nn

from cytoform.errors import InputError
from cytoform.imaging.networks.config import GeneratorConfig
from cytoform.imaging.networks.layers.blocks import fix_statistics
from cytoform.imaging.networks.layers.generator import INPUTS, Generator, start_weights
from cytoform.imaging.networks.layers.noise import OCTAVES_SIGMA_PX, octaves
from cytoform.imaging.networks.layers.trunks import halve

KINDS = ["global", "enhancer", "spade"]


def generator(kind: str, **settings: object) -> Generator:
    sizes = {"channels": 4, "downsamplings": 1, "blocks": 1, "enhancer_blocks": 1}
    made = Generator(GeneratorConfig(kind=kind, **{**sizes, **settings}))  # type: ignore[arg-type]
    start_weights(made, seed=0)
    for weight in made.parameters():  # large enough for everything to show
        weight.data *= 10
    return made


def seen(y: int, x: int, *, seed: int = 0) -> Tensor:
    return torch.randn(1, len(INPUTS), y, x, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_of_the_size_of_the_conditions(kind: str) -> None:
    made = generator(kind)
    assert made(seen(3 * made.stride, 5 * made.stride)).shape == (1, 1, 3 * made.stride, 5 * made.stride)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norm", ["instance", "pixel"])
@pytest.mark.parametrize("upsampling", ["transposed", "resized"])
def test_nothing_beyond_the_reach_shows(kind: str, norm: str, upsampling: str) -> None:
    """And not much less than the reach does: it is what overlaps are made of."""
    made = (
        generator(kind, norm=norm, upsampling=upsampling).eval().double()
    )  # fast convolutions in 32 bits round within blocks of pixels
    side = (2 * made.reach_px // made.stride + 4) * made.stride
    conditions, centre = seen(side, side).double(), side // 2
    changed = conditions.clone()
    changed[:, :, centre, centre] += 100
    with torch.no_grad():
        moved = ((made(conditions) - made(changed)).abs()[0, 0] > 1e-12).nonzero()
    furthest = int((moved - centre).abs().max())
    assert furthest <= made.reach_px
    assert furthest >= made.reach_px / 3


def test_the_papers_global_generator() -> None:
    """Its convolutions, as the paper lists them."""
    with torch.device("meta"):
        made = Generator(GeneratorConfig())
    shapes = [tuple(m.weight.shape[:3]) for m in made.trunk.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    downs = [(128, 64, 3), (256, 128, 3), (512, 256, 3), (1024, 512, 3)]
    # Transposed convolutions have their inputs first.
    ups = [(1024, 512, 3), (512, 256, 3), (256, 128, 3), (128, 64, 3)]
    assert shapes[0][0::2] == (64, 7)
    assert shapes[1:] == downs + [(1024, 1024, 3)] * 18 + ups


def test_even_conditions_give_an_even_image() -> None:
    """With interpolation; without it, pixels of four kinds."""
    even = torch.zeros(1, len(INPUTS), 64, 64)
    even[:, : INPUTS.index("cell_noise")] = 1
    with torch.no_grad():
        spread = {
            kind: float(generator("global", upsampling=kind).eval()(even)[..., 24:-24, 24:-24].std())
            for kind in ("resized", "transposed")
        }
    assert spread["resized"] < 1e-5 < spread["transposed"]


def test_octaves_are_of_unit_variance_and_move_with_the_noise() -> None:
    white = torch.randn(1, 2, 200, 200, generator=torch.Generator().manual_seed(1))
    made = octaves(white)
    assert made.shape[1] == 2 * len(OCTAVES_SIGMA_PX)
    assert made[..., 30:-30, 30:-30].std(dim=(0, 2, 3)).tolist() == pytest.approx([1.0] * 4, abs=0.2)
    moved = octaves(white.roll((3, -2), dims=(2, 3)))
    torch.testing.assert_close(
        moved[..., 40:-40, 40:-40], made.roll((3, -2), dims=(2, 3))[..., 40:-40, 40:-40], atol=1e-5, rtol=0
    )


def test_frame_noise_is_a_cameras_alone() -> None:
    """Nothing but what is added at the end depends on it, and that is as strong as the noise."""
    made, conditions, place = generator("global").eval(), seen(64, 64), INPUTS.index("frame_noise")
    doubled = conditions.clone()
    doubled[:, place] *= 2
    with torch.no_grad():
        made.head.image[1].weight.zero_()
        made.head.image[1].bias.zero_()
        torch.testing.assert_close(made(doubled), 2 * made(conditions))
        assert float(made(conditions).std()) > 0
        made.head.noise.strength.weight.zero_()
        made.head.noise.strength.bias.zero_()
        assert float(made(conditions).abs().max()) == 0


def test_at_the_enhancers_stages_only_their_part_learns() -> None:
    made, conditions = generator("enhancer"), seen(16, 16)
    learners = {
        "coarse": {"trunk.coarse", "coarse_head"},
        "enhancer": {"trunk.before", "trunk.after", "head"},
        "whole": {"trunk.coarse", "trunk.before", "trunk.after", "head"},
    }
    for stage, parts in learners.items():
        made.zero_grad()
        image = made(halve(conditions) if stage == "coarse" else conditions, stage)  # type: ignore[arg-type]
        image.square().mean().backward()
        learned = {name for name, weight in made.named_parameters() if weight.grad is not None}
        assert learned == {n for n, _ in made.named_parameters() if n.startswith(tuple(f"{part}." for part in parts))}


def test_fixed_statistics_make_images_independent_of_each_other() -> None:
    made = generator("global", norm="instance").train()
    bright, dark = seen(16, 16), seen(16, 16, seed=2) * 10
    fix_statistics(made)
    with torch.no_grad():
        both = made(torch.cat([bright, dark]))
        torch.testing.assert_close(both[:1], made(bright), rtol=1e-3, atol=1e-3)
    before = {name: tensor.clone() for name, tensor in made.named_buffers()}
    made(dark)
    assert all(torch.equal(tensor, before[name]) for name, tensor in made.named_buffers())


def test_start_weights_are_the_seeds() -> None:
    one, same, other = (Generator(GeneratorConfig(channels=4, blocks=1)) for _ in range(3))
    for network, seed in ((one, 1), (same, 1), (other, 2)):
        start_weights(network, seed=seed)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert float(torch.cat([w.detach().flatten() for w in one.trunk.parameters()]).std()) == pytest.approx(
        0.02, rel=0.02
    )


def test_spade_without_monai_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "monai.networks.blocks.spade_norm", None)
    with pytest.raises(InputError, match=r"pip install 'cytoform\[texture\]'"):
        Generator(GeneratorConfig(kind="spade"))
