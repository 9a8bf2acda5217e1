"""A model as one of the ways: it is told nothing of what is hidden, it is used where it helps, and only there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from moving import moving_ball, overlap
from stores import GRID, ball, empty, write_store

from cytoform.completion.options import FillOptions
from cytoform.completion.stage import fill
from cytoform.shapes.sequence import ShapeSequence
from cytoform.shapes.store import ShapeStore


@dataclass
class Oracle:
    """A model that knows a ball's exact place, or one that is wrong by `wrong_um` along y."""

    wrong_um: float = 0.0
    asked: list[list[int]] = field(default_factory=list)

    def told(self, sequence: ShapeSequence, frames: Sequence[int]) -> Callable[[np.ndarray, float], np.ndarray]:
        self.asked.append(list(frames))

        def expected(points_zyx_um: np.ndarray, time: float) -> np.ndarray:
            centre = np.array([0, self.wrong_um, 1.2 * time - 3]) + sequence.grid.half_extent_um
            return np.linalg.norm(points_zyx_um - centre, axis=1) - 3.0

        return expected

    def stored(self, name: str) -> dict[str, np.ndarray]:
        return {"code": np.arange(3.0)}

    @property
    def path(self) -> Path:
        return Path("oracle")

    @property
    def attributes(self) -> dict[str, object]:
        return {"run": "oracle"}


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    return write_store(tmp_path / "whole.zarr", {"a": [moving_ball(0.5 * time) for time in range(9)]})


@dataclass
class Slow(Oracle):
    """An oracle of the movie above, whose ball moves half as fast."""

    def told(self, sequence: ShapeSequence, frames: Sequence[int]) -> Callable[[np.ndarray, float], np.ndarray]:
        expected = super().told(sequence, frames)
        return lambda points, time: expected(points, 0.5 * time)


def test_a_model_that_knows_is_used(shapes: Path, tmp_path: Path) -> None:
    (found,) = fill(shapes, tmp_path / "out.zarr", options=FillOptions(every_frame=2), model=Slow()).sequences
    shares = found.chosen.choice.mixture.shares
    assert shares.get("model", 0) + shares.get("change of model", 0) >= 0.75
    assert found.chosen.choice.jaccard is not None
    assert found.chosen.choice.jaccard > 0.97
    out = ShapeStore.open(tmp_path / "out.zarr")
    assert all(overlap(out["a"].mask(t), moving_ball(0.5 * t) <= 0) > 0.96 for t in range(1, 8, 2))
    assert out["a"].latent["code"].tolist() == [0, 1, 2]
    assert out.attributes["run"] == "oracle"


def test_known_frames_come_back_exactly(shapes: Path, tmp_path: Path) -> None:
    fill(shapes, tmp_path / "out.zarr", options=FillOptions(every_frame=2), model=Slow(1.0))
    one, other = (ShapeStore.open(path)["a"] for path in (shapes, tmp_path / "out.zarr"))
    assert all(one.sdf_um(t).tobytes() == other.sdf_um(t).tobytes() for t in range(0, 9, 2))


def test_a_model_that_is_wrong_is_left_out(tmp_path: Path) -> None:
    """A ball at rest that the model thinks moves, and by the wrong place."""
    shapes = write_store(tmp_path / "rest.zarr", {"a": [ball(3.0)] * 9})
    (found,) = fill(shapes, tmp_path / "out.zarr", options=FillOptions(every_frame=2), model=Oracle(2.0)).sequences
    assert "model" not in found.chosen.choice.mixture.shares
    assert overlap(ShapeStore.open(tmp_path / "out.zarr")["a"].mask(3), ball(3.0) <= 0) > 0.99


def test_hidden_frames_are_not_told(shapes: Path, tmp_path: Path) -> None:
    """Of known frames 0, 2, 4, 6, 8, the model is asked about 2, 4 and 6 alone, and about 4 without its neighbours."""
    model = Slow()
    fill(shapes, tmp_path / "out.zarr", options=FillOptions(every_frame=2), model=model)
    assert model.asked[0] == [0, 2, 4, 6, 8]
    assert sorted(model.asked[1:]) == [[0, 2, 6, 8], [0, 4, 8], [0, 8]]


def test_of_a_sequence_without_gaps_nothing_is_hidden(tmp_path: Path) -> None:
    frames = [moving_ball(0.5 * time) for time in range(5)]
    shapes = write_store(tmp_path / "two.zarr", {"whole": frames, "gap": [*frames[:2], empty(GRID), *frames[3:]]})
    model = Slow()
    fill(shapes, tmp_path / "out.zarr", model=model)
    assert [frames for frames in model.asked if 2 in frames] == [[0, 1, 2, 3, 4]]
