"""metrics.csv after a kill, and TensorBoard events."""

from pathlib import Path

import pytest

from cytoform.runs.trainer import EpochMetrics
from cytoform.training.metrics import Metrics

HEADER = "epoch,loss,code_norm,learning_rate,points_per_second\n"


def row(epoch: int) -> EpochMetrics:
    return EpochMetrics(epoch, 0.1 / epoch, 1 / 3, 1e-3, 1e5)


def write(run: Path, *epochs: int) -> str:
    with Metrics(run, EpochMetrics, epochs=epochs[0] - 1) as metrics:
        for epoch in epochs:
            metrics.add(row(epoch))
    return (run / "metrics.csv").read_text()


def test_rows_of_epochs_that_are_done_again_are_dropped(tmp_path: Path) -> None:
    whole = write(tmp_path, 1, 2, 3, 4)
    assert write(tmp_path, 3, 4) == whole
    with Metrics(tmp_path, EpochMetrics, epochs=2) as metrics:
        assert metrics.last == row(2)


@pytest.mark.parametrize("torn", ["1", "13,0.0", "13,0.1,0.2,0.3,4"])
def test_a_torn_line_is_dropped(tmp_path: Path, torn: str) -> None:
    """The first would pass for the first epoch."""
    whole = write(tmp_path, *range(1, 13))
    with (tmp_path / "metrics.csv").open("a") as file:
        file.write(torn)
    with Metrics(tmp_path, EpochMetrics, epochs=12):
        pass
    assert (tmp_path / "metrics.csv").read_text() == whole


def test_a_torn_header_is_written_again(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,lo")
    with Metrics(tmp_path, EpochMetrics, epochs=0) as metrics:
        assert metrics.last is None
    assert (tmp_path / "metrics.csv").read_text() == HEADER


def test_without_tensorboard_the_figures_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    figures = write(tmp_path / "with", 1, 2)
    monkeypatch.setattr("cytoform.training.metrics.find_spec", lambda _: None)
    assert write(tmp_path / "without", 1, 2) == figures
    assert [path.name for path in (tmp_path / "without").iterdir()] == ["metrics.csv"]


def test_tensorboard_shows_every_epoch_once(tmp_path: Path) -> None:
    """Read by TensorBoard itself; epoch 3 was done twice, by two processes."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    write(tmp_path, 1, 2, 3)
    for path in (tmp_path / "tensorboard").iterdir():
        path.rename(path.with_name(path.name.replace("events.out.tfevents.", "events.out.tfevents.0")))
    write(tmp_path, 3, 4)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    found = {event.step: event.value for event in events.Scalars("loss")}
    assert len(events.Scalars("loss")) == 4
    assert found == pytest.approx({n: 0.1 / n for n in (1, 2, 3, 4)})
