"""Devices by name."""

import pytest
import torch
from lightning_fabric import Fabric

from cytoform.errors import InputError
from cytoform.training.device import torch_device
from cytoform.training.team import make_fabric


def test_auto_is_cuda_or_the_processor() -> None:
    assert torch_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(
    ("name", "available"), [("cuda", "torch.cuda.is_available"), ("mps", "torch.backends.mps.is_available")]
)
def test_a_gpu_that_is_not_there_is_refused(name: str, available: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(available, lambda: False)
    with pytest.raises(InputError, match=f"--device {name}: no .* is available here; use --device cpu"):
        torch_device(name)
    with pytest.raises(InputError, match="--device gpu: choose auto, cpu, cuda or mps"):
        torch_device("gpu")


def test_apples_gpu_is_taken_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none here: only the choice is tested."""
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert torch_device("mps") == torch.device("mps")
    made: dict[str, object] = {}
    monkeypatch.setattr(Fabric, "__init__", lambda _, **options: made.update(options))
    make_fabric("mps", "bf16-mixed", devices=None, nodes=None)
    assert (made["accelerator"], made["precision"]) == ("mps", "32-true")
