"""Perceptual loss: against VGG-19 of PyTorch's own layers, with random weights; files that are not VGG-19's."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cytoform.errors import InputError
from cytoform.imaging.networks.layers.perceptual import MEAN, STD, WEIGHTS, PerceptualLoss, vgg_shapes


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(shape, generator=generator) * (0.02 if len(shape) > 1 else 0.1)
        for name, shape in vgg_shapes().items()
    }


def reference(weights: dict[str, torch.Tensor], image: torch.Tensor) -> list[torch.Tensor]:
    """relu1_1 … relu5_1 of the layers as Simonyan & Zisserman list them."""
    plan = [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512]
    layers: list[nn.Module] = []
    channels = 3
    for size in plan:
        if size == "M":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(channels, int(size), 3, padding=1), nn.ReLU()]
            channels = int(size)
    network = nn.Sequential(*layers)
    network.load_state_dict({name.removeprefix("features."): tensor for name, tensor in weights.items()})
    x, found = ((image + 1) / 2 - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None], []
    for number, layer in enumerate(network):
        x = layer(x)
        if number in (1, 6, 11, 20, 29):
            found.append(x)
    return found


def test_against_layers_of_pytorch(weights: dict[str, torch.Tensor], tmp_path: Path) -> None:
    save_file(weights, tmp_path / "vgg.safetensors")
    loss = PerceptualLoss(tmp_path / "vgg.safetensors")
    one, two = (torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(n)) * 2 - 1 for n in (1, 2))
    with torch.no_grad():
        expected = sum(
            weight * float((a - b).abs().mean())
            for weight, a, b in zip(WEIGHTS, reference(weights, one), reference(weights, two), strict=True)
        )
        assert float(loss(one, two)) == pytest.approx(expected, rel=1e-4)
        assert float(loss(one, one)) == 0
    assert not list(loss.parameters())


@pytest.mark.parametrize("fault", ["missing", "shape", "text", "none"])
def test_other_files_are_refused(fault: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    small = {"features.0.weight": torch.zeros(64, 3, 3, 3)}
    if fault == "shape":
        small = {"features.0.weight": torch.zeros(64, 1, 3, 3)}
    if fault == "text":
        path.write_text("weights")
    elif fault != "none":
        save_file(small, path)
    words = {
        "missing": r"features\.0\.bias is missing",
        "shape": "has shape",
        "text": "safetensors",
        "none": "no such file",
    }
    with pytest.raises(InputError, match=words[fault]):
        PerceptualLoss(path)
