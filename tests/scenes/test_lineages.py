"""Lineages: cells that grow, divide and grow again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stores import ball, write_store

from cytoform.scenes.bodies import Body, read_box
from cytoform.scenes.cycles import Cycle
from cytoform.scenes.families import FamilySettings, read_bodies
from cytoform.scenes.lineages import draw_lineages, render_lineage
from cytoform.scenes.stage import benchmark
from scenes import challenge_scores, read_labels, request, write_pairs

N_FRAMES = 30


def rendered(source: Path, folder: Path, *, cycle: float, n: int = 2, **fates: float) -> list[Body]:
    """The cells of lineages of one source."""
    folder.mkdir()
    settings = FamilySettings((source,), N_FRAMES, 60.0, 0.5, None, "cpu", folder)
    draws = draw_lineages(
        [source],
        [0, 5][:n],
        Cycle(cycle, 0.2, **fates),
        n_frames=N_FRAMES,
        prior=None,
        device="cpu",
        seed=2,
        lasts_s=0.0,
    )
    for drawn in draws:
        render_lineage(drawn, settings)
    return read_bodies(settings, n)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs") / "pairs.zarr")


@pytest.fixture(scope="module")
def bodies(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Body]:
    return rendered(pairs, tmp_path_factory.mktemp("lineages") / "cells", cycle=10.0)


def test_daughters_begin_where_their_mother_ends_and_divide_again(bodies: list[Body]) -> None:
    by_name = {(body.family, body.member): body for body in bodies}
    founders = [body for body in bodies if body.parent is None]
    assert [(body.family, body.first) for body in founders] == [(0, 0), (1, 5)]
    for body in bodies:
        children = [each for each in bodies if (each.family, each.parent) == (body.family, body.member)]
        assert len(children) == (0 if body.last == N_FRAMES - 1 else 2)
        if body.parent is not None:
            assert body.first == by_name[body.family, body.parent].last + 1
    grandmothers = {(body.family, body.parent) for body in bodies if body.parent is not None}
    assert any(by_name[name].parent is not None for name in grandmothers)


def test_cells_grow_and_keep_their_place(bodies: list[Body]) -> None:
    whole = [body for body in bodies if body.parent is not None and body.last < N_FRAMES - 1]
    assert whole
    for body in whole:
        sizes = np.array([shape.size for shape in body.shapes])
        assert 1.7 < sizes[-1] / sizes[0] < 2.3
        assert np.diff(sizes).min() > -0.06 * sizes.max()
        # Balls part by 1.2 µm a frame.
        steps = np.diff([shape.centroid_zyx_um for shape in body.shapes], axis=0)
        assert np.linalg.norm(steps, axis=1).max() < 0.7


def test_both_daughters_together_are_where_their_mother_was(bodies: list[Body]) -> None:
    by_name = {(body.family, body.member): body for body in bodies}
    for body in bodies:
        sisters = [each for each in bodies if (each.family, each.parent) == (body.family, body.member)]
        if sisters:
            middle = np.mean([each.shapes[0].centroid_zyx_um for each in sisters], axis=0)
            assert middle == pytest.approx(by_name[body.family, body.member].shapes[-1].centroid_zyx_um, abs=0.3)
            assert sum(each.shapes[0].size for each in sisters) == pytest.approx(body.shapes[-1].size, rel=0.1)


def test_a_finished_lineage_is_kept(pairs: Path, bodies: list[Body], tmp_path: Path) -> None:
    again = rendered(pairs, tmp_path / "cells", cycle=10.0)
    assert again == bodies
    shape = again[0].shapes[0]
    assert read_box(tmp_path / "cells", shape).min() < 0


def test_cells_that_do_not_divide_stay_alone(tmp_path: Path) -> None:
    source = write_store(tmp_path / "balls.zarr", {"a": [ball(2.5), ball(3.0), ball(3.5)]})
    found = rendered(source, tmp_path / "cells", cycle=10.0, n=1)
    assert [(body.parent, body.first, body.last) for body in found] == [(None, 0, N_FRAMES - 1)]
    sizes = [shape.size for shape in found[0].shapes]
    assert len(set(sizes)) > 1


def test_a_scene_of_lineages_is_its_own_truth(pairs: Path, tmp_path: Path) -> None:
    asked = request(pairs, cells=2, frames=16, size_zyx=(32, 90, 90), cycle_min=9.0, deaths=0.9, quiescent=0.2, seed=5)
    made = benchmark(asked, tmp_path / "out")
    assert made[0].tracked.n_divisions >= 2
    ends = [track.last for track in made[0].tracked.tracks]
    mothers = {track.parent for track in made[0].tracked.tracks}
    assert any(track.last < 15 and track.label not in mothers for track in made[0].tracked.tracks), ends
    (tmp_path / "room").mkdir()
    assert challenge_scores(tmp_path / "out", tmp_path / "room") == {"SEG": 1, "DET": 1, "TRA": 1}
    assert len(np.unique(read_labels(tmp_path / "out", 15))) - 1 >= 3


def test_a_family_that_falls_apart_before_its_moment_of_division_stays_whole_at_the_end(
    pairs: Path, tmp_path: Path
) -> None:
    """Near the end of a scene a life may have no daughters, and its family two pieces already."""
    settings = FamilySettings((pairs,), 12, 60.0, 0.5, None, "cpu", tmp_path)
    (drawn,) = draw_lineages([pairs], [0], Cycle(6.0, 0.1), n_frames=12, prior=None, device="cpu", seed=1, lasts_s=0.0)
    assert drawn.lives[1].divides < 11
    render_lineage(replace(drawn, lives=drawn.lives[:2], families=drawn.families[:2]), settings)
    (body,) = read_bodies(settings, 1)
    assert (body.first, body.last) == (0, 11)


def test_dying_cells_shrink_and_leave_no_daughters(pairs: Path, tmp_path: Path) -> None:
    found = rendered(pairs, tmp_path / "cells", cycle=10.0, deaths=0.03)
    mothers = {(body.family, body.parent) for body in found}
    dead = [body for body in found if body.last < N_FRAMES - 1 and (body.family, body.member) not in mothers]
    assert dead
    # An hour is 60 frames: these cells die young, and shrink for all of their life.
    long = [body for body in dead if len(body.shapes) > 3]
    assert long
    for body in long:
        assert body.shapes[-1].size < 0.6 * body.shapes[0].size
    assert all(
        body.parent is None or (body.family, body.parent) in {(b.family, b.member) for b in found} for body in found
    )


def test_quiescent_cells_never_divide_and_stay_as_they_are(pairs: Path, tmp_path: Path) -> None:
    found = rendered(pairs, tmp_path / "cells", cycle=10.0, quiescent=1.0)
    assert [(body.parent, body.first, body.last) for body in found] == [
        (None, 0, N_FRAMES - 1),
        (None, 5, N_FRAMES - 1),
    ]
    for body in found:
        sizes = [shape.size for shape in body.shapes]
        assert sizes[10:] == pytest.approx([sizes[-1]] * len(sizes[10:]), rel=0.02)
