"""The lineage of a movie from every file that can hold it, and faults of such files."""

import os
import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile

from cytoform.base.geff import write_geff
from cytoform.errors import InputError
from cytoform.movies.families import find_families
from cytoform.movies.lineage import Lineage, Track
from cytoform.movies.movie import LabelMovie
from cytoform.movies.readers import open_movies
from cytoform.movies.tracking.beside import is_lineage, lineage_beside, with_lineage

CELLS = [(t, 7) for t in range(3)] + [(t, label) for label in (40, 300) for t in range(3, 6)]
EDGES = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (2, 6), (6, 7), (7, 8)]


def centres(movie: LabelMovie, cells: list[tuple[int, int]]) -> np.ndarray:
    """Mean voxel index of each cell (frame, label)."""
    return np.array([np.argwhere(movie.read(t) == label).mean(axis=0) for t, label in cells])


def geff(path: Path, movie: LabelMovie, *, labels: bool, edges: list[tuple[int, int]] = EDGES) -> Path:
    z, y, x = ((centres(movie, CELLS) + 0.5) * movie.spacing_zyx_um).T
    values = {"t": np.array([float(t) for t, _ in CELLS]), "z": z, "y": y, "x": x}
    if labels:
        values["value"] = np.array([label for _, label in CELLS], np.uint16)
    related = ("../cells.tif", "value") if labels else None
    write_geff(path, values, np.array(edges, np.uint64), time_step_s=90.0, tracks={}, labels=related)
    return path


def trackmate(path: Path, movie: LabelMovie, *, edges: list[tuple[int, int]] = EDGES, recorded: bool = True) -> Path:
    root = ElementTree.Element("TrackMate", version="7.11.1")
    model = ElementTree.SubElement(root, "Model", spatialunits="micron", timeunits="sec")
    spots = ElementTree.SubElement(model, "AllSpots")
    points = centres(movie, CELLS) * movie.spacing_zyx_um
    for n, ((t, _), (z, y, x)) in enumerate(zip(CELLS, points, strict=True)):
        frame = ElementTree.SubElement(spots, "SpotsInFrame", frame=str(t))
        position = {"POSITION_Z": str(z), "POSITION_Y": str(y), "POSITION_X": str(x)}
        ElementTree.SubElement(frame, "Spot", ID=str(n + 50), FRAME=str(t), RADIUS="2", **position)
    tracks = ElementTree.SubElement(model, "AllTracks")
    for name, of_track in (("0", edges), ("1", [(0, 5)])):
        track = ElementTree.SubElement(tracks, "Track", TRACK_ID=name)
        for one, other in of_track:
            ends = {"SPOT_SOURCE_ID": str(one + 50), "SPOT_TARGET_ID": str(other + 50)}
            ElementTree.SubElement(track, "Edge", ends)
    ElementTree.SubElement(ElementTree.SubElement(model, "FilteredTracks"), "TrackID", TRACK_ID="0")
    if recorded:
        sizes = zip(("voxeldepth", "pixelheight", "pixelwidth"), map(str, movie.spacing_zyx_um), strict=True)
        ElementTree.SubElement(ElementTree.SubElement(root, "Settings"), "ImageData", dict(sizes))
    ElementTree.ElementTree(root).write(path)
    return path


@pytest.fixture
def movie(write, division, tmp_path) -> LabelMovie:
    (found,) = open_movies(write["imagej"](tmp_path / "cells", division))
    return found


WRITERS = {
    "geff": lambda path, movie: geff(path.with_suffix(".geff"), movie, labels=True),
    "geff-positions": lambda path, movie: geff(path.with_suffix(".geff"), movie, labels=False),
    "trackmate": lambda path, movie: trackmate(path.with_suffix(".xml"), movie),
    "trackmate-backwards": lambda path, movie: trackmate(
        path.with_suffix(".xml"), movie, edges=[(b, a) for a, b in EDGES], recorded=False
    ),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_file_gives_the_lineage(kind, movie, lineage, division, tmp_path):
    path = WRITERS[kind](tmp_path / "cells", movie)
    assert lineage_beside(tmp_path / "cells.tif").used == path
    found = with_lineage(movie, path)
    assert set(found.lineage.tracks) == set(lineage.tracks)
    for t, frame in enumerate(division):
        np.testing.assert_array_equal(found.read(t), frame)
    (family,) = find_families(found).families
    assert (family.root, len(family.frames)) == (7, 6)


@pytest.mark.parametrize("kind", ["geff", "geff-positions", "trackmate"])
def test_labels_numbered_anew_in_every_frame(kind, write, division, movie, tmp_path):
    path = WRITERS[kind](tmp_path / "cells", movie)
    anew = np.zeros_like(division)
    for t, frame in enumerate(division):
        for n, label in enumerate(sorted(set(frame.ravel()) - {0}, reverse=t % 2 == 0)):
            anew[t][frame == label] = n + 1
    (tmp_path / "anew").mkdir()
    (untracked,) = open_movies(write["imagej"](tmp_path / "anew" / "cells", anew))
    if kind == "geff":
        import zarr

        values = [int(anew[t][division[t] == label][0]) for t, label in CELLS]
        zarr.open_array(path / "nodes/props/value/values", mode="r+")[:] = values
    (family,) = find_families(with_lineage(untracked, path)).families
    whole = [frame.n_voxels for frame in family.frames]
    assert whole == [int((frame > 0).sum()) for frame in division]
    assert [len(frame.labels) for frame in family.frames] == [1, 1, 1, 2, 2, 2]


def test_a_gap_is_one_track(movie, tmp_path):
    edges = [edge for edge in EDGES if 4 not in edge] + [(3, 5)]
    found = with_lineage(movie, trackmate(tmp_path / "cells.xml", movie, edges=edges))
    assert Track(40, 3, 5, 7) in found.lineage.tracks
    assert not (found.read(4) == 40).any()


def test_cells_in_no_track_are_left_out_and_named(movie, tmp_path):
    edges = [edge for edge in EDGES if not {6, 7, 8} & set(edge)]
    found = with_lineage(movie, trackmate(tmp_path / "cells.xml", movie, edges=edges))
    search = find_families(found)
    assert [family.root for family in search.families] == [1]
    (lost,) = search.left_out
    assert "label 300 in frame 3 is in no track" in lost.reason


def test_two_mothers_are_refused(movie, tmp_path):
    path = geff(tmp_path / "a.geff", movie, labels=True, edges=[*EDGES, (4, 8)])
    with pytest.raises(InputError, match="frame 5: node 8 has two mothers, node 7 and node 4; a cell has one"):
        with_lineage(movie, path)


def test_an_edge_within_a_frame_is_refused(movie, tmp_path):
    path = trackmate(tmp_path / "a.xml", movie, edges=[*EDGES, (3, 6)])
    with pytest.raises(InputError, match="frame 3: an edge from spot 53 to spot 56 in the same frame"):
        with_lineage(movie, path)


def test_tracks_of_another_movie_are_refused(movie, write, division, tmp_path):
    path = trackmate(tmp_path / "a.xml", movie)
    (other,) = open_movies(write["imagej"](tmp_path / "other", np.roll(division, 24, axis=3)))
    with pytest.raises(InputError, match=r"lie in no label of .*other.tif; give tracks of this movie"):
        with_lineage(other, path)
    (short,) = open_movies(write["imagej"](tmp_path / "short", division[:4]))
    with pytest.raises(InputError, match=r"it runs to frame 5 but .* has the frames 0 to 3"):
        with_lineage(short, path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 2], "not a whole TrackMate file"),
        (lambda text: text.replace('POSITION_X="', 'POSITION_X="x'), "not a whole TrackMate file"),
        (lambda text: text.replace('SPOT_TARGET_ID="58"', 'SPOT_TARGET_ID="99"'), "an edge of spot 99"),
        (lambda text: text.replace('<TrackID TRACK_ID="0" />', ""), "no tracks"),
        (lambda text: text.replace("micron", "parsec").replace("voxeldepth", "depth"), "positions in parsec"),
    ],
)
def test_faults_of_trackmate_files(change, message, movie, tmp_path):
    path = trackmate(tmp_path / "a.xml", movie)
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=message) as caught:
        with_lineage(movie, path)
    assert str(path) in str(caught.value)
    assert "; " in str(caught.value)


def test_faults_of_graphs(movie, tmp_path):
    path = geff(tmp_path / "a.geff", movie, labels=True)
    (path / "nodes" / "ids" / "zarr.json").write_text("{")
    with pytest.raises(InputError, match="its GEFF graph cannot be read"):
        with_lineage(movie, path)
    path = geff(tmp_path / "b.geff", movie, labels=True, edges=[(0, 77)])
    with pytest.raises(InputError, match="edges name nodes that are not there"):
        with_lineage(movie, path)


def test_which_lineage_belongs_to_a_movie(movie, write, division, tmp_path):
    source = tmp_path / "cells.tif"
    assert lineage_beside(source).used is None
    (tmp_path / "notes.txt").write_text("1 0 3 0\n")
    (tmp_path / "other.xml").write_text("<xml/>")
    shared = tmp_path / "man_track.txt"
    shared.write_text("7 0 2 0\n")
    assert lineage_beside(source).used == shared
    graph = geff(tmp_path / "tracks.geff", movie, labels=True)
    assert lineage_beside(source) == type(lineage_beside(source))(shared, (graph,))
    named = trackmate(tmp_path / "cells.xml", movie)
    assert lineage_beside(source).used == named
    write["imagej"](tmp_path / "more", division)
    assert lineage_beside(tmp_path / "more.tif").used is None
    assert set(lineage_beside(tmp_path / "more.tif").ignored) == {shared, graph, named}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("is_zip", [False, True])
def test_tracks_beside_and_inside_a_zarr(version, is_zip, write, division, lineage, movie, tmp_path):
    image = write[f"ome-zarr-{version}"](tmp_path / "z" / "cells", division)
    if is_zip:
        image = Path(shutil.make_archive(str(tmp_path / "z" / "cells"), "zip", image))
        shutil.rmtree(tmp_path / "z" / "cells.ome.zarr")
        geff(tmp_path / "z" / "tracks.geff", movie, labels=True)
    else:
        geff(image / "tracks", movie, labels=True)
    (found,) = open_movies(image)
    assert set(found.lineage.tracks) == set(lineage.tracks)


def test_tracks_beside_the_files_of_a_set(movie, division, tmp_path):
    files = []
    for t, frame in enumerate(division):
        (tmp_path / "set").mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / "set" / f"t{t}.tif", frame)
        files.append(str(tmp_path / "set" / f"t{t}.tif"))
    path = geff(tmp_path / "set" / "tracks.geff", movie, labels=True)
    assert lineage_beside(Path(files[0]), files).used == path
    assert lineage_beside(Path(files[0]), files[:4]).used is None


def test_a_track_file_beside_a_movie(movie, lineage, tmp_path):
    (tmp_path / "man_track.txt").write_text("7 0 2 0\n40 3 5 7\n300 3 5 7\n")
    found = with_lineage(movie, lineage_beside(tmp_path / "cells.tif").used)
    assert found.lineage == Lineage(lineage.tracks)


@pytest.mark.parametrize("name", ["zarr.json", ".zattrs"])
def test_a_pipe_or_an_endless_file_beside_a_movie_is_no_graph(name: str, tmp_path: Path) -> None:
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / name)
    (tmp_path / "zeros").mkdir()
    (tmp_path / "zeros" / name).symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "tracks.xml")
    assert not is_lineage(tmp_path / "tracks.xml")
    assert not is_lineage(tmp_path / "pipe")
    assert not is_lineage(tmp_path / "zeros")
