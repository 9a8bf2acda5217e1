"""The network as ONNX: the same distances as the run, by another implementation."""

from pathlib import Path

import numpy as np
import pytest

import cytoform
from cytoform import cli
from cytoform.errors import InputError
from cytoform.exchange.onnx_model import export_onnx


def test_the_model_is_the_field_of_a_code(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    onnx = pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    out = tmp_path / "cells.onnx"
    command = ["export", str(trained), "--to", "onnx", "--out", str(out)]
    assert cli.run(command) == 0
    assert "differs from the run by at most" in capsys.readouterr().out
    first = out.read_bytes()
    assert cli.run([*command, "--overwrite"]) == 0
    assert out.read_bytes() == first
    model = onnx.load(out)
    codes = {entry.key: np.array(entry.value.split(), np.float32) for entry in model.metadata_props}
    cells = cytoform.load(trained)
    points = np.random.default_rng(1).uniform(0, 12, (50, 3)).astype(np.float32)
    for name in cells.names:
        inputs = {"points_zyx_um": points, "time": np.array(0.25, np.float32), "code": codes[f"code {name}"]}
        (found,) = ReferenceEvaluator(model).run(None, inputs)
        assert found == pytest.approx(cells.field(cells.codes[cells.names.index(name)])(points, 0.25), abs=1e-4)


def test_a_run_of_components_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    with pytest.raises(InputError, match="only networks"):
        export_onnx("zoo:mitosis", tmp_path / "x.onnx")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytoform.exchange.onnx_model.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"cytoform\[onnx\]"):
        export_onnx("zoo:mitosis", tmp_path / "x.onnx")
    assert list(tmp_path.iterdir()) == []
