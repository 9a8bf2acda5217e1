"""The sentences at the head of a report follow from figures."""

import math
from pathlib import Path

from stores import ball, empty, write_store

from cytoform.assess.results import evaluate
from cytoform.reports.shapes.cells import Comparison
from cytoform.reports.shapes.verdict import verdict_of
from cytoform.reports.verdicts import Finding, Verdict, grade


def test_grades() -> None:
    assert [grade(value, (0.9, 0.8)) for value in (0.95, 0.9, 0.85, 0.8, 0.5)] == [
        "good",
        "good",
        "mixed",
        "mixed",
        "poor",
    ]
    assert [grade(value, (1.0, 2.0), higher_is_better=False) for value in (0.5, 2.0, 3.0)] == ["good", "mixed", "poor"]
    assert grade(math.nan, (0.9, 0.8)) == "open"


def test_the_whole_is_as_good_as_its_worst_part() -> None:
    good, mixed, open_ = (Finding(level, "") for level in ("good", "mixed", "open"))
    assert Verdict("A", (good, mixed, open_)).grade == "mixed"
    assert Verdict("A", (good, mixed, open_)).sentence == "A: good in 1 of 2 respects, mixed in 1; 1 left open."
    assert Verdict("A", (good, open_)).sentence == "A: good in the one respect that can be judged; 1 left open."
    assert Verdict("A", (open_,)).grade == "open"
    assert "nothing" in Verdict("A", (open_,)).sentence


def judged(home: Path, other: dict[str, list], *, paired: bool) -> dict[str, Finding]:
    """Findings by a word of theirs."""
    reference = write_store(home / "ref.zarr", {"a": [ball(3.0), ball(3.5)], "b": [ball(4.0), ball(4.2)]})
    store = write_store(home / "other.zarr", other)
    found = verdict_of(Comparison("Other", store, evaluate(reference, store, paired=paired))).findings
    words = ("mean Jaccard", "Surfaces", "weakest", "piece", "tests")
    return {word: each for word in words for each in found if word in each.text}


def test_a_good_reconstruction(tmp_path: Path) -> None:
    same = {"a": [ball(3.0), ball(3.5)], "b": [ball(4.0), ball(4.2)]}
    found = judged(tmp_path, same, paired=True)
    assert "1.000 ± 0.000" in found["mean Jaccard"].text
    assert {word: each.grade for word, each in found.items()} == {
        "mean Jaccard": "good",
        "Surfaces": "good",
        "weakest": "good",
        "piece": "good",
        "tests": "open",  # two sequences show nothing
    }


def test_a_bad_frame_is_named(tmp_path: Path) -> None:
    two = [ball(2.0, shift_zyx_um=(0, 0, -4.0)), ball(2.0, shift_zyx_um=(0, 0, 4.0))]
    found = judged(tmp_path, {"a": [ball(3.0), two[0].clip(max=two[1])], "b": [ball(4.0), empty()]}, paired=True)
    assert found["weakest"].cell == "b"
    assert found["weakest"].text.startswith("The weakest frame is frame 2 of b, with a Jaccard index of 0.000")
    assert "2 of 4 frames" in found["weakest"].text
    assert found["piece"].text.startswith("2 of 4 frames are in more or fewer pieces")
    assert found["piece"].grade == "poor"
    assert "1 frame with a cell on one side only is not in this mean" in found["Surfaces"].text


def test_without_pairs_pieces_are_compared_by_their_share(tmp_path: Path) -> None:
    found = judged(tmp_path, {"n": [ball(3.0), empty()]}, paired=False)
    assert found["piece"].text == "50.0% of the frames are in one piece, of the originals 100.0%."
    assert found["piece"].grade == "poor"
    assert "mean Jaccard" not in found


def test_sets_that_tests_tell_apart_and_copies(tmp_path: Path) -> None:
    reference = write_store(tmp_path / "r.zarr", {f"r{i}": [ball(3.0 + 0.02 * i)] for i in range(10)})
    other = write_store(tmp_path / "o.zarr", {f"o{i}": [ball(5.0 + 0.02 * i)] for i in range(10)})
    found = verdict_of(Comparison("Other", other, evaluate(reference, other, paired=False)))
    tests = next(each for each in found.findings if "tests" in each.text)
    assert tests.grade in ("mixed", "poor")
    assert "tell the sets apart: size, surface area" in tests.text
    assert any("None of 10 cells is a near-duplicate" in each.text for each in found.findings)
    copies = write_store(tmp_path / "c.zarr", {f"c{i}": [ball(3.0 + 0.5 * i)] for i in range(3)})
    spaced = write_store(tmp_path / "s.zarr", {f"s{i}": [ball(3.0 + 0.5 * i)] for i in range(4)})
    found = verdict_of(Comparison("Other", copies, evaluate(spaced, copies, paired=False)))
    copied = next(each for each in found.findings if "near-duplicate" in each.text)
    assert copied.text.startswith("3 of 3 cells are near-duplicates of an original; the closest is c")
    assert copied.grade == "poor"
    assert copied.cell in ("c0", "c1", "c2")
