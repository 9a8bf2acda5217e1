"""Families of analytic movies: labels, volumes, centroids, the border, and labels that are not there."""

import math
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytoform.errors import EmptyFrame, InputError
from cytoform.movies.families import FamilyFrame, LeftOut, find_families
from cytoform.movies.lineage import Lineage, Track
from cytoform.movies.movie import LabelMovie
from cytoform.movies.oddities import Cause
from cytoform.movies.readers import open_movies
from cytoform.prepare.cells import nothing_left

Make = Callable[..., LabelMovie]


@pytest.fixture
def make(spacing_zyx_um) -> Make:
    """A movie of an array."""

    def movie(frames: np.ndarray, lineage: Lineage | None = None) -> LabelMovie:
        return LabelMovie(
            "cells",
            "cells.tif",
            len(frames),
            frames.shape[1:],
            spacing_zyx_um,
            1.0,
            lineage,
            lambda t: frames[t].copy(),
        )

    return movie


def test_a_division_is_one_family(make, division, lineage, spacing_zyx_um):
    search = find_families(make(division, lineage))
    (family,) = search.families
    assert search.left_out == ()
    assert (family.name, family.root, family.first, family.last) == ("cells_00007", 7, 0, 5)
    assert [frame.labels for frame in family.frames] == [(7,)] * 3 + [(40, 300)] * 3
    voxel_um3 = math.prod(spacing_zyx_um)
    assert family.at(1).n_voxels * voxel_um3 == pytest.approx(4 / 3 * math.pi * 2.5**3, rel=0.01)
    assert family.at(4).n_voxels * voxel_um3 == pytest.approx(4 / 3 * math.pi * (1.8**3 + 2.2**3), rel=0.02)
    assert family.at(1).centroid_zyx_um == pytest.approx((6.0, 6.1, 6.0), abs=0.02)
    centroid = (1.8**3 * np.array([6.0, 3.3, 5.8]) + 2.2**3 * np.array([6.0, 8.5, 6.2])) / (1.8**3 + 2.2**3)
    assert family.at(4).centroid_zyx_um == pytest.approx(tuple(centroid), abs=0.03)


def test_without_lineage_every_label_is_a_family(make, division):
    search = find_families(make(division))
    assert [(f.name, f.root, f.first, f.last) for f in search.families] == [
        ("cells_00007", 7, 0, 2),
        ("cells_00040", 40, 3, 5),
        ("cells_00300", 300, 3, 5),
    ]


def test_a_lone_cell_has_the_name_of_the_movie(make, division):
    (family,) = find_families(make(division[:3])).families
    assert family.name == "cells"


def test_masks_are_cut_out_where_the_box_says(make, division, lineage):
    movie = make(division, lineage)
    (family,) = find_families(movie).families
    family = pickle.loads(pickle.dumps(family))
    for frame in range(6):
        at = family.at(frame)
        inside = np.zeros(movie.shape_zyx, bool)
        inside[at.box_zyx] = np.isin(movie.read(frame)[at.box_zyx], at.labels)
        np.testing.assert_array_equal(inside, division[frame] > 0)
        cut = inside[at.box_zyx]
        assert all(cut.any(axis=axes).all() for axes in ((1, 2), (0, 2), (0, 1))) or frame > 2


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("end", [0, -1])
def test_a_family_that_touches_the_border_once_is_left_out(make, division, lineage, axis, end):
    at = [12, 42, 24]
    at[axis] = end
    division[4][tuple(at)] = 40
    search = find_families(make(division, lineage))
    assert search.families == ()
    assert [(out.root, out.name, out.reason) for out in search.left_out] == [
        (7, "cells_00007", "label 40 is cut by the border in frame 4")
    ]
    assert len(find_families(make(division, lineage), frames=4).families) == 1
    alone = find_families(make(division))
    assert ([f.root for f in alone.families], [out.root for out in alone.left_out]) == ([7, 300], [40])


def test_frames_are_the_first_of_each_family(make, division, lineage):
    (family,) = find_families(make(division, lineage), frames=4).families
    assert (family.first, family.last) == (0, 3)
    families = find_families(make(division), frames=2).families
    assert [(f.first, f.last) for f in families] == [(0, 1), (3, 4), (3, 4)]
    with pytest.raises(InputError, match="--frames 0"):
        find_families(make(division), frames=0)


def test_only_frames_in_use_are_read(make, division, lineage):
    movie = make(division, lineage)
    seen: list[int] = []
    watched = LabelMovie(**{**movie.__dict__, "read": lambda t: (seen.append(t), movie.read(t))[1]})
    find_families(watched, frames=2)
    assert seen == [0, 1]


def test_a_family_out_of_sight_between_mother_and_daughters_is_left_out(make, division):
    lineage = Lineage((Track(7, 0, 1, 0), Track(40, 3, 5, 7), Track(300, 3, 5, 7)))
    division[2][division[2] == 7] = 0
    division[2][0, 0, 0] = 300
    search = find_families(make(division, lineage))
    assert [out.reason for out in search.left_out] == ["no member in frame 2"]


def test_a_label_that_is_missing_leaves_its_family_out(make, division, lineage):
    """The other families stay."""
    gone = division.copy()
    gone[4] = np.where(gone[4] == 300, 0, gone[4])
    tracked = find_families(make(gone, lineage))
    assert [(out.root, out.reason, out.where, out.cause) for out in tracked.left_out] == [
        (
            7,
            "label 300 has no voxels in frame 4 although its track runs from frame 3 to 5",
            "cells.tif, frame 4",
            Cause.DATA,
        )
    ]
    untracked = find_families(make(gone))
    assert [family.root for family in untracked.families] == [7, 40]
    assert [out.reason for out in untracked.left_out] == [
        "label 300 has no voxels in frame 4 although it is there from frame 3 to 5"
    ]
    assert len(find_families(make(gone), frames=1).families) == 3, "frames that are not used do not matter"


def test_empty_frames(make, division, lineage):
    gone = division.copy()
    gone[1] = 0
    search = find_families(make(gone))
    assert [family.root for family in search.families] == [40, 300]
    assert [out.reason for out in search.left_out] == [
        "no foreground in frame 1 although label 7 is there from frame 0 to 2"
    ]
    assert find_families(make(gone, lineage)).families == ()
    early = np.concatenate([np.zeros_like(division[:1]), division[:3], np.zeros_like(division[:1])])
    assert [(f.root, f.first, f.last) for f in find_families(make(early)).families] == [(7, 1, 3)]
    with pytest.raises(EmptyFrame, match=r"cells.tif: no foreground in any frame; give"):
        find_families(make(np.zeros_like(division)))


def test_labels_and_frames_that_no_track_knows(make, division):
    search = find_families(make(division, Lineage((Track(7, 0, 2, 0), Track(40, 3, 5, 7)))))
    assert [family.root for family in search.families] == [7]
    assert [(out.root, out.name, out.reason) for out in search.left_out] == [
        (300, "cells_00300", "label 300 in frame 3 is in no track")
    ]
    search = find_families(make(division, Lineage((Track(7, 0, 6, 0), Track(40, 3, 5, 0), Track(300, 3, 5, 0)))))
    assert [family.root for family in search.families] == [40, 300]
    assert [out.reason for out in search.left_out] == [
        "the track of label 7 runs to frame 6 but the movie has the frames 0 to 5"
    ]


def test_cut_families_are_kept_on_request(make, division, lineage):
    division[4][12, 59, 24] = 40
    (family,) = find_families(make(division, lineage), border="keep").families
    assert family.at(4).box_zyx[1].stop == 60
    search = find_families(make(division), border="keep")
    assert [family.root for family in search.families] == [7, 40, 300]
    (notice,) = (line for line in search.notices if "border" in line)
    assert notice.startswith("cells.tif, frame 4: the border cuts cells_00040, kept on request; ")


def test_cut_families_are_trimmed_to_their_longest_whole_stretch(make, division, lineage):
    """Frame 1 is cut, so frames 2 to 5 are left; with frame 4 cut too, frames 2 and 3 are."""
    division[1][12, 59, 24] = 7
    search = find_families(make(division, lineage), border="trim")
    (family,) = search.families
    assert (family.first, family.last) == (2, 5)
    assert [frame.labels for frame in family.frames] == [(7,)] + [(40, 300)] * 3
    assert all(at.box_zyx[1].stop < 60 for at in family.frames)
    assert [line for line in search.notices if "trimmed" in line] == [
        "cells.tif, frame 2: cells_00007 is trimmed to frames 2 to 5, 4 of 6; other frames are cut by the border or lack a mask"
    ]
    division[4][12, 59, 24] = 40
    (family,) = find_families(make(division, lineage), border="trim").families
    assert (family.first, family.last) == (2, 3)
    (family,) = find_families(make(division, lineage), border="trim", frames=2).families
    assert (family.first, family.last) == (0, 0)


def test_a_family_that_is_cut_in_all_frames_is_left_out(make, division, lineage):
    division[:, 12, 59, 24] = [7, 7, 7, 40, 40, 300]
    (lost,) = find_families(make(division, lineage), border="trim").left_out
    assert lost.cause is Cause.BORDER


def test_families_with_gaps_are_trimmed_to_frames_that_are_there(make, division, lineage):
    division[4] = np.where(division[4] == 300, 0, division[4])
    (family,) = find_families(make(division, lineage), gaps="trim").families
    assert (family.first, family.last) == (0, 3)
    division[1][12, 59, 24] = 7
    (family,) = find_families(make(division, lineage), gaps="trim", border="trim").families
    assert (family.first, family.last) == (2, 3)
    (family,) = find_families(make(division, lineage), gaps="keep", border="trim").families
    assert [bool(at.labels) for at in family.frames] == [True, True, False, True]
    assert find_families(make(division, lineage), gaps="trim").left_out[0].cause is Cause.BORDER
    beyond = Lineage((Track(7, 0, 6, 0), Track(40, 3, 5, 0), Track(300, 3, 5, 0)))
    assert "runs to frame 6" in find_families(make(division, beyond), gaps="trim").left_out[0].reason


def test_families_of_few_frames_are_left_out_on_request(make, division):
    search = find_families(make(division[:5]), min_frames=3)
    assert [family.root for family in search.families] == [7]
    assert [(out.root, out.reason, out.cause) for out in search.left_out] == [
        (label, "2 frames from frame 3 on, fewer than 3", Cause.SHORT) for label in (40, 300)
    ]


def test_where_some_families_are_only_too_short_the_remedy_says_so(make, division):
    movie = make(division[:5])
    short = find_families(movie, min_frames=3).left_out
    other = LeftOut(9, "cells_00009", "label 9 has no voxels in frame 1", Cause.DATA, "cells.tif, frame 1")
    said = nothing_left(movie, [other, *short])
    assert said.startswith(f"{short[0].where}: {short[0].name} has 2 frames from frame 3 on")
    assert said.endswith(", and 2 more; lower --min-frames")


@pytest.mark.parametrize(("axis", "cause"), [(0, Cause.DEPTH), (1, Cause.BORDER), (2, Cause.BORDER)])
def test_cells_that_the_stack_is_too_shallow_for_are_told_apart(make, division, axis, cause):
    at = [12, 30, 24]
    at[axis] = 0
    division[0][tuple(at)] = 7
    (lost,) = find_families(make(division[:3])).left_out
    assert lost.cause == cause


def test_frames_without_a_track_may_be_empty(make, division, lineage):
    frames = np.concatenate([division, np.zeros_like(division[:1])])
    assert len(find_families(make(frames, lineage)).families) == 1


@settings(max_examples=40, deadline=None)
@given(labels=arrays(np.uint16, (3, 4, 5), elements=st.sampled_from([0, 1, 2, 999])))
def test_numbers_agree_with_plain_numpy(labels):
    frame = np.pad(labels, 1)
    frame[2, 2, 2] = 999
    movie = LabelMovie("m", "m", 1, frame.shape, (1.0, 0.5, 0.25), None, None, lambda t: frame.copy())
    for family in find_families(movie).families:
        points = np.argwhere(frame == family.root)
        at: FamilyFrame = family.at(0)
        assert at.n_voxels == len(points)
        assert [side.start for side in at.box_zyx] == points.min(axis=0).tolist()
        assert [side.stop for side in at.box_zyx] == (points.max(axis=0) + 1).tolist()
        assert at.centroid_zyx_um == pytest.approx(tuple((points.mean(axis=0) + 0.5) * (1.0, 0.5, 0.25)))


@pytest.mark.real
def test_real_nuclei(real_data):
    (movie,) = open_movies(real_data / "blastospim_nuclei", voxel_size_zyx_um=(2.0, 0.208, 0.208))
    search = find_families(movie)
    assert [(family.root, family.first, family.last) for family in search.families] == [(n, 0, 14) for n in range(1, 9)]
    assert search.left_out == ()


@pytest.mark.long
@pytest.mark.real
def test_real_t_cells_have_one_family_of_the_recorded_volume(real_data):
    import csv

    with open(real_data / "tcells" / "sequences.csv", newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    for folder, step in (("masks", 8), ("masks_anisotropic", 1)):
        for movie in open_movies(real_data / "tcells" / folder)[::step]:
            (family,) = find_families(movie).families
            row = rows["_".join(movie.name.split("_")[:2])]
            volumes_um3 = [frame.n_voxels * math.prod(movie.spacing_zyx_um) for frame in family.frames]
            assert family.name == movie.name
            assert len(family.frames) == movie.n_frames == (30 if folder == "masks" else 10)
            assert movie.time_step_s == pytest.approx(float(row["time_step_s"]))
            assert np.mean(volumes_um3) == pytest.approx(float(row["mean_volume_um3"]), rel=0.005 if step > 1 else 0.1)
