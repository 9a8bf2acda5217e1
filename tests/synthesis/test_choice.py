"""The prior chosen by measurement: copies lose, too few cells are said, cells that fall apart are drawn again."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import small_config, write_balls

from cytoform.assess.judgement import Judgement
from cytoform.errors import InputError
from cytoform.priors.prior import Drawn, DrawnCell, Given, Prior
from cytoform.runs.config import load_config
from cytoform.runs.same_cell import cells_of
from cytoform.runs.stage import train
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from cytoform.synthesis import trial
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.choice import CHOICE, Candidate, Choice, Pieces, default_choice, draw, in_pieces, whole_cells
from cytoform.synthesis.field import CodeField
from cytoform.synthesis.sequences import generate
from cytoform.synthesis.trial import choose_prior

RADII = {f"c{number}": float(radius) for number, radius in enumerate(np.linspace(2.2, 4.4, 8))}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_balls(tmp_path_factory.mktemp("many") / "balls.zarr", RADII)


@pytest.fixture(scope="module")
def cells(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Cells:
    run = tmp_path_factory.mktemp("many") / "run"
    train(shapes, run, small_config("training.epochs=120"))
    return load(run)


@pytest.fixture(scope="module")
def choice(cells: Cells, shapes: Path) -> Choice:
    return choose_prior(cells, shapes, seed=0)


def test_every_prior_that_applies_is_tried_and_the_best_is_taken(choice: Choice) -> None:
    tried = {each.label: each for each in choice.candidates}
    assert {"covariance", "covariance σ 1.5", "between", "around"} <= set(tried)
    # Between balls of evenly spaced radii nothing is as far from learned ones as the next learned one is.
    new = [each for each in choice.candidates if each.novelty_ratio >= 0.6 and each.prior != "around"]
    pool = new or choice.candidates
    good = [each for each in pool if each.score >= 0.9 * max(other.score for other in pool)]
    best = min(good, key=lambda each: (each.distance, -each.score))
    assert (choice.prior, choice.sigma) == (best.prior, best.sigma)
    assert 0 < best.score <= 1
    assert choice.most_pieces == 1
    assert choice.folds == 3 and choice.sequences == 8  # noqa: PT018
    # Copies are nearer to learned cells than held-out ones are.
    assert tried["around"].novelty_ratio < 0.5
    assert choice.prior != "around"
    assert choice.prior in choice.sentence
    assert len(choice.to_lines()) == len(choice.candidates)


@pytest.mark.long
def test_the_same_seed_gives_the_same_choice(cells: Cells, shapes: Path, choice: Choice) -> None:
    again = choose_prior(cells, shapes, seed=0)
    assert json.dumps([vars(c) for c in again.candidates]) == json.dumps([vars(c) for c in choice.candidates])


def test_generate_draws_from_the_choice(cells: Cells, choice: Choice, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(cells.run.path, run)
    choice.write(run)
    read = default_choice(load(run))
    assert (read.prior, read.sigma, read.most_pieces, read.sentence) == (
        choice.prior, choice.sigma, choice.most_pieces, choice.sentence,
    )  # fmt: skip
    generate(load(run), tmp_path / "new.zarr", 2, seed=1)
    from cytoform.shapes.store import ShapeStore

    store = ShapeStore.open(tmp_path / "new.zarr")
    assert store.attributes["prior"] == choice.prior


def test_priors_that_give_empty_cells_are_said(cells: Cells, shapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the decoder of a training that was too short does."""
    nothing = BoxedField(Grid(32, 6.0), (0, 0, 0), np.empty((0, 0, 0), np.float32), 1.0)
    monkeypatch.setattr(CodeField, "render", lambda *_, **__: nothing)
    found = choose_prior(cells, shapes)
    assert found.prior == "around"
    assert "none of 7 priors gave whole cells; train longer" in found.sentence
    assert all("are empty" in each.failed for each in found.candidates)


def test_a_run_without_a_choice_says_so(cells: Cells) -> None:
    found = default_choice(cells)
    assert found.prior == "gaussian"
    assert "not measured" in found.sentence


def test_components_without_a_choice_are_drawn_from_a_prior_that_applies(shapes: Path, tmp_path: Path) -> None:
    """As after a comparison of priors that was interrupted."""
    train(shapes, tmp_path / "run", load_config(preset="linear"))
    (tmp_path / "run" / CHOICE).unlink(missing_ok=True)
    cells = load(tmp_path / "run")
    found = default_choice(cells)
    assert found.prior == "covariance"
    assert len(draw(cells, 1)) == 1


def test_few_cells_are_said_to_give_copies_only(balls: Path, trained: Path) -> None:
    found = choose_prior(load(trained), balls)
    assert found.prior == "around"
    assert "too few" in found.sentence and "copies" in found.sentence  # noqa: PT018
    assert not list(trained.glob(".choice*"))


def test_figures_that_a_fold_lacks_are_left_out() -> None:
    """As growth in minutes, where the protrusions of a fold are followed too briefly."""

    def judgement(**p: float) -> Judgement:
        return Judgement(p, {}, {name: 1 - each for name, each in p.items()}, 0.5, 4, 1.0, 0.0, 0.5, 1.0, 0.8, 0.8)

    folds = [judgement(area_um2=0.5, growth_um_per_min=0.1), judgement(area_um2=0.3, growth_um=0.2)]
    found = trial._Drawn("compose", None).candidate(folds)
    assert found.p == {"area_um2": 0.3}
    assert found.distance == pytest.approx(0.6)


def test_a_damaged_choice_is_one_line(cells: Cells, tmp_path: Path) -> None:
    for text in ("{", json.dumps({"prior": "magic", "sigma": None, "most_pieces": 1, "sentence": ""}), "[]"):
        (tmp_path / CHOICE).write_text(text)
        with pytest.raises(InputError, match=CHOICE):
            Choice.read(tmp_path)
    assert Choice.read(tmp_path / "nothing") is None


class _Sometimes(Prior):
    """Codes far from any learned one, which give no cell, and every third time a learned code."""

    def __init__(self, code: np.ndarray) -> None:
        self.code, self.n = code, 0

    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        rows = []
        for _ in range(n):
            self.n += 1
            rows.append(self.code if self.n % 3 == 0 else np.full_like(self.code, 50.0))
        return Drawn(np.stack(rows))


def test_cells_that_are_no_cells_are_drawn_again(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    from cytoform.synthesis import choice as module

    good = cells.flat_codes[0]
    monkeypatch.setattr(module, "in_pieces", lambda _, cell: Pieces(1 if np.allclose(cell.code, good) else 3, False))
    rng = np.random.default_rng(0)
    found = whole_cells(cells, _Sometimes(good), 3, 1, rng)
    assert all(np.allclose(cell.code, good) for cell in found)
    monkeypatch.setattr(module, "in_pieces", lambda *_: Pieces(3, False))
    with pytest.raises(InputError, match="fall into more than 1"):
        whole_cells(cells, _Sometimes(good), 1, 1, rng)


def test_pieces_of_a_learned_cell(cells: Cells) -> None:
    assert in_pieces(cells, DrawnCell(cells.flat_codes[0])) == Pieces(1, False)


def test_the_sentence_tells_copies_and_averages() -> None:
    from cytoform.synthesis.trial import _sentence

    p = {"size_um3": 0.5, "sphericity": 0.001}
    text = _sentence(Candidate("covariance", 1.5, 0.3, 0.2, 0.5, p, told_by=("sphericity",)), 4)
    assert "near copies" in text and "averages" in text and "covariance σ 1.5" in text  # noqa: PT018
    assert "no test" in _sentence(Candidate("compose", None, 0.9, 0.95, 0.5, {"size_um3": 0.4}), 2)


def test_of_priors_that_are_nearly_as_good_the_closest_is_taken() -> None:
    from cytoform.synthesis.trial import _best

    near = Candidate("covariance", 1.25, 0.95, 0.9, 0.5, {}, 0.15)
    far = Candidate("covariance", 1.5, 1.0, 1.0, 0.5, {}, 0.3)
    copies = Candidate("around", None, 1.0, 0.1, 0.5, {}, 0.05)
    bad = Candidate("between", None, 0.5, 0.9, 0.5, {}, 0.1)
    assert _best([far, copies, near, bad]) is near
    assert _best([copies]) is copies


def test_new_protrusions_come_before_real_ones_that_are_moved() -> None:
    from cytoform.synthesis.trial import _best

    moved = Candidate("graft", None, 1.0, 0.95, 0.5, {}, 0.1)
    new = Candidate("compose", None, 0.95, 0.9, 0.5, {}, 0.2)
    assert _best([moved, new]) is new
    assert _best([moved, Candidate("compose", None, 0.0, 0.0, 0.5, {}, 1.0)]) is moved


def test_cells_without_crumbs_come_first(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    from cytoform.synthesis import choice as module

    good, rng = cells.flat_codes[0], np.random.default_rng(0)
    monkeypatch.setattr(module, "in_pieces", lambda _, cell: Pieces(1, not np.allclose(cell.code, good)))
    assert np.allclose(whole_cells(cells, _Sometimes(good), 1, 1, rng)[0].code, good)
    monkeypatch.setattr(module, "in_pieces", lambda *_: Pieces(1, True))
    assert len(whole_cells(cells, _Sometimes(good), 2, 1, rng)) == 2


def test_a_crumb_is_seen(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = np.full((24, 24, 24), 1.0, np.float32)
    inside[2:20, 2:20, 2:20] = -1
    inside[22, 22, 22] = -1
    monkeypatch.setattr(CodeField, "render", lambda *_, **__: BoxedField(Grid(32, 6.0), (0, 0, 0), inside, 1.0))
    assert in_pieces(cells, DrawnCell(cells.flat_codes[0])) == Pieces(1, True)


def test_sequences_of_one_cell_are_in_one_fold() -> None:
    rows = np.arange(12)
    alone = cells_of([f"c{row}" for row in rows], "")
    np.testing.assert_array_equal(trial._folds(rows, alone), [rows[::2], rows[1::2]])
    names = [f"m{row}_cell{cell}" for row, cell in enumerate([1, 1, 1, 2, 3, 3, 4, 5, 6, 6, 6, 6])]
    folds = trial._folds(rows, cells_of(names, "cell[0-9]+"))
    found = [{names[row].split("_")[1] for row in fold} for fold in folds]
    assert not found[0] & found[1]
    assert [len(fold) for fold in folds] == [6, 6]
    # A sequence that is not judged is in no fold.
    assert sorted(np.concatenate(trial._folds(rows[3:9], cells_of(names, "cell[0-9]+"))).tolist()) == list(range(3, 9))


def test_sequences_of_few_cells_are_too_few(cells: Cells, shapes: Path) -> None:
    config = cells.run.config
    data = config.data.model_copy(update={"same_cell": "c"})
    of_one = replace(cells, run=replace(cells.run, config=config.model_copy(update={"data": data})))
    assert "8 learned sequences of one cell are too few" in choose_prior(of_one, shapes).sentence


def test_an_expression_that_fits_no_name_is_refused_before_training(shapes: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data\.same_cell = 'cell': found in no name, such as c0"):
        train(shapes, tmp_path / "run", small_config("data.same_cell=cell"))
    assert list(tmp_path.iterdir()) == []
