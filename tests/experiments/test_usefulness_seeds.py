"""Usefulness with many seeds: images by transfer, mixing, the split for choices, and the whole on the smallest data."""

import json
from pathlib import Path

import numpy as np
import pytest
from paired import grey, two_cells, write_pairs
from scipy.ndimage import zoom

import usefulness_controls
import usefulness_data
import usefulness_seeds
from cytoform.assess.segmenter.objects import ObjectSizes
from cytoform.errors import InputError
from cytoform.movies.pairs.pairs import MaskedImage
from usefulness_arms import ARMS, CONTROLS, JOINED, Known, in_scene, resized, set_down, whole_cells
from usefulness_data import RealSet, write_tracks
from usefulness_gain import gain, in_words
from usefulness_mixing import MIXINGS
from usefulness_seeds import part_of_split
from usefulness_transfer import Donor, Transfer


def disc(size: int, middle_yx: tuple[float, float], radius: float) -> np.ndarray:
    y, x = np.indices((size, size))
    return (np.hypot(y - middle_yx[0], x - middle_yx[1]) <= radius).astype(np.uint16)


def ringed(labels: np.ndarray, middle_yx: tuple[float, float], radius: float) -> MaskedImage:
    """A cell that is 100 in its middle and 200 at its outline, on a background of 10."""
    y, x = np.indices(labels.shape)
    light = 100 + 100 * np.hypot(y - middle_yx[0], x - middle_yx[1]) / radius
    return MaskedImage(np.where(labels > 0, light, 10.0), labels, "m", 0, None)


def test_a_new_cell_wears_a_real_one_from_the_middle_to_the_outline() -> None:
    """An ellipse: the share of the way from its middle decides, in every direction."""
    transfer = Transfer.of([ringed(disc(80, (40, 40), 20), (40, 40), 20)])
    y, x = np.indices((90, 90))
    way = np.hypot((y - 45) / 30, (x - 45) / 18)
    image = transfer.image((way <= 1).astype(np.uint16), np.random.default_rng(0))
    along = image[45, 45:64]
    assert along[0] == pytest.approx(100, abs=8)
    assert image[45, 62] == pytest.approx(200, abs=12)
    assert image[74, 45] == pytest.approx(200, abs=12)
    assert image[45, 54] == pytest.approx(150, abs=12)
    assert image[60, 45] == pytest.approx(150, abs=12)
    assert image[way > 1.5] == pytest.approx(10)


def test_every_grey_value_of_a_cell_is_a_real_one() -> None:
    rng = np.random.default_rng(1)
    labels = disc(60, (30, 30), 14)
    plane = MaskedImage(np.where(labels > 0, rng.integers(100, 200, labels.shape), 7), labels, "m", 0, None)
    image = Transfer.of([plane]).image(labels, rng)
    assert set(np.unique(image[labels > 0])) <= set(np.unique(plane.image_yx[labels > 0]))


def test_a_cut_cell_gives_what_is_seen_of_it() -> None:
    """Half of a disc at the border: the seen half is folded, so no pixel repeats the border's."""
    labels = disc(60, (30, 0), 20)
    donor = Donor.of(MaskedImage(labels.astype(float), labels, "m", 0, None), 1)
    assert donor.seen[1] < 1.5 * np.pi
    angles = donor.folded(np.linspace(-10, 10, 500))
    assert ((angles >= donor.seen[0] - 1e-9) & (angles <= sum(donor.seen) + 1e-9)).all()
    ends = donor.middle_yx[1] + donor.radius_px(angles) * np.cos(angles)
    assert ends.min() > 0


def test_background_beside_other_cells_is_not_taken_for_surroundings() -> None:
    """Two real cells that touch: around a new one nothing of the neighbour is shown."""
    labels = disc(80, (40, 25), 14) + 2 * disc(80, (40, 54), 14)
    image = np.where(labels == 1, 100.0, np.where(labels == 2, 150.0, 10.0))
    made = Transfer.of([MaskedImage(image, labels, "m", 0, None)]).image(
        disc(80, (40, 40), 14), np.random.default_rng(0)
    )
    assert made[disc(80, (40, 40), 14) == 0].max() <= 11


def test_all_ways_of_mixing_end_or_stay_with_real_crops() -> None:
    for name, share in MIXINGS.items():
        values = [share(progress) for progress in np.linspace(0, 1, 11)]
        assert all(0 <= value <= 1 for value in values), name
        assert values[-1] <= 0.5, name
    assert [MIXINGS["falling"](p) for p in (0, 0.5, 1)] == [1, 0.5, 0]
    assert [MIXINGS["before"](p) for p in (0, 0.49, 0.5)] == [1, 1, 0]


def test_masks_are_resized_without_new_labels() -> None:
    labels = two_cells()
    assert set(np.unique(resized(labels, 0.5))) == set(np.unique(labels))
    np.testing.assert_array_equal(resized(labels, 3.0), zoom(labels, 3, order=0, grid_mode=True, mode="nearest"))


def test_choices_are_made_without_test_frames() -> None:
    real = RealSet("dic", Path(), (0, 59), (60, 83), (1.0, 1.0, 1.0))
    assert part_of_split(real, "test") is real
    early = part_of_split(real, "choice")
    assert (early.training, early.test) == ((0, 29), (40, 59))
    assert set(early.test_frames).isdisjoint([*early.training_frames, *real.test_frames])


def test_with_eight_seeds_the_interval_is_a_paired_bootstrap() -> None:
    """Beside the interval of SciPy, from another random generator."""
    from scipy.stats import bootstrap

    rng = np.random.default_rng(3)
    reals, others = rng.uniform(0.4, 0.6, 8), rng.uniform(0.5, 0.6, 8)
    single = [{"real": {"SEG": a}, "falling": {"SEG": b}} for a, b in zip(reals, others, strict=True)]
    found = gain(single, "SEG", "falling")
    assert found is not None
    wanted = bootstrap((others - reals,), np.mean, method="percentile", rng=1).confidence_interval
    assert (found["low"], found["high"]) == pytest.approx((wanted.low, wanted.high), abs=0.004)
    assert found["t_low"] < found["low"] < found["value"] < found["high"] < found["t_high"]


def test_a_small_loss_is_none() -> None:
    assert "is not worse" in in_words("1", {"value": 0.0, "low": -0.004, "high": 0.004, "seeds": 8})
    assert "no difference" in in_words("1", {"value": 0.0, "low": -0.006, "high": 0.004, "seeds": 8})


@pytest.fixture
def real(tmp_path: Path) -> RealSet:
    labels = [np.pad(two_cells(frame), 26) for frame in range(8)]
    images = [grey(each, seed=frame) for frame, each in enumerate(labels)]
    source = write_pairs(tmp_path / "shared", images, labels)
    write_pairs(source, [], labels, masks="GT/TRA/man_track")
    write_tracks(source / "01_GT" / "TRA" / "man_track.txt", [*_two_tracks()])
    return RealSet("nuclei", source, (0, 4), (5, 7), (1.0, 0.5, 0.5))


def _two_tracks() -> list[usefulness_data.Track]:
    return [usefulness_data.Track(n, 0, 7, 0) for n in (3, 7)]


@pytest.mark.slow
def test_from_the_command_line_to_the_table_and_on_from_what_is_there(
    real: RealSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import tifffile

    monkeypatch.setitem(usefulness_data.SETS, "nuclei", lambda shared, folder: real)
    out, docs = tmp_path / "out", tmp_path / "results.md"
    docs.write_text(
        "<!-- usefulness_seeds: written by experiments/usefulness_seeds.py -->\n<!-- end of usefulness_seeds -->\n"
    )
    (out / "scene" / "01_GT" / "SEG").mkdir(parents=True)
    tifffile.imwrite(out / "scene" / "01_GT" / "SEG" / "man_seg000.tif", np.pad(two_cells(0), 40))
    given = ["--data", "nuclei", "--out", str(out), "--docs", str(docs), "--workers", "1", "--seeds", "2"]
    assert usefulness_seeds.main([*given, "--steps", "2"]) == 0
    results = json.loads((out / "results-nuclei-test.json").read_text())["results"]
    assert [set(one) for one in results["1"]["scores"]] == [{"real", "both"}] * 2
    assert docs.read_text().count("| nuclei | test | 1 |") == 2
    record = out / "nuclei-test" / "1-frames" / "seed-1" / "both.json"
    before = record.read_text()
    record.unlink()
    assert usefulness_seeds.main([*given, "--steps", "2"]) == 0
    assert record.read_text() == before
    capsys.readouterr()
    assert usefulness_seeds.main([*given, "--steps", "3"]) == 2
    assert "other settings" in capsys.readouterr().err
    tifffile.imwrite(out / "scene" / "01_GT" / "SEG" / "man_seg000.tif", np.pad(two_cells(1), 40))
    assert usefulness_seeds.main([*given, "--steps", "2"]) == 2
    assert "both.json: made with other settings or another scene" in capsys.readouterr().err


def test_unknown_ways_of_mixing_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert usefulness_seeds.main(["--mixing", "stirred", "--no-docs"]) == 2
    assert "stirred" in capsys.readouterr().err


def test_a_set_without_cells_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no cell"):
        in_scene(Known([], ObjectSizes(5.0, 1.0), tmp_path, 0))


@pytest.fixture
def known(tmp_path: Path) -> Known:
    """A plane with a whole cell and one that the border cuts, and a scene of two masks with two cells each."""
    import tifffile

    (tmp_path / "01_GT" / "SEG").mkdir(parents=True)
    for frame in range(2):
        tifffile.imwrite(tmp_path / "01_GT" / "SEG" / f"man_seg{frame:03d}.tif", np.pad(two_cells(frame), 40))
    labels = disc(90, (40, 30), 12) + 2 * disc(90, (60, 90), 14)
    image = np.where(labels > 0, 100.0 * labels, 10.0) + np.random.default_rng(0).normal(size=labels.shape)
    plane = MaskedImage(image, labels, "m", 0, None)
    sizes = ObjectSizes.of([labels])
    assert sizes is not None
    return Known([plane], sizes, tmp_path, 3)


@pytest.mark.parametrize("arm", list(ARMS))
def test_all_arms_give_equally_many_pairs_and_the_same_twice(known: Known, arm: str) -> None:
    made, twice = (ARMS[arm].mixed(known).planes for _ in range(2))
    assert len(made) == (8 if arm in JOINED.values() else 4)
    for one, other in zip(made, twice, strict=True):
        assert one.image_yx.shape == one.labels_yx.shape
        assert len(np.unique(one.labels_yx)) > 1
        np.testing.assert_array_equal(one.image_yx, other.image_yx)
        np.testing.assert_array_equal(one.labels_yx, other.labels_yx)
        inside = one.labels_yx > 0
        assert one.image_yx[inside].mean() > one.image_yx[~inside].mean() + 50


def test_exchanged_pairs_have_the_real_masks(known: Known) -> None:
    for made in CONTROLS["exchanged"](known):
        np.testing.assert_array_equal(made.labels_yx, known.planes[0].labels_yx)
        assert not np.array_equal(made.image_yx, known.planes[0].image_yx)


def test_cells_set_down_again_are_whole_ones_in_planes_as_full_as_the_scene(known: Known) -> None:
    (cell,) = whole_cells(known.planes[0].labels_yx)
    for made, mask in zip(CONTROLS["again"](known), known.scene_masks() * 2, strict=True):
        assert made.labels_yx.shape == mask.shape
        assert len(np.unique(made.labels_yx)) == len(np.unique(mask)) == 3
        for each in whole_cells(made.labels_yx):
            assert each.sum() == cell.sum()


def test_where_there_is_no_room_fewer_cells_are_set_down() -> None:
    square = np.ones((6, 6), bool)
    labels = set_down([square], (10, 10), 5, np.random.default_rng(0))
    assert np.count_nonzero(labels) == 36


def test_images_and_masks_are_deformed_alike(known: Known) -> None:
    """Cells are bright: the deformed masks are where the deformed image is."""
    real, worst = known.planes[0].labels_yx > 0, 1.0
    for made in CONTROLS["deformed"](known):
        inside = made.labels_yx > 0
        bright = made.image_yx > 55
        assert np.count_nonzero(inside & bright) > 0.97 * np.count_nonzero(inside | bright)
        worst = min(worst, np.count_nonzero(inside & real) / np.count_nonzero(inside | real))
    assert 0.6 < worst < 0.99


@pytest.mark.slow
def test_controls_from_the_command_line(real: RealSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tifffile

    monkeypatch.setitem(usefulness_data.SETS, "nuclei", lambda shared, folder: real)
    out, docs = tmp_path / "out", tmp_path / "results.md"
    docs.write_text(
        "<!-- usefulness_controls: written by experiments/usefulness_controls.py -->\n<!-- end of usefulness_controls -->\n"
    )
    (out / "scene" / "01_GT" / "SEG").mkdir(parents=True)
    tifffile.imwrite(out / "scene" / "01_GT" / "SEG" / "man_seg000.tif", np.pad(two_cells(0), 40))
    given = ["--data", "nuclei", "--out", str(out), "--docs", str(docs), "--workers", "1", "--seeds", "2"]
    assert usefulness_controls.main([*given, "--steps", "2", "--amounts", "frame"]) == 0
    written = docs.read_text()
    assert [line.split(" | ")[2] for line in written.splitlines() if line.startswith("| nuclei")] == [
        "real",
        "both",
        *CONTROLS,
        *JOINED.values(),
    ]
    assert usefulness_controls.main(["--seeds", "0", "--no-docs"]) == 2
