"""Usefulness of synthetic pairs: the share that is known, the tracker, the scores, and the whole on the smallest data."""

import dataclasses
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paired import grey, two_cells, write_pairs

import usefulness
import usefulness_data
from cytoform.assess.segmenter.objects import ObjectSizes
from cytoform.errors import InputError
from cytoform.movies.lineage import Lineage, Track
from cytoform.movies.pairs.pairs import FEWEST_PAIRS, MaskedImage, open_pairs
from usefulness_data import RealSet, apart, part_of, within, write_tracks, write_truth
from usefulness_gain import gain, in_words
from usefulness_scores import ctc_scores, scores, track
from usefulness_synthetic import Amounts, scene_request, simulated_cells, texture_config, write_share

N_FRAMES, TEST = 8, (5, 7)


@pytest.fixture
def real(tmp_path: Path) -> RealSet:
    """Two discs that move in a wide field, with tracks; the last three frames are for tests."""
    labels = [np.pad(two_cells(frame), 26) for frame in range(N_FRAMES)]
    images = [grey(each, seed=frame) for frame, each in enumerate(labels)]
    source = write_pairs(tmp_path / "shared", images, labels)
    write_pairs(source, [], labels, masks="GT/TRA/man_track")
    write_tracks(source / "01_GT" / "TRA" / "man_track.txt", [Track(n, 0, N_FRAMES - 1, 0) for n in (3, 7)])
    return RealSet("nuclei", source, (0, 4), TEST, (1.0, 0.5, 0.5))


def disc(at_yx: tuple[int, int], radius: int = 5) -> np.ndarray:
    y, x = np.ogrid[:60, :60]
    return (y - at_yx[0]) ** 2 + (x - at_yx[1]) ** 2 < radius**2


def frame(*places: tuple[int, int]) -> np.ndarray:
    labels = np.zeros((60, 60), np.int32)
    for number, place in enumerate(places, 1):
        labels[disc(place)] = number
    return labels


def test_the_tracker_follows_cells_through_a_division_and_begins_anew_after_a_jump() -> None:
    masks = [
        frame((10, 10), (45, 20)),
        frame((45, 22), (12, 10)),  # labels of a frame say nothing about the next
        frame((12, 10), (39, 22), (51, 22)),
        frame((12, 50), (37, 22), (53, 22)),
    ]
    found, tracks = track(masks, most_px=12)
    by_span = {(t.first, t.last): t for t in tracks}
    mother = by_span[0, 1]
    daughters = [t for t in tracks if t.parent]
    assert len(tracks) == 5
    assert found[0][45, 20] == found[1][45, 22] == mother.label
    assert {t.parent for t in daughters} == {mother.label}
    assert {(t.first, t.last) for t in daughters} == {(2, 3)}
    assert found[2][39, 22] == found[3][37, 22]
    assert (found[0][10, 10], found[3][12, 50]) == (by_span[0, 2].label, by_span[3, 3].label)
    Lineage(tuple(tracks))


def test_a_frame_without_cells_ends_all_tracks() -> None:
    _, tracks = track([frame((10, 10)), frame(), frame((10, 10))], most_px=12)
    assert sorted((t.first, t.last, t.parent) for t in tracks) == [(0, 0, 0), (2, 2, 0)]


def test_the_truth_itself_scores_one_with_and_without_tracks(real: RealSet, tmp_path: Path) -> None:
    labels = [plane.labels_yx for plane in real.planes(real.test_frames)]
    write_truth(real, tmp_path / "truth")
    assert real.lineage is not None
    tracks = within(real.lineage, *TEST)
    assert ctc_scores(labels, tracks, tmp_path / "truth") == {"SEG": 1.0, "DET": 1.0, "TRA": 1.0}
    # One cell missed in one of three frames: one of six vertices, and one (of four) edges, are to be added.
    missed = [labels[0], labels[1], np.where(labels[2] == 7, 0, labels[2])]
    found = ctc_scores(missed, [tracks[0], dataclasses.replace(tracks[1], last=1)], tmp_path / "truth")
    assert found == pytest.approx({"SEG": 5 / 6, "DET": 5 / 6, "TRA": 1 - 11.5 / 66})
    (real.source / "01_GT" / "TRA" / "man_track.txt").unlink()
    write_truth(real, tmp_path / "untracked")
    found = ctc_scores(*apart(missed), tmp_path / "untracked")
    assert (found["SEG"], found["DET"]) == pytest.approx((5 / 6, 5 / 6))


class Knows:
    """A segmenter that knows the answer, or finds nothing."""

    def __init__(self, planes: list[MaskedImage]) -> None:
        self.answers = {plane.image_yx.tobytes(): plane.labels_yx for plane in planes}

    def labels(self, image_yx: np.ndarray) -> np.ndarray:
        return self.answers.get(image_yx.tobytes(), np.zeros(image_yx.shape, np.int32))


def test_who_knows_all_scores_one_and_who_finds_nothing_zero(real: RealSet, tmp_path: Path) -> None:
    planes = real.planes(real.test_frames)
    write_truth(real, tmp_path / "truth")
    for segmenter, tracked, expected in (
        (Knows(planes), True, {"SEG": 1, "DET": 1, "TRA": 1}),
        (Knows(planes), False, {"SEG": 1, "DET": 1, "TRA": None}),
        (Knows([]), True, {"SEG": 0, "DET": 0, "TRA": 0}),
    ):
        assert scores(segmenter, planes, tmp_path / "truth", tracked=tracked, most_px=20) == expected


def test_tracks_of_a_window_count_from_its_start_and_forget_mothers_before_it() -> None:
    tracks = (Track(1, 0, 4, 0), Track(2, 5, 9, 1), Track(3, 5, 6, 1), Track(4, 7, 9, 3), Track(5, 0, 2, 0))
    assert within(Lineage(tracks), 5, 8) == [Track(2, 0, 3, 0), Track(3, 0, 1, 0), Track(4, 2, 3, 3)]


def test_a_part_of_a_frame_has_its_share_of_pixels_and_a_cell_in_it(real: RealSet) -> None:
    (plane,) = real.planes([2])
    y, x = plane.labels_yx.shape
    for seed in range(8):
        part = part_of(plane, Fraction(1, 4), np.random.default_rng(seed))
        assert part.image_yx.shape == part.labels_yx.shape == (round(y / 2), round(x / 2))
        assert part.labels_yx.any()
        assert part.image_yx.tobytes() in {
            plane.image_yx[i : i + round(y / 2), j : j + round(x / 2)].tobytes() for i in range(y) for j in range(x)
        }


def test_shares_are_frames_or_a_part_of_one_and_at_most_all(real: RealSet) -> None:
    few = dataclasses.replace(real, handful=Fraction(1, 16))
    found = [usefulness.in_frames(share, few) for share in ("handful", 1, 4, 9, "all")]
    assert found == [Fraction(1, 16), 1, 4, 5, 5]
    assert usefulness.n_cells(real.planes([0, 3])) == 4


def test_few_frames_become_quarters_that_hold_every_pixel_once(real: RealSet, tmp_path: Path) -> None:
    share = real.planes([0, 3])
    write_share(share, tmp_path / "share", spacing_zyx_um=real.spacing_zyx_um)
    pairs = open_pairs([tmp_path / "share"])
    assert len(pairs) == 8
    assert pairs.spacing_zyx_um == pytest.approx(real.spacing_zyx_um)
    for part in ("image_yx", "labels_yx"):
        a, b, c, d = (getattr(pairs.at(i), part) for i in range(4))
        np.testing.assert_array_equal(np.block([[a, b], [c, d]]), getattr(share[0], part))
    four = real.planes(range(FEWEST_PAIRS))
    write_share(four, tmp_path / "four", spacing_zyx_um=real.spacing_zyx_um)
    assert len(open_pairs([tmp_path / "four"])) == FEWEST_PAIRS


def test_textures_see_as_many_pixels_whatever_the_share() -> None:
    amounts = Amounts(1, 1, 24, 1, crops=480)
    for n_pairs, side_px, crop_px in ((4, 300, 256), (10, 700, 256), (60, 256, 256), (4, 90, 80)):
        training = texture_config([(side_px, side_px)] * n_pairs, amounts).training
        shown = (training.epochs + training.decay_epochs) * n_pairs * training.crops_per_image
        assert training.crop_px == crop_px
        assert shown * crop_px**2 == pytest.approx(480 * 256**2, rel=0.02)


@pytest.mark.parametrize("volume", [False, pytest.param(True, marks=pytest.mark.long)])
def test_cells_of_a_scene_are_as_wide_in_pixels_as_those_of_the_share(
    real: RealSet, tmp_path: Path, volume: bool
) -> None:
    from cytoform.scenes.stage import benchmark

    real = dataclasses.replace(real, volume=volume)
    cells = simulated_cells(tmp_path, Amounts(4, 4, 32, 1, 16), seed=0)
    labels = np.kron(two_cells(), np.ones((5, 5), np.uint16))
    share = [MaskedImage(grey(labels), labels, "m", 0, None)]
    request = scene_request(real, share, cells, labels.shape)
    assert request.size_zyx[1:] == labels.shape
    asked = dataclasses.replace(request, cells=2, frames=6, leave="none", projection=True)
    benchmark(asked, tmp_path / "scene")
    import tifffile

    made = [tifffile.imread(path) for path in sorted((tmp_path / "scene").glob("01_GT/SEG/*.tif"))]
    wide, wanted = ObjectSizes.of(made), ObjectSizes.of([labels])
    assert wide is not None
    assert wanted is not None
    assert wide.diameter_px == pytest.approx(wanted.diameter_px, rel=0.25)


def single(*pairs: tuple[float, float]) -> list[dict[str, Any]]:
    return [{"real": {"SEG": real, "TRA": None}, "both": {"SEG": both, "TRA": None}} for real, both in pairs]


def test_a_gain_is_a_paired_t_interval() -> None:
    from scipy.stats import ttest_rel

    pairs = [(0.5, 0.6), (0.7, 0.78), (0.6, 0.72)]
    found = gain(single(*pairs), "SEG")
    test = ttest_rel([both for _, both in pairs], [real for real, _ in pairs]).confidence_interval(0.95)
    interval = {"low": test.low, "high": test.high, "t_low": test.low, "t_high": test.high}
    assert found == pytest.approx({"value": 0.1, **interval, "seeds": 3})
    assert gain(single(*pairs), "TRA") is None
    assert gain(single((0.5, 0.6)), "SEG") is None


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.01, 0.2, "beats real alone"), (-0.1, 0.2, "no difference can be told"), (-0.2, -0.1, "is worse than")],
)
def test_the_sentence_says_what_the_interval_says(low: float, high: float, words: str) -> None:
    said = in_words("1", {"value": (low + high) / 2, "low": low, "high": high, "seeds": 3})
    assert words in said
    assert "with 1 real frame," in said
    assert "with 1/16 of a real frame" in in_words("1/16", None)
    assert "one seed" in in_words("4", None)


TINY = usefulness.Size("tiny", 2, 2, (1,), Amounts(2, 3, 24, 2, 16, 16))


def run(tmp_path: Path, *more: str, data: str = "nuclei") -> int:
    docs = tmp_path / "results.md"
    if not docs.exists():
        docs.write_text("<!-- usefulness: written by experiments/usefulness.py -->\n<!-- end of usefulness -->\n")
    given = ["--size", "tiny", "--data", data, "--out", str(tmp_path / "out"), "--workers", "1", "--docs", str(docs)]
    return usefulness.main([*given, *more])


@pytest.mark.long
@pytest.mark.parametrize(("texture", "n_frames"), [("learned", 1), ("optics", 4)])
def test_from_the_command_line_to_the_table_and_nothing_twice(
    real: RealSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    texture: str,
    n_frames: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tiny = dataclasses.replace(TINY, shares=(n_frames,))
    monkeypatch.setitem(usefulness.SIZES, "tiny", tiny)
    monkeypatch.setitem(usefulness_data.SETS, "nuclei", lambda shared, folder: real)
    assert run(tmp_path, "--texture", texture) == 0
    path = tmp_path / "out" / "results.json"
    found = json.loads(path.read_text())["nuclei"]
    (first, second) = found["scores"][str(n_frames)]
    assert all(set(first[arm]) == {"SEG", "DET", "TRA"} for arm in usefulness.ARMS)
    assert all(0 <= frame <= 4 for one in (first, second) for frame in one["frames"])
    lines = (tmp_path / "results.md").read_text().splitlines()
    assert [line.split(" | ")[4] for line in lines if line.startswith("| nuclei | tiny")] == list(usefulness.ARMS)
    assert f"with {n_frames} real frame" in capsys.readouterr().out

    # What was interrupted goes on from what is there: only the scores of one arm are computed again, and are the same.
    job = tmp_path / "out" / "nuclei" / f"{n_frames}-frames" / "seed-1"
    made = {file: file.stat().st_mtime_ns for file in job.rglob("*.tif")}
    for gone in (path, job / "scores.json", job / "both.json"):
        gone.unlink()
    assert run(tmp_path, "--texture", texture) == 0
    assert json.loads(path.read_text())["nuclei"]["scores"] == found["scores"]
    assert made == {file: file.stat().st_mtime_ns for file in job.rglob("*.tif")}

    # Another number of seeds takes those that are there.
    assert run(tmp_path, "--texture", texture, "--seeds", "1") == 0
    assert json.loads(path.read_text())["nuclei"]["scores"] == {str(n_frames): [first]}
    assert made == {file: file.stat().st_mtime_ns for file in job.rglob("*.tif")}

    # What was made otherwise is neither passed off as this nor lost.
    other = "optics" if texture == "learned" else "learned"
    assert run(tmp_path, "--texture", other) == 2
    assert "other settings" in capsys.readouterr().err
    monkeypatch.setitem(usefulness.SIZES, "tiny", dataclasses.replace(tiny, steps=3))
    assert run(tmp_path, "--texture", texture) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "other settings" in error


@pytest.mark.long
@pytest.mark.real
def test_real_nuclei_and_real_shapes_run_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real_data: Path
) -> None:
    monkeypatch.setitem(usefulness.SIZES, "tiny", TINY)
    for data in ("nuclei", "embryo"):
        assert run(tmp_path, "--shared", str(real_data), data=data) == 0
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert found["nuclei"]["scores"]["1"][0]["real"]["TRA"] is None  # no tracks are known
    assert found["embryo"]["scores"]["1"][0]["real"]["TRA"] is not None
    assert found["embryo"]["provenance"]["texture"] == "optics"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--size", "huge"], "huge"),
        (["--texture", "none"], "none"),
        (["--seeds", "0"], "--seeds 0"),
        (["--shared", "nowhere"], "nowhere"),
    ],
)
def test_bad_options_are_one_line(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(usefulness, "simulated_cells", lambda folder, amounts, seed: folder)
    assert usefulness.main(["--out", str(tmp_path / "out"), "--no-docs", "--workers", "1", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error


def test_a_frame_that_is_missing_is_named(real: RealSet) -> None:
    with pytest.raises(InputError, match="no frame 9"):
        real.planes([9])
