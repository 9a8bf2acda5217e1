"""Run folders: rotations of older, newer and damaged ones."""

import shutil
from pathlib import Path

import pytest
import torch

from cytoform.base.tensors import read_tensors, write_tensors
from cytoform.errors import InputError
from cytoform.representations.rotation import identity
from cytoform.runs.run import load_run


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def rewrite(run: Path, rotations: torch.Tensor | None) -> None:
    tensors, metadata = read_tensors(run / "model.safetensors")
    tensors = {name: tensor for name, tensor in tensors.items() if name != "rotations"}
    if rotations is not None:
        tensors["rotations"] = rotations
    write_tensors(run / "model.safetensors", tensors, {"learned": metadata["learned"]})


def test_a_run_without_rotations_holds_the_identity(run: Path) -> None:
    assert torch.equal(load_run(run).rotations, identity(2))
    assert torch.equal(read_tensors(run / "model.safetensors")[0]["rotations"], identity(2))


def test_an_older_run_has_the_identity(run: Path) -> None:
    rewrite(run, None)
    assert torch.equal(load_run(run).rotations, identity(2))
    assert torch.equal(load_run(run).rotation("b"), identity(1)[0])


def test_a_run_keeps_the_settings_of_its_training(run: Path) -> None:
    settings = run / "config.toml"
    written = settings.read_text("utf-8")
    settings.write_text("# a note of a user\n" + written, "utf-8")
    load_run(run)
    settings.write_text(written.replace('align = "none"', 'align = "principal"'), "utf-8")
    with pytest.raises(InputError, match=r"config\.toml: changed since the training"):
        load_run(run)
    rewrite(run, None)  # as an older run, which does not know its settings
    load_run(run)


@pytest.mark.parametrize(
    "rotations", [identity(3), identity(2)[:, :3], torch.zeros(2, 4), 2 * identity(2), torch.eye(3)]
)
def test_damaged_rotations_are_one_line(run: Path, rotations: torch.Tensor) -> None:
    rewrite(run, rotations)
    with pytest.raises(
        InputError, match=r"model\.safetensors: damaged rotations of shape .*train the run anew"
    ) as fault:
        load_run(run)
    assert "\n" not in str(fault.value)
