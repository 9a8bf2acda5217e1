"""A store that grows beside its final place, and outlives whatever interrupts its making.

.NAME.zarr.partial/
  lock                   held by the process that writes
  plan.json              what is being written, once the empty store is there
  NAME.zarr              the store
  frames/SEQUENCE/T      digest of the bytes of frame T, once it is complete
  masks/                 masks of all cells, while a process is at work (prepare/masks.py)
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cytoform.base.digest import folder_sha256
from cytoform.base.files import write_atomically
from cytoform.base.unfinished import Unfinished
from cytoform.prepare.masks import Masks
from cytoform.shapes.store import ShapeSequence, ShapeStore


class PartialStore(Unfinished):
    """The store as it grows."""

    @property
    def store(self) -> Path:
        """The store as it grows."""
        return self.folder / self.out.name

    def plan(self) -> dict[str, Any] | None:
        """What an interrupted preparation was writing; None if there is nothing to go on with."""
        return super().plan() if self.store.is_dir() else None

    @contextlib.contextmanager
    def keeping_masks(self) -> Iterator[Masks]:
        """Room for masks, which is empty when the block begins and gone when it ends."""
        folder = self.folder / "masks"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            yield Masks(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def clear(self) -> None:
        """Throw away what an earlier preparation has left."""
        self.give_up()
        for folder in (self.store, self.folder / "frames"):
            shutil.rmtree(folder, ignore_errors=True)

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
        self.put_in_place(self.store)

    def finish_into(self, store: ShapeStore, news: dict[str, Any]) -> None:
        """Move the sequences one by one into a store that is there already; `news` go into its attributes."""
        os.sync()
        for name in ShapeStore.open(self.store).names:
            os.rename(self.store / name, store.path / name)
        store.note(news)
        self.give_up()

    def _record(self, name: str, frame: int) -> Path:
        return self.folder / "frames" / name / str(frame)

    def _chunks(self, name: str, frame: int) -> list[Path]:
        return [self.store / name / array / "c" / str(frame) for array in ("sdf", "labels/mask/0")]

    def _digest(self, name: str, frame: int) -> str:
        return " ".join(folder_sha256(folder) for folder in self._chunks(name, frame))
