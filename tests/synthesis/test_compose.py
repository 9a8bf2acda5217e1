"""Bodies with protrusions from the store to new cells: training, reconstruction, compose and graft, movies of any length."""

from pathlib import Path

import cc3d
import numpy as np
import pytest
import torch
from thorny import SETTINGS, TIME_STEP_S, write_thorny

from cytoform.assess.measures.masks import jaccard
from cytoform.errors import InputError
from cytoform.protrusions.decompose import take_apart
from cytoform.runs.config import load_config, read_config
from cytoform.runs.parts import BODIES, PARTS
from cytoform.runs.run import load_run
from cytoform.runs.stage import train
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis import choice
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.choice import in_pieces
from cytoform.synthesis.field import CodeField
from cytoform.synthesis.options import Rendering
from cytoform.synthesis.sequences import generate, reconstruct
from cytoform.synthesis.trial import choose_prior


@pytest.fixture(scope="module")
def thorny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("thorny") / "thorny.zarr"
    write_thorny(path)
    return path


@pytest.fixture(scope="module")
def run(thorny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("parts") / "run"
    train(thorny, out, load_config(preset="paper", settings=list(SETTINGS)))
    return out


@pytest.fixture(scope="module")
def cells(run: Path) -> Cells:
    return load(run)


def pieces(path: Path) -> list[int]:
    return [
        int(cc3d.connected_components(sequence.mask(frame), connectivity=26).max())
        for sequence in ShapeStore.open(path)
        for frame in range(sequence.info.n_frames)
    ]


def test_a_run_keeps_protrusions_and_settles_the_radius(run: Path, cells: Cells) -> None:
    model = read_config(run / "config.toml").model
    assert 0.4 < model.opening_radius_um < 1.4  # type: ignore[attr-defined]
    assert 0 < model.fillet < 0.2  # type: ignore[attr-defined]
    assert (run / PARTS).is_file()
    assert not (run / BODIES).exists()
    assert all(len(parts.units) for parts in cells.run.parts)


def test_learned_cells_come_back_with_their_thorns(thorny: Path, cells: Cells, tmp_path: Path) -> None:
    reconstruct(cells, tmp_path / "rec.zarr")
    originals, found = ShapeStore.open(thorny), ShapeStore.open(tmp_path / "rec.zarr")
    whole = [jaccard(originals[n].mask(t), found[n].mask(t)) for n in originals.names for t in (2, 4)]
    assert np.mean(whole) > 0.88
    before, after = (take_apart(store, 0.6, names=originals.names[:3]) for store in (originals, found))
    for a, b in zip(before, after, strict=True):
        lengths = [[sum(c.length_um for c in frame.curves) for frame in side.frames] for side in (a, b)]
        assert np.mean(lengths[1]) == pytest.approx(np.mean(lengths[0]), rel=0.2)


@pytest.mark.parametrize("prior", ["compose", "graft"])
def test_new_cells_have_thorns_and_one_piece(prior: str, cells: Cells, thorny: Path, tmp_path: Path) -> None:
    generate(cells, tmp_path / "new.zarr", 3, prior=prior, seed=1)
    store = ShapeStore.open(tmp_path / "new.zarr")
    assert set(pieces(store.path)) == {1}
    assert store.attributes["prior"] == prior
    learned, new = (
        np.mean([len(frame.curves) for each in take_apart(s, 0.6) for frame in each.frames])
        for s in (ShapeStore.open(thorny), store)
    )
    assert new == pytest.approx(learned, rel=0.6)
    assert {"code", "protrusions", "scale", "offset", "span"} == set(store["new0000"].latent)


def test_equal_seeds_give_equal_cells_and_others_do_not(cells: Cells) -> None:
    prior = cells.prior("compose")
    first, again, other = (prior.draw(2, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.codes, again.codes)
    assert np.array_equal(first.variables["protrusions"], again.variables["protrusions"], equal_nan=True)
    assert not np.array_equal(first.codes, other.codes)


def test_thin_protrusions_are_looked_at_on_the_learned_grid(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    """A coarse one tears them into crumbs, and cells with few protrusions would be preferred where others are drawn again."""
    sizes, render = set[int](), CodeField.render

    def kept(field: CodeField, time: float, size: int) -> BoxedField:
        sizes.add(size)
        return render(field, time, size)

    drawn = cells.prior("compose").draw(1, np.random.default_rng(6))[0]
    monkeypatch.setattr(choice, "TRIAL_GRID", 8)
    monkeypatch.setattr(CodeField, "render", kept)
    assert not in_pieces(cells, drawn).has_crumbs
    assert sizes == {cells.run.learned.grid}


def test_longer_movies_keep_the_time_step_and_the_number(cells: Cells, tmp_path: Path) -> None:
    generate(cells, tmp_path / "long.zarr", 2, prior="compose", span=3.0, seed=2)
    sequence = ShapeStore.open(tmp_path / "long.zarr")["new0000"]
    assert sequence.info.n_frames == 22
    assert sequence.info.time_step_s == pytest.approx(TIME_STEP_S)
    parts = take_apart(ShapeStore.open(tmp_path / "long.zarr"), 0.6)
    thirds = np.mean([[len(f.curves) for f in each.frames[:21]] for each in parts], axis=0).reshape(3, 7).mean(axis=1)
    assert thirds.min() > 0.3 * thirds.max() > 0


def test_dense_and_narrow_band_agree(cells: Cells) -> None:
    (cell,) = cells.prior("compose").draw(1, np.random.default_rng(3))
    field = cells.field(cell.code, variables=cell.variables)
    for time in (-0.4, 0.7):
        dense, band = (field.render(time, 40, method=method) for method in ("dense", "narrow-band"))
        assert np.array_equal(dense.mask(), band.mask())
        near = np.abs(dense.sdf_um()) < 0.9 * dense.band_um
        assert np.abs(dense.sdf_um() - band.sdf_um())[near].max() < 1e-3


def test_the_field_is_continuous_in_time_and_turns_with_the_pose(cells: Cells) -> None:
    (cell,) = cells.prior("compose").draw(1, np.random.default_rng(4))
    points = np.random.default_rng(0).uniform(2, 10, (3000, 3))
    field = cells.field(cell.code, variables=cell.variables)
    before, after = field(points, 0.2), field(points, 0.2005)
    assert np.abs(after - before).max() < 0.1
    half = np.sqrt(0.5)
    turned = cells.field(
        cell.code, rotation=np.array([half, 0, 0, half]), variables=cell.variables
    )  # a quarter about z
    middle = points - 6.0
    # The point p = (x, y, z) of a turned cell lies at R p in the canonical pose.
    canonical = np.stack([middle[:, 0], middle[:, 2], -middle[:, 1]], axis=1) + 6.0
    assert np.allclose(turned(points, 0.2), field(canonical, 0.2), atol=2e-3)


def test_codes_alone_are_bare_bodies(cells: Cells) -> None:
    name = cells.names[0]
    bare, whole = cells.field(cells.codes[0]), cells.field(name)
    assert bare.render(0.0, 48).inside.sum() < whole.render(0.0, 48).inside.sum()


def test_requests_hold_for_composed_cells(cells: Cells, tmp_path: Path) -> None:
    from cytoform.synthesis.conditional.stage import condition_on

    condition = condition_on(cells, ["pieces<2"], rendering=Rendering(grid_size=40))
    generate(cells, tmp_path / "few.zarr", 1, prior="compose", condition=condition, rendering=Rendering(grid_size=40))
    assert len(ShapeStore.open(tmp_path / "few.zarr")) == 1


@pytest.mark.parametrize(
    ("prior", "options", "message"),
    [
        ("covariance", {}, "bodies with protrusions"),
        ("graft", {"sigma": 1.0}, "has none to choose"),
        ("compose", {"span": -1.0}, "--span"),
        ("compose", {"span": 1e9}, "--span"),
    ],
)
def test_what_does_not_apply_is_refused(prior: str, options: dict, message: str, cells: Cells, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        generate(cells, tmp_path / "no.zarr", 1, prior=prior, **options)
    assert not (tmp_path / "no.zarr").exists()


def test_priors_of_parts_and_spans_are_refused_by_runs_of_whole_cells(trained: Path, tmp_path: Path) -> None:
    for options, message in (({"prior": "compose"}, "whole cells"), ({"prior": "around", "span": 2.0}, "--span")):
        with pytest.raises(InputError, match=message):
            generate(load(trained), tmp_path / "no.zarr", 1, **options)


def test_damaged_parts_are_refused(run: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    (copy / PARTS).unlink()
    with pytest.raises(InputError, match=PARTS):
        load_run(copy)
    from cytoform.base.tensors import write_tensors

    write_tensors(copy / PARTS, {"c0.protrusions": torch.zeros(2, 3)})
    with pytest.raises(InputError, match="missing or damaged"):
        load_run(copy)


def test_every_frame_is_learned(thorny: Path, tmp_path: Path) -> None:
    config = load_config(preset="paper", settings=[*SETTINGS, "data.frame_stride=2"])
    with pytest.raises(InputError, match="frame_stride"):
        train(thorny, tmp_path / "run", config)
    config = load_config(preset="paper", settings=[*SETTINGS, "model.opening_radius_um=4"])
    with pytest.raises(InputError, match="thinner everywhere"):
        train(thorny, tmp_path / "run", config)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("n_cells", "n_thorns", "n_frames"), [(1, 5, 4), (3, 0, 3), (3, 5, 1)], ids=["one cell", "no thorns", "one frame"]
)
def test_little_to_learn_from_still_gives_cells(n_cells: int, n_thorns: int, n_frames: int, tmp_path: Path) -> None:
    shapes = tmp_path / "s.zarr"
    write_thorny(shapes, n_cells=n_cells, n_thorns=n_thorns, n_frames=n_frames, grid=Grid(40, 6.0))
    settings = [*SETTINGS, "training.epochs=500", "training.points_per_frame=128", "model.opening_radius_um=0.7"]
    train(shapes, tmp_path / "run", load_config(preset="paper", settings=settings))
    cells = load(tmp_path / "run")
    choice = choose_prior(cells, shapes)
    assert choice.prior == "graft"
    assert "too few" in choice.sentence
    for prior in ("compose", "graft"):
        generate(cells, tmp_path / f"{prior}.zarr", 2, prior=prior)
        assert set(pieces(tmp_path / f"{prior}.zarr")) == {1}


def test_cells_without_a_thick_place_are_refused(tmp_path: Path) -> None:
    shapes = tmp_path / "s.zarr"
    write_thorny(shapes, n_cells=2, n_frames=2, grid=Grid(16, 6.0))
    with pytest.raises(InputError, match="too thin, or the voxels too coarse"):
        train(shapes, tmp_path / "run", load_config(preset="paper", settings=list(SETTINGS)))
    assert not (tmp_path / "run").exists()
