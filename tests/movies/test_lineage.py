"""Tracks: round trips, families, and every contradiction by name."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytoform.errors import InputError
from cytoform.movies.lineage import Lineage, Track, check_tracks, read_lineage, write_lineage


@st.composite
def forests(draw: st.DrawFn) -> list[Track]:
    """Forests in which every parent ends before its children begin, in any order."""
    labels = draw(st.lists(st.integers(1, 65535), min_size=1, max_size=12, unique=True))
    tracks: list[Track] = []
    for label in labels:
        parent = draw(st.sampled_from([None, *tracks]))
        first = draw(st.integers(0, 30)) + (parent.last + 1 if parent else 0)
        tracks.append(Track(label, first, first + draw(st.integers(0, 30)), parent.label if parent else 0))
    return draw(st.permutations(tracks))


@given(tracks=forests())
def test_what_is_written_is_read(tracks, tmp_path_factory):
    lineage = Lineage(tuple(tracks))
    path = tmp_path_factory.mktemp("lineage") / "man_track.txt"
    write_lineage(path, lineage)
    assert set(read_lineage(path).tracks) == set(lineage.tracks)
    before = path.read_bytes()
    write_lineage(path, read_lineage(path))
    assert path.read_bytes() == before


@given(tracks=forests())
def test_families_share_out_the_tracks(tracks):
    lineage = Lineage(tuple(tracks))
    families = lineage.families()
    assert sorted(t.label for f in families for t in f.tracks) == sorted(t.label for t in lineage.tracks)
    parents = {track.label: track.parent for track in lineage.tracks}
    for family in families:
        labels = {track.label for track in family.tracks}
        assert family.root.parent == 0
        assert all(parents[label] in labels for label in labels - {family.root.label})
        assert family.first <= min(track.first for track in family.tracks)
        for frame in (family.first, family.last):
            assert family.labels_in(frame)
        assert not family.labels_in(family.last + 1)


def test_a_family_over_two_divisions():
    lineage = Lineage((Track(9, 8, 12, 2), Track(1, 0, 3, 0), Track(2, 4, 7, 1), Track(5, 4, 9, 1), Track(4, 0, 1, 0)))
    big, small = lineage.families()
    assert (big.root.label, big.first, big.last) == (1, 0, 12)
    assert [big.labels_in(frame) for frame in (3, 4, 8, 10)] == [(1,), (2, 5), (5, 9), (9,)]
    assert (small.root.label, small.last) == (4, 1)


ROWS = {
    "1 0 3": "line 2: '1 0 3' is not",
    "1 0 3 0 5": "line 2: .* is not",
    "1 0 x 0": "line 2: '1 0 x 0' is not 'label first last parent'",
    "1 0 3.0 0": "line 2: .* is not",
    "1 0 99999999999999999999 0": "line 2: .* is not",
    "0 0 3 0": "line 2: label 0 is not in 1 to 65535",
    "70000 0 3 0": "line 2: label 70000 is not in 1 to 65535",
    "1 -1 3 0": "line 2: label 1 runs from frame -1 to 3",
    "1 5 3 0": "line 2: label 1 runs from frame 5 to 3",
    "1 0 3 -2": "line 2: label 1 has the parent -2",
    "8 4 6 0": "label 8 stands there twice",
    "1 4 6 5": "label 1 has the unknown parent 5",
    "1 4 6 1": r"labels descend from themselves \(1 -> 1\)",
    "1 4 6 2\n2 7 9 1": r"labels descend from themselves \(1 -> 2 -> 1\)",
    "1 3 6 8": "label 1 begins in frame 3 but its parent 8 ends in frame 3",
    "1 0 2 8": "label 1 begins in frame 0 but its parent 8 ends in frame 3; a parent must end before",
}


@pytest.mark.parametrize("rows", ROWS)
def test_every_fault_is_named(rows: str, tmp_path: Path):
    path = tmp_path / "man_track.txt"
    path.write_text(f"8 0 3 0\n{rows}\n")
    with pytest.raises(InputError, match=ROWS[rows]) as caught:
        read_lineage(path)
    assert type(caught.value) is InputError
    assert str(path) in str(caught.value)
    assert "; " in str(caught.value), "no remedy"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "no tracks"), (b"\n \n", "no tracks"), (b"\xff\xfe\x80", "text")]
)
def test_files_without_tracks(content: bytes, message: str, tmp_path: Path):
    (tmp_path / "man_track.txt").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_lineage(tmp_path / "man_track.txt")
    with pytest.raises(InputError, match="no such file"):
        read_lineage(tmp_path / "other.txt")


def test_a_link_to_an_endless_device_is_refused(tmp_path: Path):
    (tmp_path / "man_track.txt").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="a pipe, socket or device, not a file"):
        read_lineage(tmp_path / "man_track.txt")


def test_tabs_blank_lines_and_windows_line_ends(tmp_path: Path):
    (tmp_path / "t.txt").write_bytes(b"1\t0\t3\t0\r\n\r\n2 4 5 1\r\n")
    assert read_lineage(tmp_path / "t.txt").tracks == (Track(1, 0, 3, 0), Track(2, 4, 5, 1))


def test_a_lineage_made_in_python_is_checked_too():
    with pytest.raises(InputError, match="lineage: label 2 has the unknown parent 1"):
        Lineage((Track(2, 0, 1, 1),))
    check_tracks([Track(2, 0, 1, 0)], "here")


@given(cycle=st.lists(st.integers(1, 65535), min_size=1, max_size=50, unique=True))
def test_a_cycle_of_any_length_is_found(cycle):
    tracks = [Track(label, i, i, cycle[i - 1]) for i, label in enumerate(cycle)]
    with pytest.raises(InputError, match="descend from themselves"):
        check_tracks(tracks, "here")
