"""The one rule for outputs: where a command may write, what it may replace, and when.

- An output is never an input, around an input or inside one, whatever links and names lead there.
- Without --overwrite its name must be free, at the start and at the end.
- With --overwrite it may replace what cytoform wrote and nothing else (ours.py). That is decided by content, at the start and
  again at the end.
- One process at a time makes an output: it holds the lock of the hidden folder beside it.
- It is built in that folder, and takes its name when it is complete. Until then an older one is untouched.

.NAME.partial/
  lock         held by the process
  new/NAME     the output while it is built
  replaced     the older one, about to be deleted
"""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cytoform.base.locks import lock
from cytoform.base.ours import list_files, why_not_ours
from cytoform.base.renames import exchange, rename_new
from cytoform.base.system import rename
from cytoform.errors import InputError

OutputT = TypeVar("OutputT", bound="Output")
LOCK, PLAN, REPLACED = "lock", "plan.json", "replaced"


@dataclass(frozen=True)
class Output:
    """A place to write to. Workers get copies; only the process with the lock renames files."""

    out: Path
    inputs: tuple[Path, ...]
    overwrite: bool
    # Hidden, beside the output; absolute, for workers on other machines.
    folder: Path

    @classmethod
    def at(cls: type[OutputT], out: Path, *, inputs: Sequence[Path | str | None], overwrite: bool) -> OutputT:
        """The output `out` of a command that reads `inputs`; None, and names of no file, are left out."""
        whole = Path(os.path.abspath(out))
        given = tuple(Path(os.path.abspath(path)) for path in inputs if path is not None)
        return cls(Path(out), given, overwrite, whole.with_name(f".{whole.name}.partial") if whole.name else whole)

    def check(self, *, resume: bool = False) -> None:
        """Raise InputError if the output may not be written; with `resume`, what stands there does not matter."""
        parent = self.folder.parent
        if self._whole == parent:
            raise InputError(f"{self.out}: the root of all folders; choose another --out")
        if not parent.is_dir():
            raise InputError(f"{self.out.parent}: no such folder; create it first")
        if not os.access(parent, os.W_OK):
            raise InputError(f"{self.out.parent}: not writable; choose another --out")
        self._refuse_inputs()
        if not resume:
            self.refuse_existing()

    def refuse_existing(self) -> None:
        """Raise InputError if something stands at the output that may not be replaced."""
        if not os.path.lexists(self.out):
            return
        if not self.overwrite:
            raise InputError(f"{self.out} exists; pass --overwrite to replace it, or choose another --out")
        if reason := why_not_ours(self._whole):
            raise InputError(f"{self.out} {reason}, so --overwrite does not replace it; choose another --out")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of this output, and remove at the end what cannot be resumed.

        Raises InputError if another process holds it. An older output that a killed process had moved aside returns.
        """
        if os.path.lexists(self.folder) and not self._is_work():
            raise InputError(f"{self.folder}: needed for {self.out}, but not written by cytoform; move it elsewhere")
        busy = f"{self.out}: another process is making it; wait until it has ended"
        with _removed_if_empty(self.folder), lock(self.folder / LOCK, busy=busy):
            if os.path.lexists(self.folder / REPLACED) and not os.path.lexists(self.out):
                rename(self.folder / REPLACED, self.out)
            self._tidy()
            try:
                yield
            finally:
                self._tidy()

    @contextlib.contextmanager
    def staged(self, *, folder: bool = True) -> Iterator[Path]:
        """Yield an empty folder, or the name of a file, to write to. It becomes the output at the end of the block.

        On any exception (a full disk, Ctrl-C) it is removed, and an older output stays as it is. Raises InputError.
        """
        self.check()
        with self.locked(), self.built(folder=folder) as new:
            yield new

    @contextlib.contextmanager
    def built(self, *, folder: bool = True) -> Iterator[Path]:
        """As `staged`, for a command that holds the lock already: what else it writes to the hidden folder is removed."""
        new = self.folder / "new" / self._whole.name
        new.parent.mkdir()
        if folder:
            new.mkdir()
        yield new
        self.place(new)

    def place(self, new: Path) -> None:
        """Give a complete output its name, in exchange for an older one. Raises InputError where the rule forbids it."""
        if new.is_dir():
            list_files(new)
        try:
            rename_new(new, self._whole)
            return
        except FileExistsError:
            self.refuse_existing()
        old = self.folder / REPLACED
        self._exchange(new, old)
        if reason := why_not_ours(old):  # it was changed since the look before
            self._exchange(old, new)
            raise InputError(f"{self.out} {reason}, so --overwrite does not replace it; choose another --out")

    def _exchange(self, new: Path, old: Path) -> None:
        """Put `new` at the output, and what stands there at `old`."""
        if exchange(new, self._whole):
            rename(new, old)
            return
        rename(self._whole, old)
        try:
            rename_new(new, self._whole)
        except OSError:
            rename(old, self._whole)
            raise

    def _refuse_inputs(self) -> None:
        own = _with_folders_around(self._whole)
        inputs = list(self.inputs)
        if os.path.lexists(self.out):
            inputs += [link for given in self.inputs for link in _links(given)]
        for given in filter(Path.exists, inputs):
            around = _with_folders_around(given)
            if around[0] in own:
                raise InputError(f"{self.out} is the input {given} or lies inside it; choose another --out")
            if self._whole.exists() and own[0] in around:
                raise InputError(f"{self.out} holds the input {given}; choose another --out")

    def _tidy(self) -> None:
        """Remove an output in the making and one that was replaced, and everything else if there is no plan."""
        resumable = (self.folder / PLAN).exists()
        for path in (self.folder / "new", self.folder / REPLACED) if resumable else list(self.folder.iterdir()):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != LOCK:
                path.unlink(missing_ok=True)

    def _is_work(self) -> bool:
        """Whether the hidden folder is ours: empty, or with a lock or a plan."""
        if self.folder.is_symlink() or not self.folder.is_dir():
            return False
        names = set(os.listdir(self.folder))
        return not names or LOCK in names or PLAN in names

    @property
    def _whole(self) -> Path:
        """The absolute path of the output."""
        name = self.folder.name
        return self.folder.with_name(name[1:].removesuffix(".partial")) if name else self.folder


@contextlib.contextmanager
def _removed_if_empty(folder: Path) -> Iterator[None]:
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # there is something to resume, or another process is next
            folder.rmdir()


def _with_folders_around(path: Path) -> list[tuple[int, int]]:
    """Device and number of a file, then of every folder around it; a missing file is left out."""
    found = []
    real = Path(os.path.realpath(path))
    for place in (real, *real.parents):
        with contextlib.suppress(OSError):
            status = os.stat(place)
            found.append((status.st_dev, status.st_ino))
    return found


def _links(folder: Path) -> Iterator[Path]:
    """The targets of all links below a folder."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(place, name)
            if os.path.islink(path):
                yield Path(os.path.realpath(path))
