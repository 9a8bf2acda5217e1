"""Whole scenes: the challenge's own check, perfect scores, families read back, the same bytes, kept frames."""

import errno
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from ome_zarr_models.v05.image import Image
from ome_zarr_models.v05.image_label import ImageLabel
from processes import Cytoform, cytoform

from cytoform.assess.measures.dynamics import Bodies, division_frame
from cytoform.errors import InputError
from cytoform.movies.lineage import read_lineage
from cytoform.prepare import prepare
from cytoform.scenes.dataset import Dataset
from cytoform.scenes.stage import Made, benchmark
from cytoform.scenes.work import Work
from cytoform.shapes.store import ShapeStore
from scenes import Flat, challenge_scores, files_of, read_labels, request, write_pairs


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs") / "pairs.zarr")


@pytest.fixture(scope="module")
def scene(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    """Three families in a closed room, with images and everything."""
    out = tmp_path_factory.mktemp("scene") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cytoform.imaging.texture.open_texture", lambda what, device: Flat())
        (made,) = benchmark(request(pairs, texture="flat", ome_zarr=True, geff=True, meshes=True), out)
    return out, made


def test_the_challenge_accepts_it_and_the_truth_scores_one(scene: tuple[Path, Made], tmp_path: Path) -> None:
    assert challenge_scores(scene[0], tmp_path) == {"SEG": 1, "DET": 1, "TRA": 1}


def test_every_family_is_a_mother_and_two_daughters_who_agree_with_the_masks(scene: tuple[Path, Made]) -> None:
    out, _ = scene
    lineage = read_lineage(out / "01_GT" / "TRA" / "man_track.txt")
    families = lineage.families()
    assert [len(family.tracks) for family in families] == [3, 3, 3]
    for family in families:
        root, *daughters = family.tracks
        assert all(daughter.first == root.last + 1 and daughter.last == 7 for daughter in daughters)
        before, after = read_labels(out, root.last), read_labels(out, root.last + 1)
        sizes = [(after == daughter.label).sum() for daughter in daughters]
        assert min(sizes) > 0.4 * (before == root.label).sum()
        # The daughters lie where the mother lay.
        middle = np.argwhere(before == root.label).mean(axis=0)
        centre = np.argwhere(np.isin(after, [daughter.label for daughter in daughters])).mean(axis=0)
        assert np.linalg.norm(middle - centre) < 3


def test_no_two_cells_share_a_voxel_and_none_is_cut(scene: tuple[Path, Made]) -> None:
    out, made = scene
    assert sum(frame.n_shared for frame in made.measured) == 0
    sizes = [np.bincount(read_labels(out, frame).ravel())[1:].sum() for frame in range(8)]
    one_ball = 4 / 3 * np.pi * 2.6**3 / 0.125
    assert sizes[-1] == pytest.approx(6 * one_ball, rel=0.08)  # every ball becomes two of its size
    assert all(after > 0.98 * before for before, after in pairwise(sizes))


def test_prepare_reads_the_families_back(scene: tuple[Path, Made], tmp_path: Path) -> None:
    out, _ = scene
    prepared = prepare([out], tmp_path / "s.zarr", grid_size=64)
    assert (prepared.n_families, prepared.left_out) == (3, ())
    families = read_lineage(out / "01_GT" / "TRA" / "man_track.txt").families()
    for family, sequence in zip(families, ShapeStore.open(tmp_path / "s.zarr"), strict=True):
        for frame in (0, 7):
            written = np.isin(read_labels(out, frame), family.labels_in(frame)).sum() * 0.125
            assert sequence.mask(frame).sum() * sequence.grid.spacing_um**3 == pytest.approx(written, rel=0.06)
        bodies = [Bodies.of(sequence.mask(frame)).n for frame in range(8)]
        assert division_frame(bodies) == family.root.last + 1
        assert sequence.info.time_step_s == 60


def test_images_belong_to_masks_and_everything_says_the_same(scene: tuple[Path, Made]) -> None:
    import geff

    out, _ = scene
    image = zarr.open_group(out / "01.ome.zarr", mode="r")
    Image.from_zarr(image)
    ImageLabel.from_zarr(zarr.open_group(out / "01.ome.zarr" / "labels" / "cells", mode="r"))
    for frame in range(8):
        labels = read_labels(out, frame)
        assert np.array_equal(tifffile.imread(out / "01_GT" / "SEG" / f"man_seg{frame:03d}.tif"), labels)
        assert np.array_equal(tifffile.imread(out / "01" / f"t{frame:03d}.tif"), 100 * labels)
        assert np.array_equal(image["labels/cells/0"][frame], labels)
        assert np.array_equal(image["0"][frame], 100 * labels)
    geff.validate_structure(out / "01.geff")
    graph, _ = geff.read(out / "01.geff")
    assert len(graph) == sum(len(np.unique(read_labels(out, frame))) - 1 for frame in range(8))
    assert sorted(node for node in graph if graph.out_degree(node) == 2) != []
    assert sum(graph.out_degree(node) == 2 for node in graph) == 3
    for node, values in graph.nodes(data=True):
        labels = read_labels(out, int(values["t"]))
        place = np.array([values[axis] for axis in "zyx"]) / 0.5 - 0.5
        inside = np.argwhere(labels == values["label"])
        assert place == pytest.approx(inside.mean(axis=0), abs=1e-6), node
        assert values["size"] == pytest.approx(len(inside) * 0.125)


def test_geff_passes_its_own_checks_of_tracks_and_labels(scene: tuple[Path, Made]) -> None:
    from geff.core_io import read_to_memory
    from geff.validate.data import ValidationConfig, validate_data
    from geff.validate.segmentation import has_seg_ids_at_time_points

    out, _ = scene
    memory = read_to_memory(out / "01.geff")
    validate_data(memory, ValidationConfig(graph=True, tracklet=True, lineage=True))
    labels = np.stack([read_labels(out, frame) for frame in range(8)])
    times, names = (memory["node_props"][name]["values"].astype(int) for name in ("t", "label"))
    good, wrong = has_seg_ids_at_time_points(labels, times, names, memory["metadata"])
    assert good, wrong


def test_meshes_lie_where_the_masks_do(scene: tuple[Path, Made]) -> None:
    import trimesh

    out, _ = scene
    labels = read_labels(out, 7)
    files = sorted((out / "meshes" / "01").glob("t007_*.ply"))
    assert [int(file.stem[5:]) for file in files] == [label for label in np.unique(labels) if label]
    for file in files:
        mesh = trimesh.load(file)
        inside = np.argwhere(labels == int(file.stem[5:]))
        assert mesh.centroid[::-1] == pytest.approx((inside.mean(axis=0) + 0.5) * 0.5, abs=0.06)
        assert mesh.volume == pytest.approx(len(inside) * 0.125, rel=0.08)


def test_cells_that_leave_and_come_back_are_new_tracks(pairs: Path, tmp_path: Path) -> None:
    """A small field, fast cells and open borders."""
    (made,) = benchmark(
        request(
            pairs, cells=5, frames=24, size_zyx=(24, 44, 44), leave="xy", speed_um_per_min=4.0, arrivals=0.4, seed=5
        ),
        tmp_path / "out",
    )
    again = [body for body in set(made.tracked.bodies) if made.tracked.bodies.count(body) > 1]
    assert again, "nobody came back; choose another seed"
    for body in again:
        tracks = [t for t, number in zip(made.tracked.tracks, made.tracked.bodies, strict=True) if number == body]
        for before, after in pairwise(tracks):
            assert after.first > before.last + 1
            assert not after.parent
    assert any(track.first > 0 and not track.parent for track in made.tracked.tracks)
    (tmp_path / "room").mkdir()
    assert challenge_scores(tmp_path / "out", tmp_path / "room") == {"SEG": 1, "DET": 1, "TRA": 1}


def test_the_same_seed_gives_the_same_bytes_with_one_worker_and_with_two(pairs: Path, tmp_path: Path) -> None:
    wanted = request(pairs, leave="xy", ome_zarr=True, geff=True, frames=4, texture="optics")
    benchmark(wanted, tmp_path / "one", workers=1)
    benchmark(wanted, tmp_path / "two", workers=2)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    benchmark(request(pairs, leave="xy", frames=4, seed=4), tmp_path / "other")
    assert (
        files_of(tmp_path / "other")["01_GT/TRA/man_track000.tif"]
        != files_of(tmp_path / "one")["01_GT/TRA/man_track000.tif"]
    )


STOPS = [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device"), InputError("the worker died")]


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: type(stop).__name__)
def test_finished_frames_are_kept_and_not_made_again(stop: BaseException, pairs: Path, tmp_path: Path) -> None:
    wanted, out = request(pairs, ome_zarr=True), tmp_path / "out"
    benchmark(wanted, tmp_path / "whole")
    written = Dataset.write
    begun: list[int] = []

    def write(self: Dataset, frame: int, labels: np.ndarray, image: np.ndarray | None, **more: bool) -> None:
        begun.append(frame)
        if frame == 3 and not out.exists() and begun.count(3) == 1:
            written(self, frame, labels * 0, image, **more)  # what was begun is not trusted
            for stray in ("01_GT/SEG/.man_seg003.tif.partial-7", "01.ome.zarr/labels/cells/0/c/3/0/0/0.77.partial"):
                (self.folder / stray).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / stray).write_bytes(b"of a killed worker")
            raise stop
        written(self, frame, labels, image, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dataset, "write", write)
        with pytest.raises(type(stop)) as stopped:
            benchmark(wanted, out)
        assert stopped.value.__notes__ == ["3 finished frames are kept; the same command with --resume goes on"]
        assert not out.exists()
        with pytest.raises(InputError, match=r"--resume with another --seed"):
            benchmark(request(pairs, ome_zarr=True, seed=9), out, resume=True)
        benchmark(wanted, out, resume=True)
    stop.__notes__.clear()
    assert begun == [0, 1, 2, 3, 3, 4, 5, 6, 7]
    assert files_of(out) == files_of(tmp_path / "whole")
    assert not list(tmp_path.glob(".*"))


def test_a_scene_needs_cells(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no RUN: give trained runs or shape stores"):
        benchmark(request(), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_two_at_once_are_refused(pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Work.at(out, inputs=[], overwrite=False).locked(), pytest.raises(InputError, match="another process"):
        benchmark(request(pairs), out)
    assert not list(tmp_path.glob(".*"))


def test_a_crowded_scene_leaves_nothing_behind(pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too crowded"):
        benchmark(request(pairs, cells=20, size_zyx=(24, 40, 40)), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_texture_for_other_images_is_refused_before_the_long_work(pairs: Path, tmp_path: Path) -> None:
    class Planes(Flat):
        def render(self, labels_zyx: np.ndarray, *, projection: bool = False, **more: Any) -> np.ndarray:
            if not projection:
                raise InputError("model: learned projections; pass --projection")
            return super().render(labels_zyx, projection=projection, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cytoform.imaging.texture.open_texture", lambda what, device: Planes())
        patch.setattr("cytoform.scenes.scene.render_family", lambda drawn, stage: pytest.fail("too late"))
        with pytest.raises(InputError, match="learned projections"):
            benchmark(request(pairs, texture="planes"), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_projections_follow_the_thickest_cell(pairs: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cytoform.imaging.texture.open_texture", lambda what, device: Flat())
        (made,) = benchmark(
            request(pairs, texture="flat", projection=True, size_zyx=(48, 40, 40), cells=6, ome_zarr=True),
            tmp_path / "out",
        )
    labels = read_labels(tmp_path / "out", 0)
    assert labels.shape == (40, 40)
    assert tifffile.imread(tmp_path / "out" / "01" / "t000.tif").shape == (40, 40)
    (tmp_path / "room").mkdir()
    assert challenge_scores(tmp_path / "out", tmp_path / "room") == {"SEG": 1, "DET": 1, "TRA": 1}
    assert zarr.open_group(tmp_path / "out" / "01.ome.zarr", mode="r")["labels/cells/0"].shape == (8, 1, 40, 40)
    assert {track.label for track in made.tracked.tracks} >= set(np.unique(labels[labels > 0]).tolist())


def test_a_series_shows_one_scene(pairs: Path, tmp_path: Path) -> None:
    for dial, values in {"cells": (1, 3), "every": (1, 2), "planes": (1, 3)}.items():
        made = benchmark(request(pairs, series=(dial, values), ome_zarr=False), tmp_path / dial)
        assert [one.name for one in made] == [f"{dial}-{value}" for value in values]
        easy, hard = (tmp_path / dial / one.name for one in made)
        labels, other = read_labels(easy, 2), read_labels(hard, 1 if dial == "every" else 2)
        if dial == "cells":
            assert np.array_equal(labels > 0, (labels > 0) & (other > 0))
            assert len(np.unique(other)) > len(np.unique(labels))
        elif dial == "every":
            assert np.array_equal(labels > 0, other > 0)
            assert len(list((hard / "01_GT" / "TRA").glob("*.tif"))) == 4
        else:
            assert np.array_equal(labels[1::3] > 0, other > 0)
    from cytoform.movies.readers import open_movies

    (movie,) = open_movies(tmp_path / "planes" / "planes-3")
    assert movie.spacing_zyx_um == pytest.approx((1.5, 0.5, 0.5))
    (movie,) = open_movies(tmp_path / "every" / "every-2")
    assert movie.time_step_s == 120


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_random_moments(workers: int, pairs: Path, tmp_path: Path) -> None:
    """kill -9, again and again; at last the bytes are those of a run in peace."""
    options = ["--cells", "3", "--frames", "24", "--size", "24", "72", "72", "--voxel-size", "0.5", "0.5", "0.5"]
    command = ["benchmark", str(pairs), *options, "--workers", str(workers)]
    assert cytoform(*command, "--out", tmp_path / "whole")[0] == 0
    rng = np.random.default_rng(workers)
    n_kills = 0
    for _ in range(20):
        process = Cytoform(*command, "--out", tmp_path / "out", "--resume")
        records = Work.at(tmp_path / "out", inputs=[], overwrite=False).records("")
        target = len(list(records.glob("*.json"))) + int(rng.integers(0, 4))
        while n_kills < 4 and process.poll() is None and len(list(records.glob("*.json"))) < target:
            time.sleep(0.01)
        if n_kills >= 4:
            process.wait(timeout=300)
        if process.poll() is not None:
            break
        time.sleep(float(rng.uniform(0, 0.1)))
        process.kill()
        process.wait()
        n_kills += 1
    assert process.returncode == 0
    assert n_kills >= 3
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")
