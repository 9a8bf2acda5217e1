"""The unfinished store in a hidden folder beside its final place; it survives interruptions.

.NAME.zarr.partial/
  lock                   held by the process that writes
  plan.json              the sequences to write; there once the empty store is
  NAME.zarr              the store
  frames/SEQUENCE/T      SHA-256 of the files of frame T, written when it is complete
  masks/                 masks of all cells, only while a process is running (prepare/masks.py)
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cytoform.base.digest import folder_sha256
from cytoform.base.files import write_atomically
from cytoform.base.system import rename, sync_disks
from cytoform.base.unfinished import Unfinished, remove_strays
from cytoform.prepare.masks import Masks
from cytoform.shapes.store import ShapeSequence, ShapeStore


class PartialStore(Unfinished):
    """The hidden folder of an unfinished store."""

    @property
    def store(self) -> Path:
        """The unfinished store."""
        return self.folder / self.out.name

    def plan(self) -> dict[str, Any] | None:
        """The plan of an interrupted call; None if there is nothing to continue."""
        plan = super().plan() if self.store.is_dir() else None
        return plan if plan is not None and {"store", "replaces"} <= set(plan) else None

    @contextlib.contextmanager
    def keeping_masks(self) -> Iterator[Masks]:
        """A folder for masks: empty when the block begins, deleted when it ends."""
        folder = self.folder / "masks"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            yield Masks(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def clear(self) -> None:
        """Delete the unfinished store of an earlier call."""
        self.give_up()
        for folder in (self.store, self.folder / "frames"):
            shutil.rmtree(folder, ignore_errors=True)

    def n_frames(self) -> int:
        """Number of complete frames of all sequences."""
        return sum(record.name.isdecimal() for record in (self.folder / "frames").glob("*/*"))

    def has(self, name: str, frame: int) -> bool:
        """Whether a frame is complete. Compares its bytes: a power cut may lose the files written last."""
        try:
            return self._record(name, frame).read_bytes() == self._digest(name, frame).encode()
        except OSError:
            return False

    @contextlib.contextmanager
    def writing(self, name: str, frame: int) -> Iterator[ShapeSequence]:
        """Delete the files of a frame, and record it as complete when the block ends."""
        self._record(name, frame).unlink(missing_ok=True)
        for folder in self._chunks(name, frame):
            shutil.rmtree(folder, ignore_errors=True)
        yield ShapeStore.open(self.store, writable=True)[name]
        self._record(name, frame).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._record(name, frame), self._digest(name, frame).encode())

    def discard(self, name: str) -> None:
        """Delete a sequence."""
        shutil.rmtree(self.store / name)

    def finish(self) -> None:
        """Move the store to its final place, replacing an older one."""
        self.put_in_place(self.store)

    def finish_into(self, store: ShapeStore, news: dict[str, Any]) -> None:
        """Move the sequences into an existing store and update its attributes with `news`."""
        sync_disks()
        for name in ShapeStore.open(self.store).names:
            rename(self.store / name, store.path / name)
        remove_strays(store.path)
        store.note(news)
        self.give_up()

    def _record(self, name: str, frame: int) -> Path:
        return self.folder / "frames" / name / str(frame)

    def _chunks(self, name: str, frame: int) -> list[Path]:
        return [self.store / name / array / "c" / str(frame) for array in ("sdf", "labels/mask/0")]

    def _digest(self, name: str, frame: int) -> str:
        return " ".join(folder_sha256(folder) for folder in self._chunks(name, frame))
