"""The folder of a training: file names, checks before resuming, and a lock against a second writer."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from cytoform.base.files import clear_strays
from cytoform.base.gate import Record, read_json
from cytoform.base.unfinished import refuse_to_resume
from cytoform.errors import InputError

CONFIG, WEIGHTS, PROVENANCE, CHECKPOINTS = "config.toml", "model.safetensors", "provenance.json", "checkpoints"


def require_begun(out: Path) -> Path:
    """Path of the config.toml of a run to be resumed. Raises InputError if there is none."""
    clear_strays(out)
    if not (out / CONFIG).exists():
        raise InputError(f"{out}: no run (no {CONFIG}) that could be resumed; begin it without --resume")
    return out / CONFIG


def require_unfinished(out: Path) -> None:
    """Raise InputError for a finished run; remove partial files of a killed process."""
    for stray in (*out.glob(".*.partial-*"), *(out / CHECKPOINTS).glob(".*.partial-*")):
        stray.unlink()
    if (out / WEIGHTS).exists():
        raise InputError(f"{out}: this run is finished; nothing to resume")


def refuse_other_data(out: Path, provenance: Mapping[str, object], *, data: str) -> None:
    """Raise InputError where a run was begun with other `data`, as messages call it, or another seed."""
    wanted = {name: provenance[name] for name in ("data_sha256", "seed")}
    recorded = read_json(out / PROVENANCE, _Provenance, remedy="restore it, or begin anew without --resume")
    refuse_to_resume(out, wanted=wanted, recorded=vars(recorded), options={"data_sha256": data})


class _Provenance(Record):
    data_sha256: str
    seed: int


@contextlib.contextmanager
def sole_writer(out: Path) -> Iterator[None]:
    """Lock a run against a second training. Raises InputError if another process holds the lock."""
    lock = os.open(out / CHECKPOINTS, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise InputError(f"{out}: another process is training this run; end it first") from None
    finally:
        os.close(lock)
