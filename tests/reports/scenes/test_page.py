"""The preview of a scene: pictures of the right frames, a tree with every track, ways in µm, figures that are true."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from cytoform.reports.scenes.facts import Facts, facts
from cytoform.reports.scenes.page import contact_sheet, lineage_tree, trajectories
from cytoform.scenes.scene import Scene
from cytoform.scenes.stage import Made, benchmark
from scenes import request, write_pairs


@dataclass(frozen=True)
class Drawn:
    """What is drawn of a scene while its files are still there under the names that it knows."""

    made: Made
    facts: Facts
    sheet: Figure
    tree: Figure
    ways: Figure


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    folder = tmp_path_factory.mktemp("report")
    kept: list[Drawn] = []

    def report(_: Path, scene: Scene, made: Sequence[Made]) -> None:
        one = made[0]
        kept.append(Drawn(one, facts(scene, one), contact_sheet(one), lineage_tree(one), trajectories(one)))

    wanted = request(write_pairs(folder / "pairs.zarr"), cells=3, frames=8, speed_um_per_min=0.5)
    benchmark(wanted, folder / "out", report=report)
    return kept[0]


def test_the_sheet_shows_frames_with_outlines_in_colour(drawn: Drawn) -> None:
    shown = [axes for axes in drawn.sheet.axes if axes.images]
    assert [axes.get_title() for axes in shown] == [f"frame {n}" for n in (0, 1, 3, 4, 6, 7)]
    for axes in shown:
        picture = np.asarray(axes.images[0].get_array())
        assert picture.shape == (72, 72, 3)
        assert np.ptp(picture, axis=2).max() > 0.5


def test_the_tree_has_a_line_for_every_track_and_one_for_every_daughter(drawn: Drawn) -> None:
    lines = [line.get_xydata() for line in drawn.tree.axes[0].lines]
    tracks = drawn.made.tracked.tracks
    lives = {(round(xy[0, 0] + 0.4), round(xy[1, 0] - 0.4)) for xy in lines if xy[0, 0] != xy[1, 0]}
    assert lives == {(track.first, track.last) for track in tracks}
    assert sum(xy[0, 0] == xy[1, 0] for xy in lines) == sum(track.parent > 0 for track in tracks) == 6
    heights = [xy[0, 1] for xy in lines if xy[0, 0] != xy[1, 0]]
    assert len(set(heights)) == len(tracks)


def test_ways_are_as_long_as_tracks_and_lie_in_the_field(drawn: Drawn) -> None:
    (lines,) = drawn.ways.axes[0].collections[:1]
    ways = lines.get_segments()
    assert [len(way) for way in ways] == [track.last - track.first + 1 for track in drawn.made.tracked.tracks]
    assert all((way >= 0).all() and (way <= 36).all() for way in map(np.asarray, ways))


def test_facts(drawn: Drawn) -> None:
    found = drawn.facts
    assert (found.families, found.tracks, found.divisions, found.shared_voxels) == (3, 9, 3, 0)
    assert (found.entering, found.leaving, found.contrast_to_noise) == (0, 0, None)
    assert found.cells_by_frame[-1] == 6
    assert found.sizes.min() == pytest.approx(4 / 3 * np.pi * 2.6**3, rel=0.15)
    # The walk's own speed, where pairs also part.
    assert 0.3 < np.median(found.speeds_um_per_min) < 0.9
