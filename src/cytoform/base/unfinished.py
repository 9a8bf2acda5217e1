"""An output whose work survives interruptions: its hidden folder stays for a later call to resume.

.NAME.partial/   (see output.py)
  plan.json      the request, once there is something to resume
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import RootModel

from cytoform.base.files import write_json
from cytoform.base.gate import read_json
from cytoform.base.ours import ZARR_STRAY
from cytoform.base.output import PLAN, Output
from cytoform.base.system import sync_disks
from cytoform.errors import InputError

PLACED = "placed"


class _Values(RootModel[dict[str, Any]]):
    """Any JSON object."""


class Unfinished(Output):
    """An output with a plan. While there is one, the hidden folder stays."""

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of this output (see `Output.locked`). A plan keeps the hidden folder beyond the end of the block."""
        with super().locked():
            if self.plan() is None:  # it is damaged, or the output has been placed
                self.give_up()
                self._tidy()
            yield

    def plan(self) -> dict[str, Any] | None:
        """The plan of the interrupted command; None if there is nothing to resume."""
        try:
            plan = read_json(self.folder / PLAN, _Values).root
        except InputError:
            return None
        # Killed when the output had its name, and before the plan was deleted.
        return None if PLACED in plan and plan[PLACED] == _number(self.out) else plan

    def begin(self, request: dict[str, Any], *, resume: bool, options: Mapping[str, str]) -> None:
        """Go on with the interrupted call of the same `request`, or begin anew and record it.

        `options` are the names of its values in messages (see `refuse_to_resume`). Raises InputError for another request,
        and where the output is finished.
        """
        recorded = self.plan() if resume else None
        if resume and recorded is None and self.out.exists() and not self.overwrite:
            raise InputError(f"{self.out}: finished; nothing to resume")
        self.refuse_existing()
        if recorded is not None:
            refuse_to_resume(self.out, wanted=request, recorded=recorded, options=options)
            return
        self.give_up()
        self._tidy()
        self.note_plan(request)

    def note_plan(self, plan: dict[str, Any]) -> None:
        """Record the plan: from here on the command can resume."""
        write_json(self.folder / PLAN, plan)

    def give_up(self) -> None:
        """Delete the plan: there is nothing to resume, and `locked` removes the folder."""
        (self.folder / PLAN).unlink(missing_ok=True)

    def put_in_place(self, grown: Path) -> None:
        """Rename the finished output to its final name, in place of an older one that may be replaced."""
        remove_strays(grown)
        sync_disks()  # the content must be on the disk before the name
        self.note_plan({**(self.plan() or {}), PLACED: _number(grown)})
        self.place(grown)
        self.give_up()


def remove_strays(folder: Path) -> None:
    """Delete the files that Zarr had begun to write in a folder when its process was killed."""
    for path in folder.rglob("*.partial"):
        if ZARR_STRAY.fullmatch(path.name):
            path.unlink()


def _number(folder: Path) -> int | None:
    """The number by which the file system knows a folder under any name; None if there is none."""
    try:
        return os.stat(folder).st_ino
    except OSError:
        return None


def refuse_to_resume(
    place: Path, *, wanted: Mapping[str, Any], recorded: Mapping[str, Any], options: Mapping[str, str]
) -> None:
    """Raise InputError for the first value of a request that differs from the one recorded for `place`.

    `options` has the names of values on the command line that are not --name.
    """
    for name, value in wanted.items():
        before = recorded.get(name)
        if before != value:
            option = options.get(name, f"--{name.replace('_', '-')}")
            change = f" ({_short(before)} before, {_short(value)} now)" if _short(before) != _short(value) else ""
            raise InputError(
                f"{place}: --resume with another {option}{change}; give the same sources and options again, or leave "
                "--resume out to begin anew"
            )


def _short(value: object) -> str:
    """A value for messages; a long list is counted."""
    if isinstance(value, list) and len(value) > 3:
        return f"{len(value)} of them"
    text = "" if isinstance(value, dict) else str(value)
    return text if len(text) <= 60 else ""
