"""Settings from the data: taken apart or not, smooth or not, few or many sequences."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import stores
from blebbing import blebbing_frames
from protruding import GRID

from cytoform.cli import run as run_command
from cytoform.errors import InputError
from cytoform.protrusions.verdict import Verdict
from cytoform.representations.parts.config import PartsConfig
from cytoform.runs.auto import CoarseGrid, automatic, chosen_for, coarse_grid, presets_with, taken_apart
from cytoform.runs.config import load_config
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import load

APPLIES = Verdict((), 0.5, 0.3, 0.05, 20, 0.1, 0.2)
NOT = Verdict(("the body is no steadier than the cell",))
SMOOTH, SHARP = CoarseGrid(48, 0.99), CoarseGrid(64, 0.9)


@pytest.mark.parametrize(
    ("verdict", "grid", "n", "preset", "aligned", "kind"),
    [
        (NOT, SMOOTH, 3, "linear", False, "linear"),
        (NOT, SMOOTH, 27, "linear", True, "linear"),
        (NOT, SHARP, 3, "quick", False, "global"),
        (NOT, SHARP, 6, "quick", True, "global"),
        (NOT, SHARP, 27, "unseen", True, "refined"),
    ],
)
def test_the_data_choose(verdict: Verdict, grid: CoarseGrid, n: int, preset: str, aligned: bool, kind: str) -> None:
    found = chosen_for(verdict, grid, n)
    assert found.preset == preset
    config = load_config(preset=found.preset, settings=list(found.settings))
    assert (config.data.align == "principal") == aligned
    assert config.model.kind == kind
    assert verdict.sentence in found.reason


@pytest.mark.parametrize(
    ("setting", "asks"),
    [
        ("training.epochs=3", True),
        ("sampling.pool_points=500", True),
        ("model.width=24", True),
        ("data.mirrored=true", True),
        ("model.knots=6", False),
        ("data.frame_stride=2", False),
        ("model.rotations=none", False),
        ("model.components=5", False),
    ],
)
def test_settings_of_networks_ask_for_one(balls: Path, setting: str, asks: bool) -> None:
    found = automatic(ShapeStore.open(balls), settings=[setting])
    assert found.preset == ("quick" if asks else "linear")
    assert (setting in found.reason) == asks


@pytest.mark.parametrize(
    ("setting", "preset"),
    [("training.epochs=3", "unseen"), ("model.width=24", "unseen"), ("model.code_dim=8", "quick")],
)
def test_a_setting_of_one_code_a_cell_asks_for_a_network_alone(setting: str, preset: str) -> None:
    assert chosen_for(NOT, None, 27, presets_with([setting]), setting).preset == preset


@pytest.mark.parametrize(
    ("settings", "n", "preset"),
    [
        (["model.components=40"], 3, "linear"),
        (["model.components=40"], 27, "unseen"),
        (["model.components=40", "model.width=24"], 3, "unseen"),
    ],
)
def test_settings_of_components_are_taken_where_no_coarse_grid_holds_the_cells(
    settings: list[str], n: int, preset: str
) -> None:
    presets = presets_with(settings)
    assert chosen_for(NOT, SHARP if "linear" in presets else None, n, presets).preset == preset


def test_settings_that_no_preset_has_are_refused() -> None:
    assert presets_with(["model.components=40"]) == ("linear", "unseen")
    assert presets_with(["model.kind=global"]) == ("quick",)
    assert presets_with(["model.code_dim=8"]) == ("parts", "quick")
    with pytest.raises(InputError, match=r"did you mean model\.width"):
        presets_with(["model.widht=3"])
    with pytest.raises(InputError, match="unknown setting"):
        presets_with(["model.components=40", "model.code_dim=8"])
    # Components are settings of some presets only; their faults are told, not that the others have no components.
    with pytest.raises(InputError, match=r"model\.components = 99999: .*less than or equal to 4096"):
        presets_with(["model.components=99999"])
    with pytest.raises(InputError, match=r"did you mean model\.components\?"):
        presets_with(["model.componentss=3"])


def test_balls_are_smooth_cells(balls: Path) -> None:
    assert automatic(ShapeStore.open(balls)).preset == "linear"


def test_only_the_cells_that_will_be_learned_are_looked_at(balls: Path) -> None:
    found = automatic(ShapeStore.open(balls), names=["a"])
    assert "for 1 sequence, as they lie" in found.reason
    with pytest.raises(InputError, match="missing"):
        automatic(ShapeStore.open(balls), names=["a", "missing"])


def test_a_thin_plate_is_held_by_no_coarse_grid(tmp_path: Path) -> None:
    grid = Grid(128, 8.0)
    z, y, x = (grid.points_zyx_um() - grid.half_extent_um).T
    tilted = np.abs(z - 0.3 * x - 0.2 * y) / np.sqrt(1.13) - 0.1
    plate = np.max([tilted, np.abs(y) - 6, np.abs(x) - 6], axis=0).reshape(grid.shape).astype(np.float32)
    store = ShapeStore.open(stores.write_store(tmp_path / "plate.zarr", {"a": [plate]}, grid=grid))
    found = coarse_grid(store, store.names, aligned=False)
    assert found.nodes == 64
    assert found.jaccard < 0.95


THICK = Verdict((), once=0.1, number=12, share=0.16, thickness_um=0.96, lasting=True, necked=0.3, thick=1.0)


@pytest.mark.parametrize(("verdict", "body"), [(APPLIES, "opening"), (THICK, "lasting")])
def test_bodies_with_protrusions_are_taken_apart(verdict: Verdict, body: str) -> None:
    found = taken_apart(verdict, 100)
    model = load_config(preset=found.preset, settings=list(found.settings)).model
    assert isinstance(model, PartsConfig)
    assert model.body == body
    assert verdict.sentence in found.reason


@pytest.mark.parametrize(
    ("settings", "preset"),
    [
        ((), "parts"),
        (("training.epochs=3",), "parts"),
        (("data.frame_stride=2",), "linear"),
        (("model.kind=linear",), "linear"),
    ],
)
def test_parts_are_taken_where_the_settings_allow(
    settings: Sequence[str], preset: str, balls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cytoform.runs.auto.judge", lambda store, **others: THICK)
    assert automatic(ShapeStore.open(balls), settings=settings).preset == preset


@pytest.mark.slow
def test_the_default_takes_blebs_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cytoform.protrusions.verdict.UNSTEADINESS", -1.0)
    store, run = tmp_path / "blebs.zarr", tmp_path / "run"
    stores.write_store(store, {"a": blebbing_frames(0), "b": blebbing_frames(1)}, grid=GRID)
    small = ("training.epochs=2", "sampling.pool_points=2000", "model.width=16")
    words = [word for setting in small for word in ("--set", setting)]
    assert run_command(["train", str(store), "--out", str(run), "--workers", "1", *words]) == 0
    assert "preset parts model.body=lasting: cells are taken apart into what lasts" in capsys.readouterr().out
    parts = load(run).run.parts
    assert [len(each.bulges) > 0 for each in parts] == [True, True]


@pytest.mark.parametrize(("n_frames", "epochs"), [(96, 400), (990, 303), (20_000, 150)])
def test_bodies_of_many_frames_are_learned_in_fewer_epochs(n_frames: int, epochs: int) -> None:
    found = taken_apart(APPLIES, n_frames)
    assert load_config(preset=found.preset, settings=list(found.settings)).training.epochs == epochs
