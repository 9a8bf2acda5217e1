"""The hidden folder beside the output in which a scene grows, and which outlives whatever interrupts its making.

.NAME.partial/
  lock                   held by the process that writes
  request.json           what is being made
  cells/                 the cells of every family (scenes/cast.py)
  places.json            where every cell is in every frame
  records/VIEW/T.json    what was measured in frame T of a data set, once all its files are complete
  output/NAME/           the output as it grows
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytoform.errors import InputError
from cytoform.files import put_in_place, write_json
from cytoform.scenes.request import refuse_to_resume


@dataclass(frozen=True)
class Work:
    """Beside the output `out`. Workers get copies; only the process with the lock moves anything."""

    out: Path
    folder: Path

    @classmethod
    def beside(cls, out: Path) -> "Work":
        """Of an output; its whole path, for workers elsewhere."""
        whole = Path(out).absolute()
        return cls(out, whole.with_name(f".{whole.name}.partial"))

    @property
    def output(self) -> Path:
        """The output as it grows."""
        return self.folder / "output" / self.out.name

    @property
    def cells(self) -> Path:
        """Where cells are kept."""
        return self.folder / "cells"

    @property
    def places(self) -> Path:
        """Where every cell is."""
        return self.folder / "places.json"

    def records(self, view: str) -> Path:
        """The records of a data set."""
        return self.folder / "records" / view

    def n_frames(self) -> int:
        """Finished frames of all data sets."""
        return sum(record.name[0].isdecimal() for record in self.records("").rglob("*.json"))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others who make the same output away. Raises InputError if one is at work."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"{self.out}: another process is making it; wait until it has ended") from None
            try:
                yield
            finally:
                if not (self.folder / "request.json").exists():
                    shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self, request: dict[str, Any], *, resume: bool) -> None:
        """Go on with what was begun of the same request, or begin anew. Raises InputError for another request."""
        recorded = self._recorded()
        if resume and recorded is not None:
            refuse_to_resume(request, recorded, self.out)
            return
        for place in self.folder.iterdir():
            if place.is_dir():
                shutil.rmtree(place)
            elif place.name != "lock":
                place.unlink()
        for folder in (self.cells, self.output):
            folder.mkdir(parents=True)
        write_json(self.folder / "request.json", request)

    def finish(self) -> None:
        """Give the output its final name, in place of any that is there."""
        for stray in self.output.rglob("*.partial*"):  # of files that killed workers had begun
            stray.unlink()
        os.sync()  # the name must not be on the disk before what it stands for
        put_in_place(self.output, self.out, aside=self.folder / "replaced")
        self.give_up()

    def give_up(self) -> None:
        """Nothing here is worth going on with; `locked` then removes it."""
        (self.folder / "request.json").unlink(missing_ok=True)

    def _recorded(self) -> dict[str, Any] | None:
        try:
            recorded: dict[str, Any] = json.loads((self.folder / "request.json").read_text())
        except (OSError, ValueError):
            return None
        return recorded
