"""An output that is built in a hidden folder beside its final place, so that an interrupted command can resume.

.NAME.partial/
  lock         held by the writing process
  plan.json    the request, once there is something to resume
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import RootModel

from cytoform.base.files import put_in_place, write_json
from cytoform.base.gate import read_json
from cytoform.errors import InputError

U = TypeVar("U", bound="Unfinished")


class _Values(RootModel[dict[str, Any]]):
    """Any JSON object."""


@dataclass(frozen=True)
class Unfinished:
    """The hidden folder beside the output `out`. Workers get copies; only the process with the lock renames files."""

    out: Path
    folder: Path

    @classmethod
    def beside(cls: type[U], out: Path) -> U:
        """The folder for an output, with its absolute path for workers on other machines."""
        whole = Path(out).absolute()
        return cls(out, whole.with_name(f".{whole.name}.partial"))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of this output. Raises InputError if another process holds it."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"{self.out}: another process is making it; wait until it has ended") from None
            try:
                yield
            finally:
                if not self._plan.exists():
                    shutil.rmtree(self.folder, ignore_errors=True)

    def plan(self) -> dict[str, Any] | None:
        """The plan of the interrupted command; None if there is nothing to resume."""
        try:
            return read_json(self._plan, _Values).root
        except InputError:
            return None

    def note_plan(self, plan: dict[str, Any]) -> None:
        """Record the plan: from here on the command can resume."""
        write_json(self._plan, plan)

    def give_up(self) -> None:
        """Delete the plan: there is nothing to resume, and `locked` removes the folder."""
        self._plan.unlink(missing_ok=True)

    def put_in_place(self, grown: Path) -> None:
        """Rename the finished output to its final name, in place of an older one."""
        os.sync()  # the content must be on the disk before the name
        put_in_place(grown, self.out, aside=self.folder / "replaced")
        self.give_up()

    @property
    def _plan(self) -> Path:
        return self.folder / "plan.json"


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
