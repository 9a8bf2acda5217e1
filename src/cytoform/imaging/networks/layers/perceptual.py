"""Perceptual loss (Johnson et al. 2016) from VGG-19 features; the user provides the weights."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from cytoform.errors import InputError
from cytoform.imaging.networks.layers.blocks import Grey

# VGG-19 (Simonyan & Zisserman 2015): channels of the convolutions between poolings; names count all layers.
STACKS = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4)
WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)  # of relu1_1 to relu5_1, as in pix2pixHD
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet: red, green, blue


def vgg_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights up to relu5_1, named as in torchvision's `vgg19().features`."""
    shapes: dict[str, tuple[int, ...]] = {}
    number, before = 0, 3
    for stack in STACKS:
        for channels in stack:
            if number <= 28:  # relu5_1 follows it
                shapes[f"features.{number}.weight"] = (channels, before, 3, 3)
                shapes[f"features.{number}.bias"] = (channels,)
            number, before = number + 2, channels
        number += 1
    return shapes


class PerceptualLoss(nn.Module):
    """Weighted mean absolute difference of the VGG-19 features of two images."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        for name, weight in _read(path).items():
            self.register_buffer(name.replace(".", "_"), weight)

    def forward(self, generated: Grey, real: Grey) -> Tensor:
        """Loss of grey images with values from -1 to 1."""
        with torch.no_grad():
            wanted = self._features(real)
        pairs = zip(WEIGHTS, self._features(generated), wanted, strict=True)
        return torch.stack([weight * (ours - theirs).abs().mean() for weight, ours, theirs in pairs]).sum()

    def _features(self, image: Grey) -> list[Tensor]:
        mean, std = (image.new_tensor(values)[:, None, None] for values in (MEAN, STD))
        x, number, found = ((image + 1) / 2 - mean) / std, 0, []
        for stack in STACKS:
            for place, _ in enumerate(stack):
                weight, bias = (getattr(self, f"features_{number}_{kind}") for kind in ("weight", "bias"))
                x = nn.functional.relu(nn.functional.conv2d(x, weight, bias, padding=1))
                number += 2
                if place == 0:
                    found.append(x)
                    if len(found) == len(STACKS):
                        return found
            x, number = nn.functional.max_pool2d(x, 2), number + 1
        raise AssertionError("unreachable: the last stack returns")


def _read(path: Path) -> dict[str, Tensor]:
    """Load the weights after checking names and shapes. Raises InputError."""
    remedy = "give VGG-19's features as safetensors, or leave training.perceptual_file empty"
    try:
        with safe_open(path, framework="pt") as file:
            names = set(file.keys())
            for name, shape in vgg_shapes().items():
                found = tuple(file.get_slice(name).get_shape()) if name in names else None
                if found != shape:
                    problem = "is missing" if found is None else f"has shape {found}, not {shape}"
                    raise InputError(f"{path}: tensor {name} {problem}; {remedy}")
            return {name: file.get_tensor(name).float() for name in vgg_shapes()}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; {remedy}") from None
    except (SafetensorError, OSError) as fault:
        raise InputError(f"{path}: not a readable safetensors file ({fault}); {remedy}") from None
