"""The only place that selects a device; other code follows its tensors."""

import torch

from cytoform.errors import InputError

NAMES = ("auto", "cpu", "cuda", "mps")


def torch_device(name: str) -> torch.device:
    """The device for auto, cpu, cuda or mps. Raises InputError for other names and where the device is unavailable.

    auto is CUDA where there is any, else the processor. mps, the GPU of Apple's computers, has to be asked for: cytoform
    has never run on one.
    """
    if name not in NAMES:
        raise InputError(f"--device {name}: choose {', '.join(NAMES[:-1])} or {NAMES[-1]}")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: no CUDA device is available here; use --device cpu")
    if name == "mps" and not torch.backends.mps.is_available():
        raise InputError("--device mps: no GPU of Apple is available here; use --device cpu")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)
