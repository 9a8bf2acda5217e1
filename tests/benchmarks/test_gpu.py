"""The benchmark of a graphics card runs from data to table, here on the CPU and smaller than `--small`."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import gpu

SETTINGS = ("model.width=16", "model.depth=3", "model.code_layers=[1, 2]", "model.omega=8.0", "model.code_dim=36")
TINY = replace(
    gpu.SMALL,
    cells=2,
    frames=2,
    grid=32,
    pool_points=1000,
    epochs=20,
    rendered=(32,),
    check_grid=24,
    speed_s=0.0,
    settings=(*SETTINGS, "training.points_per_frame=64"),
)


@pytest.fixture(autouse=True)
def smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "SMALL", TINY)
    monkeypatch.setattr(gpu, "n_processors", lambda: 1)


def rows(out: Path) -> dict[str, dict[str, object]]:
    """The rows of OUT/gpu.json by name."""
    return {row["name"]: row for row in json.loads((out / "gpu.json").read_text())["rows"]}


def test_every_row_is_measured_or_says_why_not(tmp_path: Path) -> None:
    assert gpu.main(["--small", "--out", str(tmp_path)]) == 0
    found = rows(tmp_path)
    assert float(str(found["distances against the CPU"]["largest difference, half extents"])) < 1e-4
    assert found["masks at 24³ against dense ones of the CPU"]["differing voxels"] == 0
    assert float(str(found["rendering 2 × 32³ to a store"]["s"])) > 0
    for preset in gpu.PRESETS:
        assert int(str(found[f"training, preset {preset}, bf16"]["points/s"])) > 0
    missing = {name for name, row in found.items() if "missing" in row}
    assert missing == {f"training, {name}" for name, mode in gpu.MODES.items() if not mode.on_cpu}
    table = (tmp_path / "gpu.md").read_text()
    assert all(f"| {name} | " in table for name in found)


def test_rows_without_time_and_rows_that_fail_say_so(tmp_path: Path) -> None:
    table = gpu.Table(tmp_path, gpu.torch.device("cpu"), 1.0, TINY)

    def fails() -> dict[str, object]:
        raise RuntimeError("out of memory\nand more")

    table.measure("slow", fails, needs_s=61)
    table.measure("large", fails, needs_s=1)
    found = rows(tmp_path)
    assert (found["slow"]["missing"], found["large"]["missing"]) == ("no time was left", "failed: out of memory")
