"""The hidden folder beside the output in which a scene is made; it survives interruptions.

.NAME.partial/
  lock                   held by the process that writes
  plan.json              the request
  cells/                 the cells of every family (scenes/families.py)
  places.json            position of every cell in every frame
  records/VIEW/T.json    measures of frame T of a data set, written after all its files
  output/NAME/           the unfinished output
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytoform.base.unfinished import Unfinished
from cytoform.scenes.request import OPTIONS


class Work(Unfinished):
    """The hidden folder of an unfinished scene."""

    @property
    def output(self) -> Path:
        """The unfinished output."""
        return self.folder / "output" / self.out.name

    @property
    def cells(self) -> Path:
        """Folder of the rendered cells."""
        return self.folder / "cells"

    @property
    def places(self) -> Path:
        """File with all positions."""
        return self.folder / "places.json"

    def records(self, view: str) -> Path:
        """Folder with the records of a data set."""
        return self.folder / "records" / view

    def n_frames(self) -> int:
        """Number of finished frames of all data sets."""
        return sum(record.name[0].isdecimal() for record in self.records("").rglob("*.json"))

    def begin(self, request: dict[str, Any], *, resume: bool, options: Mapping[str, str] = OPTIONS) -> None:
        """Continue an interrupted call, or start anew. Raises InputError if the interrupted request was another."""
        super().begin(request, resume=resume, options=options)
        for folder in (self.cells, self.output):
            folder.mkdir(parents=True, exist_ok=True)

    def finish(self) -> None:
        """Give the output its final name, in place of any that is there."""
        for stray in self.output.rglob("*.partial*"):  # of files that killed workers had begun
            stray.unlink()
        self.put_in_place(self.output)
