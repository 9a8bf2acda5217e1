"""What surrounds a training: damaged checkpoints, full disks, NaN, two at once, and an older run in the way."""

import contextlib
import logging
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import stores
import torch
from tiny import small_config

from cytoform.errors import EmptyFrame, InputError
from cytoform.runs import stage
from cytoform.runs.autodecoder import AutoDecoder
from cytoform.runs.stage import train
from cytoform.training import loop
from cytoform.training.checkpoint import newest_checkpoint
from cytoform.training.folder import RunOutput

CONFIG = small_config("training.epochs=10")  # of three steps each; a checkpoint every two epochs


def weights(run: Path) -> bytes:
    return (run / "model.safetensors").read_bytes()


def checkpoints(run: Path) -> list[str]:
    return sorted(path.name for path in (run / "checkpoints").iterdir())


@contextlib.contextmanager
def stopped_after(steps: int) -> Iterator[None]:
    """A signal at this step."""

    @contextlib.contextmanager
    def requests():
        left = iter(range(steps))
        yield lambda: next(left, None) is None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "stop_requests", requests)
        yield


@contextlib.contextmanager
def largest_file(n_bytes: int) -> Iterator[None]:
    """A limit on the size of a file stands in for a full disk: writing more fails as it would there."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def whole(balls: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run as it should end."""
    run = tmp_path_factory.mktemp("whole") / "run"
    train(balls, run, CONFIG)
    return run


@pytest.fixture
def run(balls: Path, tmp_path: Path) -> Path:
    """The run, stopped in its eighth epoch."""
    with stopped_after(22):
        train(balls, tmp_path / "run", CONFIG)
    assert checkpoints(tmp_path / "run") == [
        f"epoch_00000{n}.safetensors" for n in ("4_batch_000000", "6_batch_000000", "7_batch_000001")
    ]
    return tmp_path / "run"


def test_a_damaged_checkpoint_is_passed_over(
    run: Path, balls: Path, whole: Path, caplog: pytest.LogCaptureFixture
) -> None:
    newest = run / "checkpoints" / checkpoints(run)[-1]
    newest.write_bytes(newest.read_bytes()[:-1000])
    with caplog.at_level(logging.WARNING):
        train(balls, run, resume=True)
    assert newest.name in caplog.text
    assert weights(run) == weights(whole)


def test_checkpoints_that_are_all_damaged_are_not_silently_begun_anew(run: Path, balls: Path) -> None:
    for path in (run / "checkpoints").iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match="every checkpoint is damaged"):
        train(balls, run, resume=True)


def test_a_checkpoint_of_other_settings_is_no_damage(run: Path, balls: Path) -> None:
    config = run / "config.toml"
    config.write_text(config.read_text().replace("width = 24", "width = 25"))
    with pytest.raises(InputError, match=r"config\.toml"):
        train(balls, run, resume=True)


@pytest.mark.parametrize("n_bytes", [0, 500, 5000])
def test_a_full_disk_loses_nothing(run: Path, balls: Path, whole: Path, n_bytes: int) -> None:
    """Full at the first word of TensorBoard, at a row of the metrics, and at a checkpoint."""
    before = checkpoints(run)
    with largest_file(n_bytes), pytest.raises(InputError, match=r"too large.*--resume"):
        train(balls, run, resume=True)
    assert checkpoints(run) == before
    assert train(balls, run, resume=True).finished
    assert weights(run) == weights(whole)
    with (run / "metrics.csv").open() as ours, (whole / "metrics.csv").open() as theirs:
        assert [row.rpartition(",")[0] for row in ours] == [row.rpartition(",")[0] for row in theirs]


def test_a_disk_too_small_for_the_samples_leaves_nothing(balls: Path, tmp_path: Path) -> None:
    with largest_file(100_000), pytest.raises(OSError, match=r"too large"):
        train(balls, tmp_path / "run", CONFIG)
    assert list(tmp_path.iterdir()) == []


def test_nan_stops_and_leaves_good_checkpoints(run: Path, balls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint is due before every step, also after the one that made the weights NaN."""
    config = run / "config.toml"
    good = config.read_text()
    config.write_text(
        good.replace("learning_rate = 0.001", "learning_rate = 1e38").replace("epochs = 10", "epochs = 90")
    )
    assert config.read_text() != good
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(InputError, match=r"diverged|NaN"):
        train(balls, run, resume=True)
    newest = newest_checkpoint(run / "checkpoints")
    assert newest is not None
    assert newest.path.name == checkpoints(run)[-1]
    assert all(torch.isfinite(tensor).all() for tensor in newest.tensors.values())


def test_nan_in_the_loss_keeps_what_was_there(
    run: Path, balls: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = checkpoints(run)
    forward = AutoDecoder.forward
    calls = iter(range(100))

    def broken(self: object, *arguments: object) -> object:
        loss, reconstruction = forward(self, *arguments)  # type: ignore[arg-type]
        factor = float("nan") if next(calls) == 3 else 1.0
        return loss * factor, reconstruction * factor

    monkeypatch.setattr(AutoDecoder, "forward", broken)
    with pytest.raises(InputError, match="diverged in epoch 9"):
        train(balls, run, resume=True)
    monkeypatch.undo()
    assert set(before[1:]) <= set(checkpoints(run))
    assert train(balls, run, resume=True).finished
    assert weights(run) == weights(whole)


def test_long_epochs_get_checkpoints_in_between(balls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    train(balls, tmp_path / "run", small_config("training.epochs=1"))
    assert checkpoints(tmp_path / "run") == [f"epoch_000000_batch_00000{n}.safetensors" for n in (0, 1, 2)]


def test_the_device_is_not_asked_at_every_step(balls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a number from a device waits for all that it has been given to do."""
    asked = 0

    def count(name: str) -> None:
        original = getattr(torch.Tensor, name)

        def counted(self: torch.Tensor, *arguments: object) -> object:
            nonlocal asked
            asked += 1
            return original(self, *arguments)

        monkeypatch.setattr(torch.Tensor, name, counted)

    for name in ("item", "tolist", "__float__", "__bool__", "cpu"):  # of a device, "numpy" would be refused
        count(name)
    found = []
    for n_frames in (8, 1):
        asked = 0
        with stopped_after(10**6):
            train(
                balls,
                tmp_path / str(n_frames),
                small_config("training.epochs=2", f"training.frames_per_batch={n_frames}"),
            )
        found.append(asked)
    assert found[0] == found[1]


def test_a_second_training_of_the_same_run_is_refused(run: Path, balls: Path) -> None:
    with RunOutput.at(run, inputs=[], overwrite=False).locked(), pytest.raises(InputError, match="another process"):
        train(balls, run, resume=True)
    assert train(balls, run, resume=True).finished


def test_a_finished_run_says_so_and_loses_its_samples(whole: Path, balls: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    (run / "samples").mkdir()
    with pytest.raises(InputError, match="finished"):
        train(balls, run, resume=True)
    assert not (run / "samples").exists()


def test_nothing_to_resume(balls: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="begin it without --resume"):
        train(balls, tmp_path / "run", resume=True)


@pytest.mark.parametrize("stop", [False, True])
def test_the_old_run_is_there_until_the_new_one_has_its_samples(
    whole: Path, balls: Path, tmp_path: Path, stop: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    empty = stores.write_store(tmp_path / "empty.zarr", {"a": [stores.ball(2.0), stores.empty()]})

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    if stop:
        monkeypatch.setattr(stage, "draw_pool", interrupt)
    with pytest.raises(KeyboardInterrupt if stop else EmptyFrame):
        train(empty, run, CONFIG, overwrite=True)
    assert weights(run) == weights(whole)
    assert {path.name for path in tmp_path.iterdir()} == {"run", "empty.zarr"}
    monkeypatch.undo()
    train(balls, run, small_config("training.epochs=1"), overwrite=True)
    assert weights(run) != weights(whole)


def test_samples_that_were_half_drawn_are_drawn_again(run: Path, balls: Path, whole: Path) -> None:
    """The recipe, which is written last, says whether they are whole."""
    (run / "samples" / "samples.json").unlink()
    samples = np.load(run / "samples" / "samples.npy", mmap_mode="r+")
    samples[3:] = 0
    samples.flush()
    train(balls, run, resume=True)
    assert weights(run) == weights(whole)
