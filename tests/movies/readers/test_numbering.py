"""The order of frames from file names: right, or refused with the missing or doubled number."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytoform.errors import InputError
from cytoform.movies.readers.numbering import in_order, stem, without_images

FOLDER = Path("/data/cells")


def paths(*names: str) -> list[Path]:
    return [FOLDER / name for name in names]


def refusal(*names: str) -> str:
    with pytest.raises(InputError) as caught:
        in_order(paths(*names))
    assert str(caught.value).startswith("/data/cells: ")
    return str(caught.value)


@given(
    first=st.integers(0, 120),
    n=st.integers(2, 12),
    step=st.integers(1, 3),
    width=st.integers(0, 4),
    prefix=st.sampled_from(["", "t", "seq01_t", "2024-05-01 cell 3 frame_"]),
    data=st.data(),
)
def test_numbers_of_any_width_give_the_order_of_frames(first, n, step, width, prefix, data):
    numbers = [first + step * k for k in range(n)]
    endings = [data.draw(st.sampled_from([".tif", ".TIFF", ".ome.tif"])) for _ in numbers]
    names = [f"{prefix}{number:0{width}d}{ending}" for number, ending in zip(numbers, endings, strict=True)]
    found = in_order(data.draw(st.permutations(paths(*names))))
    assert [path.name for path in found.files] == names
    assert found.first == first
    assert [f"rise by {step}" in line for line in found.notices] == [True] * (step > 1)


@given(n=st.integers(4, 12), data=st.data())
def test_a_missing_frame_is_named(n, data):
    gone = data.draw(st.integers(1, n - 2))
    message = refusal(*(f"t{k}.tif" for k in range(n) if k != gone))
    if n == 4:
        assert "is missing" in message or "rise by" in message
    assert f"frame {gone} is missing after t{gone - 1}.tif; add its file" in message


@given(n=st.integers(2, 6), data=st.data())
def test_a_frame_that_is_there_twice_is_named(n, data):
    twice = data.draw(st.integers(0, n - 1))
    again = data.draw(st.sampled_from([f"t{twice}.tiff", f"t0{twice}.tif", f"t{twice}.ome.tif"]))
    message = refusal(*(f"t{k}.tif" for k in range(n)), again)
    assert f"t{twice}.tif" in message
    assert again in message
    assert f"are both frame {twice}; keep one" in message


def test_frames_of_two_cells_are_no_movie():
    assert "several numbers vary in the file names (c1_t0.tif, c2_t1.tif)" in refusal(
        "c1_t0.tif", "c1_t1.tif", "c2_t0.tif", "c2_t1.tif"
    )
    assert "before.tif and after.tif differ in more than a number" in refusal("before.tif", "after.tif")


def test_a_time_beside_the_number_of_the_frame_does_not_matter():
    names = ["f0_000s.tif", "f1_060s.tif", "f2_120s.tif"]
    assert [path.name for path in in_order(paths(*names)).files] == names


def test_a_lone_file_needs_no_number():
    assert in_order(paths("cell.tif")).files == (FOLDER / "cell.tif",)


@pytest.mark.parametrize(
    ("image", "labels"),
    [
        ("img_000.tif", "img_000_cp_masks.tif"),
        ("cells.tif", "LblImg_cells.tif"),
        ("a.ome.tif", "a_labels.ome.tif"),
        ("t01.tif", "t01-seg.tif"),
        ("raw.tif", "raw_Object Identities.tif"),
    ],
)
def test_images_beside_their_labels_are_left_aside(image, labels):
    found = without_images(paths(image, labels))
    assert [path.name for path in found.files] == [labels]
    (notice,) = found.notices
    assert image in notice
    assert labels in notice


def test_names_without_a_partner_stay():
    files = paths("mask000.tif", "t001.tif", "unmasked.tif")
    assert without_images(files).files == tuple(files)
    assert without_images(files).notices == ()


def test_images_among_frames_of_masks_are_left_aside():
    found = in_order(paths("t0.tif", "t1.tif", "mask0.tif", "mask1.tif"))
    assert [path.name for path in found.files] == ["mask0.tif", "mask1.tif"]
    assert "2 files such as t0.tif left aside" in found.notices[0]


def test_stems():
    names = ["seq00.ome.tif", "a.b.TIF", "x.nii.gz", "y.npy"]
    assert [stem(Path(name)) for name in names] == ["seq00", "a.b", "x", "y"]
