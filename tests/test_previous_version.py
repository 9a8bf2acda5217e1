"""Stores and runs of the version before the layout of today, made with the cells of tests/support/tiny.py.

version_0_1_0.zip: `balls.zarr` (prepared), `run` (trained for 40 epochs, with the checkpoint of epoch 38) and `new.zarr`
(one cell of the prior "around" on a grid of 16³).
"""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import cytoform
from cytoform.assess.results import evaluate
from cytoform.runs.stage import train
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.sequences import Rendering, generate

ARCHIVE = Path(__file__).parent / "data" / "version_0_1_0.zip"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The folder of the archive's files."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def test_an_old_run_generates_what_it_did(old: Path) -> None:
    """Weights, codes, priors and settings without `model.kind` are read as before."""
    cells = cytoform.load(old / "run")
    assert cells.names == ["a", "b"]
    assert cells.run.config.model.kind == "global"
    generate(cells, old / "again.zarr", 1, prior="around", rendering=Rendering(16, 2))
    before, again = (ShapeStore.open(old / name)["new0000"] for name in ("new.zarr", "again.zarr"))
    for frame in range(2):
        np.testing.assert_allclose(again.sdf_um(frame), before.sdf_um(frame), atol=2e-3)
    np.testing.assert_allclose(again.latent["code"], before.latent["code"], atol=1e-6)


def test_an_old_store_is_measured_and_knows_its_codes(old: Path) -> None:
    cells = cytoform.load(old / "run")
    assert cells.codes_of(ShapeStore.open(old / "new.zarr")).shape == (1, 4)
    results = evaluate(old / "balls.zarr", old / "balls.zarr", paired=True)
    assert (results.paired("jaccard")["a"] == 1).all()


def test_an_old_training_is_resumed(old: Path) -> None:
    """From its checkpoint to the weights that it had come to, but for the level, which that version left as it was."""
    weights = old / "run" / "model.safetensors"
    finished = load_file(weights)
    weights.unlink()
    assert train(old / "balls.zarr", old / "run", resume=True).finished
    resumed = load_file(weights)
    assert resumed.keys() == finished.keys()
    level = "decoder.output.bias"
    assert 0 < abs(float(resumed[level] - finished.pop(level))) < 0.05
    for name, tensor in finished.items():
        torch.testing.assert_close(resumed[name], tensor, atol=1e-4, rtol=1e-3)
