"""The only place that selects a device; other code follows its tensors."""

import torch

from cytoform.errors import InputError


def torch_device(name: str) -> torch.device:
    """The device for auto, cpu or cuda. Raises InputError for other names and if CUDA is unavailable."""
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"--device {name}: choose auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: no CUDA device is available here; use --device cpu")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)
