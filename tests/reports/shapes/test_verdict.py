"""The sentences at the head of a report follow from figures."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from protruding import GRID
from scipy.stats.qmc import Halton
from spikes import moving
from stores import ball, empty, write_store

from cytoform.assess.results import Results, evaluate, evaluate_all
from cytoform.assess.stores import MeasuredStore, select
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


def ten(name: str, radii_um: np.ndarray) -> dict[str, list[np.ndarray]]:
    return {f"{name}{i}": [ball(first), ball(second)] for i, (first, second) in enumerate(radii_um)}


def test_held_out_cells_tell_copies_from_new_ones(tmp_path: Path) -> None:
    """Ten cells a set: radii of two frames from one population, and copies of the learned ones."""
    population = 2.0 + 3.0 * Halton(2, rng=np.random.default_rng(4)).random(30)
    learned = write_store(tmp_path / "learned.zarr", ten("l", population[:10]))
    held_out = write_store(tmp_path / "held.zarr", ten("h", population[10:20]))
    stores = [
        write_store(tmp_path / f"{name}.zarr", ten("n", radii_um))
        for name, radii_um in {"new": population[20:], "copies": population[:10] + 0.02}.items()
    ]
    every = evaluate_all(select(learned, stores, paired=[False] * 2, held_out=held_out))
    found = {
        store.stem: verdict_of(Comparison("Other", store, results)).findings
        for store, results in zip(stores, every, strict=True)
    }
    copied = next(each for each in found["copies"] if "held-out cells" in each.text and "ratio" in each.text)
    assert copied.grade == "poor"
    assert copied.text.startswith("New cells lie ")
    assert "z = -" in copied.text
    assert any("cells are near-duplicates" in each.text for each in found["copies"])
    new = next(each for each in found["new"] if "held-out cells" in each.text and "ratio" in each.text)
    assert new.grade in ("good", "mixed")
    likeness = next(each for each in found["new"] if "By its nearest neighbour" in each.text)
    assert "new or held out" in likeness.text
    assert likeness.grade != "open"
    for findings in found.values():
        assert not any("No cells were held out" in each.text for each in findings)


def test_without_held_out_cells_the_verdict_says_so(tmp_path: Path) -> None:
    reference = write_store(tmp_path / "r.zarr", {f"r{i}": [ball(3.0 + 0.3 * i)] for i in range(3)})
    other = write_store(tmp_path / "o.zarr", {f"o{i}": [ball(3.1 + 0.3 * i)] for i in range(3)})
    found = verdict_of(Comparison("Other", other, evaluate(reference, other, paired=False))).findings
    (open_,) = [each for each in found if "held out" in each.text]
    assert open_.grade == "open"
    assert "--held-out" in open_.text
    paired = verdict_of(Comparison("Other", reference, evaluate(reference, reference, paired=True))).findings
    assert not any("held out" in each.text for each in paired)


def test_tests_over_frames_are_those_with_sequences_permuted(tmp_path: Path) -> None:
    """Three cells a side that differ more from each other than the sides do: the paper's p is small, the fair one is not."""
    radii_um = {"r": (2.0, 2.6, 4.4), "o": (3.0, 3.2, 3.4)}
    stores = [
        write_store(tmp_path / f"{name}.zarr", {f"{name}{i}": [ball(r)] * 8 for i, r in enumerate(radii)})
        for name, radii in radii_um.items()
    ]
    results = evaluate(*stores, paired=False)
    assert results.over_frames["size_um3"].ks.p < 0.001
    found = verdict_of(Comparison("Other", stores[1], results)).findings
    over_frames = next(each for each in found if "over frames" in each.text)
    assert over_frames.grade == "open"
    assert "(whole sequences permuted) tells the sets apart, but 3 sequences are too few" in over_frames.text


def test_protrusions_over_time_and_alone(tmp_path: Path) -> None:
    """Cells with three spikes against the same cells, and against cells that lack one."""
    lengths_um = {"a": (1.6, 2.0, 1.2), "b": (1.4, 1.8, 2.2)}
    reference, fewer = (
        write_store(tmp_path / f"{n}.zarr", {name: moving(2, each[:n]) for name, each in lengths_um.items()}, grid=GRID)
        for n in (3, 2)
    )
    found = {store: evaluate(reference, store, paired=True) for store in (reference, fewer)}

    def many(store: MeasuredStore) -> MeasuredStore:
        """Each cell six times, for twelve sequences."""
        return replace(
            store,
            sequences=tuple(replace(s, name=f"{s.name}{i}") for s in store.sequences for i in range(6)),
            pairs=None,
        )

    for store, lines, tests in ((reference, "good", "good"), (fewer, "mixed", "mixed")):
        results = found[store]
        alone = [
            f for f in verdict_of(Comparison("Other", store, results)).findings if "On protrusions alone" in f.text
        ]
        assert [each.grade for each in alone] == [lines]
        unpaired = Results(many(results.reference), many(results.other))
        over = [
            f for f in verdict_of(Comparison("Other", store, unpaired)).findings if "tests of protrusions" in f.text
        ]
        assert [each.grade for each in over] == [tests], over[0].text
    assert alone[0].text.startswith("On protrusions alone the centre-line Dice is 0.8")
    assert (
        "tell the sets apart: protrusions on the body, protrusions with their branches, length of all" in over[0].text
    )


def test_cells_without_protrusions_have_no_sentence_on_them(tmp_path: Path) -> None:
    path = write_store(tmp_path / "r.zarr", {"a": [ball(3.0), ball(3.5)]})
    for paired in (True, False):
        found = verdict_of(Comparison("Other", path, evaluate(path, path, paired=paired))).findings
        assert not any("rotrusions" in each.text for each in found)
