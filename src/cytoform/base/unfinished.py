"""An output that grows in a hidden folder beside its final place, and outlives whatever interrupts its making.

.NAME.partial/
  lock         held by the process that writes
  plan.json    what is being made, once there is something to go on with
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cytoform.base.files import put_in_place, write_json
from cytoform.errors import InputError

U = TypeVar("U", bound="Unfinished")


@dataclass(frozen=True)
class Unfinished:
    """The hidden folder beside the output `out`. Workers get copies; only the process with the lock moves anything."""

    out: Path
    folder: Path

    @classmethod
    def beside(cls: type[U], out: Path) -> U:
        """Of an output; its whole path, for workers elsewhere."""
        whole = Path(out).absolute()
        return cls(out, whole.with_name(f".{whole.name}.partial"))

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
                if not self._plan.exists():
                    shutil.rmtree(self.folder, ignore_errors=True)

    def plan(self) -> dict[str, Any] | None:
        """What was being made when it was interrupted; None if there is nothing to go on with."""
        try:
            plan: dict[str, Any] = json.loads(self._plan.read_text())
        except (OSError, ValueError):
            return None
        return plan

    def note_plan(self, plan: dict[str, Any]) -> None:
        """From here on there is something to go on with."""
        write_json(self._plan, plan)

    def give_up(self) -> None:
        """Nothing here is worth going on with; `locked` then removes it."""
        self._plan.unlink(missing_ok=True)

    def put_in_place(self, grown: Path) -> None:
        """Give what has grown its final name, in place of any that is there."""
        os.sync()  # the name must not be on the disk before what it stands for
        put_in_place(grown, self.out, aside=self.folder / "replaced")
        self.give_up()

    @property
    def _plan(self) -> Path:
        return self.folder / "plan.json"


def refuse_to_resume(
    place: Path, *, wanted: Mapping[str, Any], recorded: Mapping[str, Any], options: Mapping[str, str]
) -> None:
    """Raise InputError for the first value of a request that is not as recorded when the work at `place` began.

    `options` says what the values are called on the command line, where that is not --name.
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
    """A value for messages; of a long one, how many it has."""
    if isinstance(value, list) and len(value) > 3:
        return f"{len(value)} of them"
    text = "" if isinstance(value, dict) else str(value)
    return text if len(text) <= 60 else ""
