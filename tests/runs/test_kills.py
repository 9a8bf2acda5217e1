"""A training that is killed over and over ends in the bytes of one that was left in peace."""

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from processes import Cytoform
from tiny import SMALL

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
SHORT = ("training.epochs=4", "training.checkpoint_epochs=2")


class Patient:
    """A run that is begun, killed and resumed through the command line."""

    def __init__(self, shapes: Path, out: Path, *settings: str) -> None:
        self.out, self.kills = out, 0
        self._begin = ["--preset", "quick", *(word for each in (*SMALL, *settings) for word in ("--set", each))]
        self._command = ["train", str(shapes), "--out", str(out), "--workers", "1", "--quiet"]

    def _arguments(self) -> list[str]:
        return [*self._command, *(["--resume"] if self.out.exists() else self._begin)]

    def live(self, *, kill_at: int = 0, seconds: float | None = None, number: signal.Signals | None = None) -> int:
        """The exit status of a process that is killed before its `kill_at`-th change to a file or after `seconds`."""
        process = Cytoform(*self._arguments(), kill_at=kill_at)
        if seconds is not None and number is not None:
            process.begun()
            time.sleep(seconds)
            process.send_signal(number)
        status = process.wait()
        self.kills += status in (130, -signal.SIGKILL)
        return status

    def live_as_users_do(self, number: signal.Signals) -> None:
        """A process of its own, which gets the signal, with its whole group, once it has trained for an epoch."""
        command = [sys.executable, "-m", "cytoform", *self._arguments()]
        before = self.epochs()
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        while self.epochs() in (before, 0) and process.poll() is None:
            time.sleep(0.01)
        os.killpg(process.pid, number)
        error = process.communicate()[1]
        assert process.returncode == (-number if number is signal.SIGKILL else 130), error
        self.kills += 1

    def epochs(self) -> int:
        """As metrics.csv has it."""
        path = self.out / "metrics.csv"
        return path.read_text().count("\n") - 1 if path.exists() else 0

    def found(self) -> tuple[bytes, list[list[str]], set[str]]:
        """The weights, the metrics without the speed, and the names of all files."""
        with (self.out / "metrics.csv").open() as file:
            rows = [row[:-1] for row in csv.reader(file)]
        return (self.out / "model.safetensors").read_bytes(), rows, {path.name for path in self.out.iterdir()}


@pytest.fixture(scope="module")
def whole(balls: Path, tmp_path_factory: pytest.TempPathFactory) -> Patient:
    """One that is left in peace."""
    patient = Patient(balls, tmp_path_factory.mktemp("whole") / "run", *SHORT)
    assert patient.live() == 0
    return patient


def killed(shapes: Path, folder: Path, whole: Patient, kill_at: int) -> bool:
    """Whether there was something to kill; then whatever is left goes on to the same bytes."""
    run = Patient(shapes, folder / "run", *SHORT)
    if run.live(kill_at=kill_at) != -signal.SIGKILL:
        return False
    finished = (run.out / "choice.json").exists()
    assert run.live() == (2 if finished else 0), kill_at
    assert run.found() == whole.found(), kill_at
    assert {path.name for path in folder.iterdir()} == {"run"}
    shutil.rmtree(run.out)
    return True


@pytest.mark.parametrize("kill_at", [1, 17, 33, *(pytest.param(n, marks=pytest.mark.long) for n in (9, 25, 41))])
def test_killed_before_some_change_to_a_file(kill_at: int, whole: Patient, balls: Path, tmp_path: Path) -> None:
    assert killed(balls, tmp_path, whole, kill_at)


@pytest.mark.long
def test_killed_before_any_change_to_a_file(whole: Patient, balls: Path, tmp_path: Path) -> None:
    """From the first folder to the removal of the samples."""
    kill_at = 1
    while killed(balls, tmp_path, whole, kill_at):
        kill_at += 1
    assert kill_at > 40


@pytest.mark.long
def test_twenty_five_kills_in_one_training(balls: Path, tmp_path: Path) -> None:
    settings = ("training.epochs=3000", "training.checkpoint_epochs=5")
    whole, run = (Patient(balls, tmp_path / name, *settings) for name in ("whole", "run"))
    assert whole.live() == 0
    dice = random.Random(5)

    def live(**end: Any) -> None:
        """One life. A fast machine may end the training before it is killed; then it begins anew."""
        status = run.live(**end)
        assert status in (0, 130, -signal.SIGKILL)
        if status == 0:
            assert run.found() == whole.found()
            shutil.rmtree(run.out)

    for number in SIGNALS:
        run.live_as_users_do(number)
    while run.kills < 17:
        live(seconds=dice.uniform(0, 0.6), number=dice.choice(SIGNALS))
    while run.kills < 25:
        live(kill_at=dice.randint(1, 12))
    assert run.live() == 0
    assert run.found() == whole.found()
    assert {path.name for path in tmp_path.iterdir()} == {"whole", "run"}
    assert len(list((run.out / "checkpoints").iterdir())) == 3
