"""A store that grows beside its final place, and outlives whatever interrupts its making.

.NAME.zarr.partial/
  lock                   held by the process that writes
  plan.json              what is being written, once the empty store is there
  NAME.zarr              the store
  frames/SEQUENCE/T      digest of the bytes of frame T, once it is complete
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
from cytoform.files import put_in_place, write_atomically, write_json
from cytoform.shapes.digest import folder_sha256
from cytoform.shapes.store import ShapeSequence, ShapeStore


@dataclass(frozen=True)
class PartialStore:
    """The hidden folder beside the output `out`. Workers get copies; only the process with the lock moves anything."""

    out: Path
    folder: Path

    @classmethod
    def beside(cls, out: Path) -> "PartialStore":
        """Of an output; its whole path, for workers elsewhere."""
        whole = Path(out).absolute()
        return cls(out, whole.with_name(f".{whole.name}.partial"))

    @property
    def store(self) -> Path:
        """The store as it grows."""
        return self.folder / self.out.name

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other preparations of the same output away. Raises InputError if one is at work."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"{self.out}: another process is preparing it; wait until it has ended") from None
            try:
                yield
            finally:
                if not (self.folder / "plan.json").exists():
                    shutil.rmtree(self.folder, ignore_errors=True)

    def plan(self) -> dict[str, Any] | None:
        """What an interrupted preparation was writing; None if there is nothing to go on with."""
        try:
            plan: dict[str, Any] = json.loads((self.folder / "plan.json").read_text())
        except (OSError, ValueError):
            return None
        return plan if self.store.is_dir() else None

    def clear(self) -> None:
        """Throw away what an earlier preparation has left."""
        self.give_up()
        for folder in (self.store, self.folder / "frames"):
            shutil.rmtree(folder, ignore_errors=True)

    def begin(self, plan: dict[str, Any]) -> None:
        """The empty store is there: frames may come."""
        write_json(self.folder / "plan.json", plan)

    def n_frames(self) -> int:
        """Complete frames of all sequences."""
        return sum(record.name.isdecimal() for record in (self.folder / "frames").glob("*/*"))

    def has(self, name: str, frame: int) -> bool:
        """Whether a frame is complete, byte for byte: what was written last may be lost when the power is."""
        try:
            return self._record(name, frame).read_text() == self._digest(name, frame)
        except OSError:
            return False

    @contextlib.contextmanager
    def writing(self, name: str, frame: int) -> Iterator[ShapeSequence]:
        """Clear a frame, and note that it is complete when the block is through."""
        self._record(name, frame).unlink(missing_ok=True)
        for folder in self._chunks(name, frame):
            shutil.rmtree(folder, ignore_errors=True)
        yield ShapeStore.open(self.store, writable=True)[name]
        self._record(name, frame).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._record(name, frame), self._digest(name, frame).encode())

    def discard(self, name: str) -> None:
        """Take a sequence out of the store."""
        shutil.rmtree(self.store / name)

    def finish(self) -> None:
        """Give the store its final name, in place of any that is there."""
        os.sync()  # the name must not be on the disk before what it stands for
        put_in_place(self.store, self.out, aside=self.folder / "replaced")
        self.give_up()

    def finish_into(self, store: ShapeStore, news: dict[str, Any]) -> None:
        """Move the sequences one by one into a store that is there already; `news` go into its attributes."""
        os.sync()
        for name in ShapeStore.open(self.store).names:
            os.rename(self.store / name, store.path / name)
        store.note(news)
        self.give_up()

    def give_up(self) -> None:
        """Nothing here is worth going on with; `locked` then removes it."""
        (self.folder / "plan.json").unlink(missing_ok=True)

    def _record(self, name: str, frame: int) -> Path:
        return self.folder / "frames" / name / str(frame)

    def _chunks(self, name: str, frame: int) -> list[Path]:
        return [self.store / name / array / "c" / str(frame) for array in ("sdf", "labels/mask/0")]

    def _digest(self, name: str, frame: int) -> str:
        return " ".join(folder_sha256(folder) for folder in self._chunks(name, frame))
