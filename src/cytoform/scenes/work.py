"""The hidden folder beside the output in which a scene grows, and which outlives whatever interrupts its making.

.NAME.partial/
  lock                   held by the process that writes
  plan.json              the request for what is being made
  cells/                 the cells of every family (scenes/cast.py)
  places.json            where every cell is in every frame
  records/VIEW/T.json    what was measured in frame T of a data set, once all its files are complete
  output/NAME/           the output as it grows
"""

import shutil
from pathlib import Path
from typing import Any

from cytoform.base.unfinished import Unfinished, refuse_to_resume
from cytoform.scenes.request import OPTIONS


class Work(Unfinished):
    """The scene as it grows."""

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

    def begin(self, request: dict[str, Any], *, resume: bool) -> None:
        """Go on with what was begun of the same request, or begin anew. Raises InputError for another request."""
        recorded = self.plan()
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
