"""Weights on disk: what is damaged, foreign or unfit is refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from cytoform.base.tensors import read_tensors, write_tensors
from cytoform.errors import InputError
from cytoform.runs.run import load_run
from cytoform.training.checkpoint import newest_checkpoint


def change_weights(run: Path, change: Callable[[dict[str, torch.Tensor]], None], **metadata: str) -> None:
    path = run / "model.safetensors"
    tensors, old = load_file(path), read_tensors(path)[1]
    change(tensors)
    save_file(tensors, path, {"cytoform": json.dumps({**old, **metadata})})


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_round_trip(tmp_path: Path) -> None:
    tensors = {"b": torch.arange(3.0), "a": torch.tensor(2)}
    write_tensors(tmp_path / "x.safetensors", tensors, {"note": "hello"})
    found, metadata = read_tensors(tmp_path / "x.safetensors")
    assert metadata["note"] == "hello"
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())


def refused(run: Path, message: str) -> None:
    with pytest.raises(InputError, match=message) as fault:
        load_run(run)
    assert "\n" not in str(fault.value)


def test_nan_weights(run: Path) -> None:
    change_weights(run, lambda t: t["decoder.output.weight"].fill_(float("nan")))
    refused(run, r"decoder.output.weight holds NaN")


def test_truncated_file(run: Path) -> None:
    path = run / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    refused(run, "not a readable safetensors file")


def test_foreign_file_and_missing_tensor(run: Path) -> None:
    change_weights(run, lambda t: t.pop("decoder.output.bias"))
    refused(run, r"lacks tensor output.bias")


def test_other_version(run: Path) -> None:
    change_weights(run, lambda t: None, format="99")
    refused(run, "version 99")


def test_config_that_does_not_fit(run: Path) -> None:
    path = run / "config.toml"
    path.write_text(path.read_text().replace("width = 24", "width = 25"))
    refused(run, r"config\.toml: changed since the training; restore it")
    tensors, metadata = read_tensors(run / "model.safetensors")
    write_tensors(run / "model.safetensors", tensors, {"learned": metadata["learned"]})  # as older runs are
    refused(run, r"restore the config\.toml")


def test_a_folder_in_the_place_of_a_checkpoint_is_refused_and_a_damaged_one_passed_over(tmp_path: Path) -> None:
    whole = tmp_path / "epoch_000001_batch_000000.safetensors"
    write_tensors(whole, {"a": torch.zeros(2)}, {})
    latest = tmp_path / "epoch_000002_batch_000000.safetensors"
    latest.write_bytes(b"{")
    newest = newest_checkpoint(tmp_path)
    assert newest is not None and newest.path == whole  # noqa: PT018
    latest.unlink()
    latest.mkdir()
    with pytest.raises(InputError, match=r"epoch_000002\S*: a folder, not a file"):
        newest_checkpoint(tmp_path)


def test_codes_of_the_wrong_length(run: Path) -> None:
    change_weights(run, lambda t: t.update(codes=torch.zeros(2, 9)))
    refused(run, r"codes of shape \(2, 9\)")


def test_damaged_metadata(run: Path) -> None:
    change_weights(run, lambda t: None, learned="{}")
    refused(run, "damaged metadata")


def test_not_a_run(tmp_path: Path) -> None:
    refused(tmp_path, "not a run folder")
