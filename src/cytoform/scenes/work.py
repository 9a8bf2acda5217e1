"""The hidden folder beside the output in which a scene is made; it survives interruptions.

.NAME.partial/
  lock                   held by the process that writes
  plan.json              the request
  cells/                 the cells of every family (scenes/families.py)
  places.json            position of every cell in every frame
  records/VIEW/T.json    measures of frame T of a data set, written after all its files
  output/NAME/           the unfinished output
"""

import shutil
from pathlib import Path
from typing import Any

from cytoform.base.unfinished import Unfinished, refuse_to_resume
from cytoform.errors import InputError
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

    def begin(self, request: dict[str, Any], *, resume: bool) -> None:
        """Continue an interrupted call, or start anew. Raises InputError if the interrupted request was another."""
        recorded = self.plan()
        if resume and recorded is None and self.out.exists() and not self.overwrite:
            raise InputError(f"{self.out}: finished; nothing to resume")
        self.refuse_existing()
        if resume and recorded is not None:
            refuse_to_resume(self.out, wanted=request, recorded=recorded, options=OPTIONS)
            return
        for place in self.folder.iterdir():
            if place.is_dir():
                shutil.rmtree(place)
            elif place.name != "lock":
                place.unlink()
        for folder in (self.cells, self.output):
            folder.mkdir(parents=True)
        self.note_plan(request)

    def finish(self) -> None:
        """Give the output its final name, in place of any that is there."""
        for stray in self.output.rglob("*.partial*"):  # of files that killed workers had begun
            stray.unlink()
        self.put_in_place(self.output)
