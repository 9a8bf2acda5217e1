"""Training: the loss of eq. 2.1, exact resume, same seed same bytes, and that it learns."""

import csv
import math
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import small_config, write_balls

from cytoform.errors import InputError
from cytoform.runs.autodecoder import AutoDecoder
from cytoform.runs.config import load_config
from cytoform.runs.run import load_run
from cytoform.runs.samples import Batch
from cytoform.runs.stage import train
from cytoform.runs.trainer import rate_factor
from cytoform.training import loop


def files(run: Path) -> set[str]:
    return {path.name for path in run.iterdir()}


def test_loss_is_mean_l1_plus_code_penalty() -> None:
    config = small_config()
    from cytoform.representations.table import new_representation

    model = AutoDecoder(new_representation(config.model, seed=0), 2, code_sigma=0.1, seed=0)
    batch = Batch(torch.rand(3, 7, 3), torch.rand(3, 7), torch.tensor([1, 0, 1]), torch.tensor([-1.0, 0.0, 1.0]))
    loss, reconstruction = model(batch, 100.0)
    with torch.no_grad():
        total = 0.0
        for frame in range(3):
            code = model.codes[batch.codes[frame]][None]
            biases = model.decoder.frame_biases(code, batch.times[frame : frame + 1])
            predicted = model.decoder(batch.points[frame : frame + 1], biases)[0]
            total += float((predicted - batch.distances[frame]).abs().mean())
        penalty = float((model.codes**2).sum(dim=1)[batch.codes].mean())
    assert float(reconstruction.detach()) == pytest.approx(total / 3, rel=1e-5)
    assert float(loss.detach()) == pytest.approx(total / 3 + 100 * penalty, rel=1e-5)


def test_code_noise_moves_the_prediction_but_not_the_penalty() -> None:
    from cytoform.representations.table import new_representation

    model = AutoDecoder(new_representation(small_config().model, seed=0), 2, code_sigma=0.1, seed=0)
    batch = Batch(torch.rand(2, 5, 3), torch.rand(2, 5), torch.tensor([0, 1]), torch.tensor([-1.0, 1.0]))
    plain, quiet = model(batch, 10.0), model(batch, 10.0, torch.zeros(2, 4))
    noisy = model(batch, 10.0, torch.ones(2, 4))
    assert torch.equal(plain[0], quiet[0])
    assert not torch.equal(plain[1], noisy[1])
    torch.testing.assert_close(noisy[0] - noisy[1], plain[0] - plain[1])


@pytest.mark.parametrize("learned", [False, True])
def test_rotations_turn_the_points_and_have_gradients_if_learned(learned: bool) -> None:
    from cytoform.representations.rotation import random, rotate
    from cytoform.representations.table import new_representation

    start = random(2, np.random.default_rng(0))
    decoder = new_representation(small_config().model, seed=0)
    model = AutoDecoder(
        decoder, 2, code_sigma=0.1, seed=0, rotations=torch.nn.Parameter(start.clone()) if learned else start
    )
    batch = Batch(torch.rand(3, 7, 3), torch.rand(3, 7), torch.tensor([1, 0, 1]), torch.tensor([-1.0, 0.0, 1.0]))
    _, error = model(batch, 0.0)
    mine = start.clone().requires_grad_()
    biases = decoder.frame_biases(model.codes[batch.codes], batch.times)
    expected = (decoder(rotate(batch.points, mine[batch.codes]), biases) - batch.distances).abs().mean()
    torch.testing.assert_close(error, expected)
    assert "rotations" in model.state_dict()
    error.backward()
    if learned:
        torch.testing.assert_close(model.rotations.grad, torch.autograd.grad(expected, mine)[0], rtol=1e-4, atol=1e-6)
    else:
        assert model.rotations.grad is None


def test_codes_start_from_the_prior() -> None:
    from cytoform.representations.table import new_representation

    model = AutoDecoder(new_representation(load_config().model, seed=0), 400, code_sigma=0.1, seed=0)
    assert float(model.codes.std().detach()) == pytest.approx(0.1, rel=0.01)
    assert abs(float(model.codes.mean().detach())) < 0.002


def test_schedules() -> None:
    paper = load_config(preset="paper").training
    assert [rate_factor(paper, epoch) for epoch in (0, 99.9, 100, 1249)] == [1, 1, 0.5, 0.5**12]
    quick = load_config(preset="quick").training
    factors = [rate_factor(quick, share * quick.epochs) for share in (0.0, 0.01, 0.02, 0.51, 1.0)]
    assert factors[0] < factors[1] < factors[2] == pytest.approx(1)
    assert factors[3] == pytest.approx(0.5)
    assert factors[4] == pytest.approx(0)


def test_it_learns_the_distance(trained: Path) -> None:
    """On balls whose distance is known, away from every training voxel centre."""
    from cytoform.synthesis.cells import load

    cells = load(trained)
    points = np.random.default_rng(0).uniform(1.5, 10.5, (3000, 3))
    radius = np.linalg.norm(points - 6, axis=1)
    for name, end in (("a", 3.0), ("b", 4.0)):
        for time in (-1.0, 0.3, 1.0):
            exact = radius - (2 + (end - 2) * (time + 1) / 2)
            near = np.abs(exact) < 1
            error = np.abs(cells.field(name)(points, time) - exact)[near]
            assert error.mean() < 0.15, (name, time)


def test_same_seed_same_bytes(balls: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(balls, tmp_path / name, small_config("training.epochs=2"), seed=seed)
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_bfloat16_learns_almost_the_same_and_repeatably(balls: Path, tmp_path: Path) -> None:
    coarse, exact = (
        train(balls, tmp_path / precision, small_config("training.epochs=60", f"training.precision={precision}"))
        for precision in ("bf16-mixed", "32-true")
    )
    assert coarse.loss != exact.loss
    assert coarse.loss == pytest.approx(exact.loss, rel=0.1)
    for name in ("one", "two"):
        train(balls, tmp_path / name, small_config("training.epochs=4", "training.precision=bf16-mixed"))
    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def test_mirror_images_help_to_learn_and_only_the_cells_are_kept(balls: Path, tmp_path: Path) -> None:
    """Mirrored balls are the same balls, so little is harder; codes that change over time come along."""
    settings = ("data.mirrored=true", "model.code_dim=24", "model.code_knots=6")
    trained = train(balls, tmp_path / "run", small_config("training.epochs=150", *settings))
    assert trained.loss < 0.03
    run = load_run(tmp_path / "run")
    assert run.codes.shape == (2, 24)
    for name in ("one", "two"):
        train(balls, tmp_path / name, small_config("training.epochs=4", *settings))
    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def stop_after(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for a stop at the n-th step, as a signal would."""
    steps = iter(range(10**6))
    import contextlib

    @contextlib.contextmanager
    def requests():
        yield lambda: next(steps) >= n

    monkeypatch.setattr(loop, "stop_requests", requests)


TURNED = ("data.align=principal", "model.rotations=learned")


@pytest.mark.parametrize(
    ("steps", "settings"),
    [
        (1, ()),
        (4, ()),
        (4, ("training.optimizer=muon",)),
        (5, ()),
        (0, TURNED),
        (4, TURNED),
        (4, ("training.optimizer=muon", *TURNED)),
        (4, TURNED[:1]),
    ],
)
def test_resume_is_exact(
    balls: Path, tmp_path: Path, steps: int, settings: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch has three batches: stopped within the first and second epoch, and at a checkpoint."""
    config = small_config("training.epochs=3", *settings)
    whole = train(balls, tmp_path / "whole", config, seed=4)
    stop_after(steps, monkeypatch)
    stopped = train(balls, tmp_path / "run", config, seed=4)
    assert not stopped.finished
    assert "model.safetensors" not in files(tmp_path / "run")
    with pytest.raises(InputError, match="--resume"):
        load_run(tmp_path / "run")
    monkeypatch.undo()
    finished = train(balls, tmp_path / "run", resume=True, seed=4)
    assert finished.finished
    assert finished.loss == whole.loss
    whole_bytes, bytes_ = ((tmp_path / n / "model.safetensors").read_bytes() for n in ("whole", "run"))
    assert whole_bytes == bytes_
    rows = [list(csv.DictReader((tmp_path / n / "metrics.csv").open())) for n in ("whole", "run")]
    assert [(row["epoch"], row["loss"]) for row in rows[0]] == [(row["epoch"], row["loss"]) for row in rows[1]]
    assert files(tmp_path / "run") == files(tmp_path / "whole")


def test_sigterm_stops_at_the_next_step(balls: Path, tmp_path: Path) -> None:
    threading.Timer(3.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    stopped = train(balls, tmp_path / "run", small_config("training.epochs=100000"))
    assert not stopped.finished
    assert list((tmp_path / "run" / "checkpoints").glob("*.safetensors"))


def test_resume_refuses_other_data_seed_and_finished_runs(balls: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(balls, run, small_config("training.epochs=1"))
    with pytest.raises(InputError, match="finished"):
        train(balls, run, resume=True)
    (run / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"--resume with another --seed \(0 before, 9 now\)"):
        train(balls, run, resume=True, seed=9)
    with pytest.raises(InputError, match="--resume with another shape store; give the same"):
        train(write_balls(tmp_path / "more.zarr", {"c": 3.3}), run, resume=True)
    with pytest.raises(InputError, match=r"config\.toml"):
        train(balls, tmp_path / "none", resume=True)


def test_existing_run_is_kept(balls: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="--overwrite"):
        train(balls, run, small_config())
    with pytest.raises(InputError, match="not written by cytoform"):
        train(balls, run, small_config(), overwrite=True)
    assert files(run) == {"notes.txt"}


def test_unknown_sequence_and_missing_gpu_leave_nothing(balls: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sequence 'z'"):
        train(balls, tmp_path / "run", small_config('data.sequences=["z"]'))
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="CUDA"):
            train(balls, tmp_path / "run", small_config(), device="cuda")
    assert not (tmp_path / "run").exists()


def test_chosen_sequences_and_frames(balls: Path, tmp_path: Path) -> None:
    settings = ["training.epochs=1", 'data.sequences=["b"]', "data.frame_stride=2"]
    train(balls, tmp_path / "run", small_config(*settings))
    run = load_run(tmp_path / "run")
    assert run.names == ["b"]
    assert run.learned.sequences[0].n_frames == 4
    assert math.isfinite(run.learned.bounds.slope)


def test_divergence_is_one_clear_line(balls: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"diverged.*learning_rate"):
        train(balls, tmp_path / "run", small_config("training.learning_rate=1e30", "training.epochs=50"))
