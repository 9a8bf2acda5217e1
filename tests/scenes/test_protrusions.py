"""Numbers and parents of protrusions over the frames of a data set, by hand-made cells."""

from collections.abc import Mapping

import numpy as np
import pytest

from cytoform.movies.lineage import Track
from cytoform.scenes.bodies import Body, Protrusion, Shape
from cytoform.scenes.compose import View
from cytoform.scenes.protrusions import FollowedProtrusions, are_known, follow_protrusions
from cytoform.scenes.tracks import Tracked

NOWHERE = (0.0, 0.0, 0.0)
CENTRE = (1.0, 2.0, 3.0)
VIEW = View((8, 32, 32), (0.5, 0.5, 0.5), families=2)


def shape(parents: Mapping[int, int] | None) -> Shape:
    """A shape with these units and their parents; unit u is u µm long, with its tip at z = u and its root below."""
    known = None
    if parents is not None:
        known = tuple(Protrusion(u, p, NOWHERE, (float(u), 0.0, 0.0), float(u), 0.1) for u, p in parents.items())
    return Shape(NOWHERE, NOWHERE, NOWHERE, 1.0, "", 0, 0, (1, 1, 1), (0.5,) * 3, NOWHERE, known)


def body(*frames: Mapping[int, int] | None, first: int = 0) -> Body:
    return Body(0, 0, None, first, tuple(shape(parents) for parents in frames))


def follow(
    *bodies: Body, tracks: tuple[Track, ...], cells: tuple[int, ...] = (0,), n: int = 6, every: int = 1, planes: int = 1
) -> FollowedProtrusions:
    centres = [dict.fromkeys(range(len(bodies)), CENTRE) for _ in range(n)]
    view = View(VIEW.shape_zyx, VIEW.spacing_zyx_um, 2, every, planes)
    return follow_protrusions(bodies, centres, range(0, n, every), Tracked(tracks, cells), view)


def test_one_lasts_while_it_is_there_and_what_comes_again_is_new() -> None:
    there: Mapping[int, int] = {1: -1}
    found = follow(body({}, there, there, {}, there, there), tracks=(Track(1, 0, 5, 0),))
    assert [(each.number, each.first, each.last) for each in found.tracks] == [(1, 1, 2), (2, 4, 5)]
    assert [(each.is_born, each.has_ended) for each in found.tracks] == [(True, True), (True, False)]
    assert [(each.frame, each.protrusion) for each in found.sightings] == [(1, 1), (2, 1), (4, 2), (5, 2)]
    assert found.sightings[0].tip_zyx_um == (2.0, 2.0, 3.0)


def test_parents_have_the_lower_number_also_where_they_cannot_be_seen_longer() -> None:
    found = follow(body({5: -1}, {5: -1, 3: 5}, {5: -1, 3: 5, 7: 3}), tracks=(Track(1, 0, 2, 0),), n=3)
    assert [(each.number, each.parent) for each in found.tracks] == [(1, 0), (2, 1), (3, 2)]
    # The parent hardly reaches out of the body when its branch is first seen.
    found = follow(body({3: 5}, {5: -1, 3: 5}), tracks=(Track(1, 0, 1, 0),), n=2)
    assert [each.parent for each in found.tracks] == [0, 0]


def test_a_cell_that_returns_has_new_ones() -> None:
    there: Mapping[int, int] = {1: -1}
    tracks = (Track(1, 0, 1, 0), Track(2, 4, 5, 0))
    found = follow(body(*[there] * 6), tracks=tracks, cells=(0, 0))
    assert [(each.cell, each.first, each.last) for each in found.tracks] == [(1, 0, 1), (2, 4, 5)]
    assert not any(each.is_born or each.has_ended for each in found.tracks)


def test_with_frames_left_out_a_short_absence_still_divides() -> None:
    there: Mapping[int, int] = {1: -1}
    found = follow(body(there, {}, there, there, there, there), tracks=(Track(1, 0, 2, 0),), every=2)
    assert [(each.first, each.last) for each in found.tracks] == [(0, 0), (1, 2)]


@pytest.mark.parametrize("planes", [1, 2, 3, 4])
def test_with_planes_left_out_places_are_where_the_voxels_say(planes: int) -> None:
    """The centre of the first plane shown lies at half the thickness of a voxel of the data set."""
    z_um = (planes // 2 + 0.5) * 0.5 - CENTRE[0]  # of the first plane shown, from the centre of the cube
    tip = Protrusion(0, -1, NOWHERE, (z_um, 0.0, 0.0), 1.0, 0.1)
    cell = Body(0, 0, None, 0, (Shape(**{**vars(shape({})), "protrusions": (tip,)}),))
    found = follow(cell, tracks=(Track(1, 0, 0, 0),), n=1, planes=planes)
    assert found.sightings[0].tip_zyx_um == pytest.approx((planes * 0.5 / 2, 2.0, 3.0))


def test_cells_of_which_nothing_is_known() -> None:
    known, unknown = body({1: -1}), body(None)
    assert (are_known([unknown]), are_known([unknown, known])) == (False, True)
    found = follow(unknown, known, tracks=(Track(1, 0, 0, 0), Track(2, 0, 0, 0)), cells=(0, 1), n=1)
    assert [each.cell for each in found.tracks] == [2]
    assert np.array_equal(found.sightings[0].root_zyx_um, CENTRE)
