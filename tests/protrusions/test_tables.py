"""Tables and graphs of protrusions: known centre lines read back, GEFF by its own reader."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from protruding import direction

from cytoform.protrusions.curves import Curve
from cytoform.protrusions.parts import PartsOfFrame, PartsOfSequence
from cytoform.protrusions.tables import SIGHTING_COLUMNS, SIGHTINGS, TRACK_COLUMNS, TRACKS, write_graph, write_tables
from cytoform.protrusions.tracks import Track

OUT, SIDE, ROOT = direction(0), direction(90), np.array([4.0, 5.0, 7.0])
LENGTHS = {0: 1.0, 1: 1.5, 3: 1.5 + 2 * 0.25, 4: 1.2}  # missing in frame 2


def straight(start: np.ndarray, out: np.ndarray, length_um: float, **more: float | int) -> Curve:
    return Curve(start + np.linspace(0, length_um, 5)[:, None] * out, np.full(5, 0.2), out, **more)


def known(time_step_s: float | None = 30.0, name: str = "a") -> PartsOfSequence:
    """A protrusion that the movie cuts off at both ends, with a branch in two of five frames."""
    main = Track(1, None, {t: straight(ROOT, OUT, um) for t, um in LENGTHS.items()})
    branch = Track(2, 1, {t: straight(ROOT + 0.7 * OUT, SIDE, 0.5, parent=0, at_um=0.7) for t in (1, 3)})
    nothing = PartsOfFrame([], 1.0, 1.0, np.full(3, 5.0), 1)
    return PartsOfSequence(name, 5, time_step_s, 0.6, [nothing] * 5, [main, branch])


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_row_for_each_protrusion_and_frame(tmp_path: Path) -> None:
    write_tables(tmp_path, [known(), known(name="b")], n_dims=3)
    rows = read(tmp_path / SIGHTINGS)
    assert tuple(rows[0]) == SIGHTING_COLUMNS[3]
    assert [(row["sequence"], row["frame"], row["protrusion"]) for row in rows[:6]] == [
        ("a", *place) for place in (("0", "1"), ("1", "1"), ("1", "2"), ("3", "1"), ("3", "2"), ("4", "1"))
    ]
    assert len(rows) == 12
    main, branch = rows[1:3]
    assert (main["time_s"], main["parent"], main["at_um"], main["length_um"]) == ("30.0", "0", "", "1.5")
    assert [float(main[f"root_{axis}_um"]) for axis in "zyx"] == ROOT.tolist()
    assert [float(main[f"tip_{axis}_um"]) for axis in "zyx"] == pytest.approx(ROOT + 1.5 * OUT)
    assert (branch["parent"], branch["at_um"], branch["radius_um"]) == ("1", "0.7", "0.2")
    assert [float(branch[f"tip_{axis}_um"]) for axis in "zyx"] == pytest.approx(ROOT + 0.7 * OUT + 0.5 * SIDE)


def test_a_row_for_each_protrusion(tmp_path: Path) -> None:
    write_tables(tmp_path, [known()], n_dims=3)
    main, branch = read(tmp_path / TRACKS)
    assert tuple(main) == TRACK_COLUMNS
    assert (main["first"], main["last"], main["frames"], main["born"], main["ended"]) == ("0", "4", "4", "0", "0")
    assert (branch["first"], branch["last"], branch["frames"], branch["born"], branch["ended"]) == (
        "1",
        "3",
        "2",
        "1",
        "1",
    )
    assert (main["lifetime_s"], branch["lifetime_s"]) == ("150.0", "90.0")
    assert (main["longest_um"], main["mean_radius_um"]) == ("2.0", "0.2")
    # 0.5 µm in a frame, then 0.25 µm a frame over the gap; withdrawal of 0.8 µm in a frame of half a minute.
    assert float(main["growth_um_per_min"]) == pytest.approx(0.75)
    assert float(main["withdrawal_um_per_min"]) == pytest.approx(1.6)
    assert (branch["growth_um_per_min"], branch["withdrawal_um_per_min"]) == ("", "")


def test_times_are_empty_without_a_time_step(tmp_path: Path) -> None:
    write_tables(tmp_path, [known(None)], n_dims=3)
    assert {row["time_s"] for row in read(tmp_path / SIGHTINGS)} == {""}
    for row in read(tmp_path / TRACKS):
        assert {row[name] for name in ("lifetime_s", "growth_um_per_min", "withdrawal_um_per_min")} == {""}


def test_tables_without_protrusions_have_their_columns(tmp_path: Path) -> None:
    write_tables(tmp_path, [], n_dims=3)
    assert (tmp_path / SIGHTINGS).read_text() == ",".join(SIGHTING_COLUMNS[3]) + "\n"
    assert (tmp_path / TRACKS).read_text() == ",".join(TRACK_COLUMNS) + "\n"


@pytest.mark.parametrize("time_step_s", [30.0, None])
def test_the_graph_is_valid_and_says_the_same(time_step_s: float | None, tmp_path: Path) -> None:
    import geff
    from geff.core_io import read_to_memory
    from geff.validate.data import ValidationConfig, validate_data

    parts = known(time_step_s)
    write_graph(tmp_path / "a.geff", parts, n_dims=3)
    geff.validate_structure(tmp_path / "a.geff")
    memory = read_to_memory(tmp_path / "a.geff")
    validate_data(memory, ValidationConfig(graph=True, tracklet=True))
    assert memory["metadata"].axes[0].scale == time_step_s
    graph, _ = geff.read(tmp_path / "a.geff")
    assert len(graph) == 6
    edges = [tuple((graph.nodes[n]["protrusion"], graph.nodes[n]["t"]) for n in edge) for edge in graph.edges]
    assert sorted(edges) == [((1, 0), (1, 1)), ((1, 1), (1, 3)), ((1, 3), (1, 4)), ((2, 1), (2, 3))]
    for _, values in graph.nodes(data=True):
        track = parts.tracks[int(values["protrusion"]) - 1]
        curve = track.curves[int(values["t"])]
        assert [values[axis] for axis in "zyx"] == pytest.approx(curve.line_zyx_um[-1])
        assert [values[f"root_{axis}"] for axis in "zyx"] == pytest.approx(curve.line_zyx_um[0])
        assert values["parent"] == (track.parent or 0)
        assert values["length"] == pytest.approx(curve.length_um)
        assert (values["radius"], values["at"]) == pytest.approx((0.2, curve.at_um))


def test_a_graph_without_protrusions_is_valid(tmp_path: Path) -> None:
    import geff

    write_graph(tmp_path / "none.geff", PartsOfSequence("none", 1, 30.0, 0.6, [], []), n_dims=3)
    geff.validate_structure(tmp_path / "none.geff")
    assert len(geff.read(tmp_path / "none.geff")[0]) == 0


def flat(parts: PartsOfSequence) -> PartsOfSequence:
    """The same protrusions in images: without z."""
    tracks = [
        replace(
            track,
            curves={
                t: replace(curve, line_zyx_um=curve.line_zyx_um[:, 1:], normal_zyx=curve.normal_zyx[1:])
                for t, curve in track.curves.items()
            },
        )
        for track in parts.tracks
    ]
    return replace(parts, tracks=tracks)


def test_places_in_images_have_no_z(tmp_path: Path) -> None:
    import geff

    parts = flat(known())
    write_tables(tmp_path, [parts], n_dims=2)
    rows = read(tmp_path / SIGHTINGS)
    assert tuple(rows[0]) == tuple(name for name in SIGHTING_COLUMNS[3] if name not in {"root_z_um", "tip_z_um"})
    main, branch = rows[1:3]
    assert [float(main[f"root_{axis}_um"]) for axis in "yx"] == ROOT[1:].tolist()
    assert [float(branch[f"root_{axis}_um"]) for axis in "yx"] == pytest.approx((ROOT + 0.7 * OUT)[1:])
    assert [float(main[f"tip_{axis}_um"]) for axis in "yx"] == pytest.approx((ROOT + 1.5 * OUT)[1:])
    assert len(read(tmp_path / TRACKS)) == 2

    write_graph(tmp_path / "a.geff", parts, n_dims=2)
    geff.validate_structure(tmp_path / "a.geff")
    graph, metadata = geff.read(tmp_path / "a.geff")
    assert [axis.name for axis in metadata.axes] == ["t", "y", "x"]
    assert len(graph) == 6
    for _, values in graph.nodes(data=True):
        curve = parts.tracks[int(values["protrusion"]) - 1].curves[int(values["t"])]
        assert not {"z", "root_z"} & values.keys()
        assert [values[axis] for axis in "yx"] == pytest.approx(curve.line_zyx_um[-1])
        assert [values[f"root_{axis}"] for axis in "yx"] == pytest.approx(curve.line_zyx_um[0])
