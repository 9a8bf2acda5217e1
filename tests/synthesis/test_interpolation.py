"""Cells between two learned ones: the ends are those that `reconstruct` renders."""

from pathlib import Path

import pytest

import cytoform
from cytoform.errors import InputError
from cytoform.runs.run import LearnedSequence
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.interpolation import _between
from cytoform.synthesis.paths import PathKind
from cytoform.synthesis.sequences import Rendering, reconstruct


@pytest.fixture(scope="module")
def cells(trained: Path) -> Cells:
    return load(trained)


@pytest.mark.parametrize("path", ["straight", "spherical"])
def test_ends_are_the_reconstructed_cells_to_the_byte(cells: Cells, tmp_path: Path, path: PathKind) -> None:
    rendering = Rendering(40, 3)
    cytoform.interpolate(cells, tmp_path / "mix.zarr", start="b", end="a", steps=4, path=path, rendering=rendering)
    reconstruct(cells, tmp_path / "rec.zarr", rendering=rendering)
    mix, rec = ShapeStore.open(tmp_path / "mix.zarr"), ShapeStore.open(tmp_path / "rec.zarr")
    assert mix.names == ["step_000", "step_001", "step_002", "step_003"]
    for step, name in (("step_000", "b"), ("step_003", "a")):
        chunks = [
            {file.relative_to(root): file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}
            for root in (tmp_path / "mix.zarr" / step / "sdf", tmp_path / "rec.zarr" / name / "sdf")
        ]
        assert len(chunks[0]) > 1
        assert chunks[0] == chunks[1]
        assert mix[step].info.time_step_s == rec[name].info.time_step_s


def test_sizes_lie_between_and_attributes_say_where(cells: Cells, tmp_path: Path) -> None:
    cytoform.interpolate(cells, tmp_path / "mix.zarr", start="a", end="b", steps=3, rendering=Rendering(n_frames=2))
    store = ShapeStore.open(tmp_path / "mix.zarr")
    assert store.attributes | {"command": "interpolate", "from": "a", "to": "b", "path": "straight"} == store.attributes
    details = [sequence.info.details for sequence in store]
    assert [(each["from"], each["to"], each["weight"]) for each in details] == [("a", "b", w) for w in (0, 0.5, 1)]
    assert cells.codes_of(store)[1] == pytest.approx(cells.codes.mean(axis=0), abs=1e-6)
    assert cells.codes_of(store)[2].tobytes() == cells.codes[1].tobytes()
    sizes = [int(sequence.mask(1).sum()) for sequence in store]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]


def test_frames_and_time_steps_between_unlike_cells() -> None:
    first, last = LearnedSequence("a", 4, 10.0), LearnedSequence("b", 7, 5.0)
    between = [_between(first, last, weight) for weight in (0.0, 0.5, 1.0)]
    assert [(each.n_frames, each.time_step_s) for each in between] == [(4, 10), (6, 7.5), (7, 5)]
    assert _between(first, LearnedSequence("b", 7, None), 0.5).time_step_s is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": "a", "end": "z"}, "no sequence 'z' was learned"),
        ({"start": "z", "end": "a"}, "no sequence 'z' was learned"),
        ({"start": "a", "end": "a"}, "--from a --to a: one and the same"),
        ({"start": "a", "end": "b", "steps": 1}, "--steps 1: "),
        ({"start": "a", "end": "b", "rendering": Rendering(n_frames=0)}, "--frames 0"),
    ],
)
def test_impossible_requests_write_nothing(
    cells: Cells, tmp_path: Path, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message) as fault:
        cytoform.interpolate(cells, tmp_path / "mix.zarr", **arguments)
    assert "\n" not in str(fault.value)
    assert list(tmp_path.iterdir()) == []
