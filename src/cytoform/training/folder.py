"""The folder of a training: file names, the place where it grows, and checks before resuming."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from cytoform.base.gate import Record, read_json
from cytoform.base.system import rename
from cytoform.base.unfinished import Unfinished, refuse_to_resume
from cytoform.errors import InputError

CONFIG, WEIGHTS, PROVENANCE, CHECKPOINTS = "config.toml", "model.safetensors", "provenance.json", "checkpoints"


class RunOutput(Unfinished):
    """The output of a training. A run that is to replace an older one grows in the hidden folder, any other in its place."""

    @property
    def run(self) -> Path:
        """Where the unfinished run is."""
        return self.out if self.plan() is None else self._hidden

    @property
    def _hidden(self) -> Path:
        return self.folder / "grown" / self.out.absolute().name

    def require_begun(self) -> Path:
        """Path of the config.toml of a run to be resumed. Raises InputError if there is none."""
        if not (self.run / CONFIG).exists():
            raise InputError(f"{self.out}: no run (no {CONFIG}) that could be resumed; begin it without --resume")
        return self.run / CONFIG

    def require_unfinished(self) -> None:
        """Remove partial files of a killed process. Raises InputError for a finished run."""
        for stray in (*self.run.glob(".*.partial-*"), *(self.run / CHECKPOINTS).glob(".*.partial-*")):
            stray.unlink()
        if (self.run / WEIGHTS).exists():
            raise InputError(f"{self.out}: this run is finished; nothing to resume")

    @contextlib.contextmanager
    def beginning(self) -> Iterator[Path]:
        """Yield an empty folder for the first files of a new run. The run is there once the block ends."""
        self.give_up()
        self._tidy()
        new = self.folder / "new" / self._hidden.name
        new.mkdir(parents=True)
        yield new
        if self.out.exists():
            self._hidden.parent.mkdir()
            rename(new, self._hidden)
            self.note_plan({"command": "cytoform train"})
        else:
            self.place(new)

    def finish(self) -> None:
        """Put a finished run in the place of the older one that it was to replace when it was begun."""
        if self.plan() is not None:
            replace(self, overwrite=True).put_in_place(self._hidden)


def refuse_other_data(run: Path, provenance: Mapping[str, object], *, data: str) -> None:
    """Raise InputError where a run was begun with other `data`, as messages call it, or another seed."""
    wanted = {name: provenance[name] for name in ("data_sha256", "seed")}
    recorded = read_json(run / PROVENANCE, _Provenance, remedy="restore it, or begin anew without --resume")
    refuse_to_resume(run, wanted=wanted, recorded=vars(recorded), options={"data_sha256": data})


class _Provenance(Record):
    data_sha256: str
    seed: int
