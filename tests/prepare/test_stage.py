"""Label movies to a shape store."""

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from cytoform.errors import InputError
from cytoform.movies.readers.files import read_volume
from cytoform.prepare import Prepared, prepare
from cytoform.shapes.cleaning import CleanMask, clean_mask
from cytoform.shapes.store import ShapeSequence, ShapeStore

GRID = 32
Writer = Callable[[Path, np.ndarray], Path]
VOLUME_UM3 = {"mother": 4 / 3 * np.pi * 2.5**3, "daughters": 4 / 3 * np.pi * (1.8**3 + 2.2**3)}


@pytest.fixture
def movie(tmp_path: Path, write: dict[str, Writer], division: np.ndarray) -> Path:
    """Six frames of a cell that divides, with its lineage."""
    return write["challenge"](tmp_path / "movie", division)


def run(sources: list[Path], out: Path, **options) -> Prepared:
    return prepare(sources, out, **{"grid_size": GRID, **options})


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def only(store: Path) -> ShapeSequence:
    (sequence,) = ShapeStore.open(store)
    return sequence


def volume_um3(sequence: ShapeSequence, frame: int) -> float:
    return float(sequence.mask(frame).sum()) * sequence.grid.spacing_um**3


def centroid_um(sequence: ShapeSequence, frame: int) -> np.ndarray:
    """From the middle of the cube."""
    grid = sequence.grid
    return (np.argwhere(sequence.mask(frame)).mean(0) + 0.5) * grid.spacing_um - grid.half_extent_um


def test_a_family_becomes_one_sequence(movie: Path, tmp_path: Path) -> None:
    prepared = run([movie], tmp_path / "s.zarr")
    assert (prepared.n_families, prepared.n_frames, prepared.left_out) == (1, 6, ())
    assert (prepared.n_holes, prepared.n_specks) == (0, 0)
    sequence = only(tmp_path / "s.zarr")
    assert (sequence.info.n_frames, sequence.info.time_step_s) == (6, 90.0)
    for frame in range(6):
        expected = VOLUME_UM3["mother" if frame < 3 else "daughters"]
        assert volume_um3(sequence, frame) == pytest.approx(expected, rel=0.06)
        assert centroid_um(sequence, frame) == pytest.approx([0, 0, 0], abs=0.1)


def test_attributes_say_where_the_store_comes_from(movie: Path, tmp_path: Path) -> None:
    run([movie], tmp_path / "s.zarr", frames=4, seed=5)
    attributes = ShapeStore.open(tmp_path / "s.zarr").attributes
    assert attributes["command"] == "prepare"
    assert attributes["sources"] == [movie.name]
    assert attributes["options"]["frames"] == 4
    assert attributes["seed"] == 5


def test_offsets_put_the_motion_back(movie: Path, tmp_path: Path) -> None:
    """The mother moves by 0.1 µm a frame along y, and keeps her place along z and x."""
    run([movie], tmp_path / "s.zarr", frames=3)
    offsets = np.array(only(tmp_path / "s.zarr").info.offsets_zyx_um)
    assert offsets[:, 1] == pytest.approx([6.0, 6.1, 6.2], abs=0.03)
    assert offsets[:, [0, 2]] == pytest.approx(np.full((3, 2), 6.0), abs=0.03)


def test_keep_motion_centres_the_sequence_as_a_whole(movie: Path, tmp_path: Path) -> None:
    run([movie], tmp_path / "s.zarr", frames=3, keep_motion=True)
    sequence = only(tmp_path / "s.zarr")
    assert len(set(sequence.info.offsets_zyx_um)) == 1
    moved = [centroid_um(sequence, frame)[1] for frame in range(3)]
    assert moved == pytest.approx([-0.1, 0.0, 0.1], abs=0.05)


def test_one_scale_for_all_sources(write: dict[str, Writer], division: np.ndarray, tmp_path: Path) -> None:
    """Two movies of the same name; the smaller cells get the cube of the larger ones, and a name of their own."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    small = np.where(np.isin(division, [7, 40]), 0, division)[3:]
    sources = [
        write["ome-tiff"](tmp_path / "a" / "cells", division[:3]),
        write["ome-tiff"](tmp_path / "b" / "cells", small),
    ]
    prepared = run(sources, tmp_path / "s.zarr")
    store = ShapeStore.open(tmp_path / "s.zarr")
    assert store.names == ["cells", "cells_2"]
    assert store.grid == prepared.grid
    assert volume_um3(store["cells"], 0) == pytest.approx(VOLUME_UM3["mother"], rel=0.06)
    assert volume_um3(store["cells_2"], 0) == pytest.approx(4 / 3 * np.pi * 1.8**3, rel=0.08)


def test_the_cube_holds_the_cell_with_its_band(movie: Path, tmp_path: Path) -> None:
    run([movie], tmp_path / "s.zarr", grid_size=48)
    sequence = only(tmp_path / "s.zarr")
    for frame in range(6):
        mask = sequence.mask(frame)
        mask[2:-2, 2:-2, 2:-2] = False
        assert not mask.any()


def test_a_given_half_extent_is_kept_or_refused(movie: Path, tmp_path: Path) -> None:
    run([movie], tmp_path / "s.zarr", half_extent_um=9.0)
    assert only(tmp_path / "s.zarr").grid.half_extent_um == 9.0
    with pytest.raises(InputError, match=r"--half-extent 3.*movie.*reaches"):
        run([movie], tmp_path / "t.zarr", half_extent_um=3.0)
    assert not (tmp_path / "t.zarr").exists()


def test_holes_and_specks_are_put_right_and_counted(
    write: dict[str, Writer], division: np.ndarray, tmp_path: Path
) -> None:
    clean = run([write["ome-tiff"](tmp_path / "clean", division[:3])], tmp_path / "clean.zarr")
    dirty = division[:3].copy()
    dirty[1, 12, 30, 24] = 0  # in the middle of the cell
    dirty[2, 2, 3, 3] = 7  # far from it: must not enlarge the cube either
    prepared = run([write["ome-tiff"](tmp_path / "dirty", dirty)], tmp_path / "dirty.zarr")
    assert (prepared.n_holes, prepared.n_specks) == (1, 1)
    assert prepared.grid == clean.grid
    for frame in range(3):
        assert np.array_equal(only(tmp_path / "dirty.zarr").mask(frame), only(tmp_path / "clean.zarr").mask(frame))


def test_cut_cells_are_left_out_and_listed(write: dict[str, Writer], division: np.ndarray, tmp_path: Path) -> None:
    labels = division[:2].copy()
    labels[1, 10:14, 0:4, 20:24] = 9
    labels[0, 10:14, 1:5, 20:24] = 9
    prepared = run([write["ome-tiff"](tmp_path / "two", labels)], tmp_path / "s.zarr")
    assert prepared.n_families == 1
    (lost,) = prepared.left_out
    assert "cut by the border in frame 1" in lost.reason
    assert ShapeStore.open(tmp_path / "s.zarr").attributes["left_out"][0]["name"] == lost.name
    with pytest.raises(InputError, match=r"no whole cell.*cut by the border"):
        run([write["ome-tiff"](tmp_path / "cut", np.where(labels == 9, labels, 0))], tmp_path / "t.zarr")


def test_an_empty_frame_is_named(write: dict[str, Writer], division: np.ndarray, tmp_path: Path) -> None:
    frames = division[:3].copy()
    frames[1] = 0
    source = write["ome-tiff"](tmp_path / "gap", frames)
    with pytest.raises(InputError, match=r"gap.ome.tif, frame 1"):
        run([source], tmp_path / "s.zarr")
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_same_bytes_for_any_number_of_workers(movie: Path, tmp_path: Path) -> None:
    for folder, workers in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / folder).mkdir()
        run([movie], tmp_path / folder / "s.zarr", workers=workers)
    first, *others = (files_of(tmp_path / folder) for folder in "abc")
    assert others == [first, first]


@pytest.mark.parametrize("resume", [False, True])
def test_every_frame_is_read_once_and_every_cell_cleaned_once(
    resume: bool, write: dict[str, Writer], division: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a lineage and without; frames and cells that are not in use are left alone."""
    sources = [write["challenge"](tmp_path / "tree", division), write["folder"](tmp_path / "labels", division)]
    reads: list[str] = []
    cleaned: list[tuple[int, ...]] = []

    def watched(path: Path, **where: object) -> np.ndarray:
        reads.append(str(path))
        return read_volume(path, **where)

    def counted(labels: np.ndarray, members: tuple[int, ...]) -> CleanMask:
        cleaned.append(members)
        return clean_mask(labels, members)

    monkeypatch.setattr("cytoform.movies.readers.folder.read_volume", watched)
    monkeypatch.setattr("cytoform.prepare.plan.clean_mask", counted)
    prepared = run(sources, tmp_path / "s.zarr", frames=2, resume=resume)
    # The tree has two files a frame: segmentation and markers.
    assert len(reads) == len(set(reads)) == 2 * 2 + 6
    # The mother twice, as a family and as a label of its own, and her daughters.
    assert sorted(cleaned) == [(7,)] * 4 + [(40,)] * 2 + [(300,)] * 2
    assert (prepared.n_families, prepared.n_frames) == (4, 8)


def test_progress_counts_movies_then_every_frame_twice(movie: Path, tmp_path: Path) -> None:
    """Families are followed, cells are measured, then written."""
    totals: list[float] = []
    units: list[float] = []

    @contextmanager
    def progress(what: str, total: float):
        totals.append(total)
        yield lambda units_done=1, *, note="": units.append(units_done)

    run([movie], tmp_path / "s.zarr", progress=progress)
    assert totals == [1, 12]
    assert sum(units) == 13


@pytest.mark.real
def test_real_nuclei(real_data: Path, tmp_path: Path) -> None:
    """Eight nuclei whose slices are ten times as thick as their pixels."""
    source = real_data / "blastospim_nuclei"
    with pytest.raises(InputError, match="--voxel-size"):
        run([source], tmp_path / "s.zarr")
    prepared = run([source], tmp_path / "s.zarr", voxel_size_zyx_um=(2.0, 0.208, 0.208), frames=2)
    assert prepared.n_families + len(prepared.left_out) == 8
    for sequence in ShapeStore.open(tmp_path / "s.zarr"):
        assert 300 < volume_um3(sequence, 0) < 4000
