"""A folder in which commands are attacked, and the judgement of every command that runs there."""

import hashlib
import os
import re
import shlex
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from process import start, watch

HARMS = ("lost", "silent", "fault", "hang", "memory", "attack")
MEMORY_BYTES = 2_000_000_000
# Files that differ from run to run, or that record their inputs.
VARYING = re.compile(r".*(\.json|\.html|\.md|\.toml|metrics\.csv|tfevents[^/]*)")
_good_results: dict[str, dict[str, str]] = {}
_good_lock = threading.Lock()


@dataclass(frozen=True)
class Harm:
    """What a command did wrong, and the command."""

    what: str
    kind: str
    words: str

    def __str__(self) -> str:
        return f"{self.what}: {self.kind}: {self.words}"


@dataclass(frozen=True)
class Ran:
    """Outcome of a command."""

    status: int
    out: str
    error: str


@dataclass
class Place:
    """A folder for one attack. Commands run in it, and `harms` has what they did wrong."""

    folder: Path
    fixtures: Path
    kind: str
    tried: int = 0
    harms: list[Harm] = field(default_factory=list)
    about: str = ""  # what the attack did to the files, for the message

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)

    def copy(self, fixture: str, name: str | None = None) -> Path:
        """A copy of a small good file or folder."""
        target = self.folder / (name or fixture)
        target.parent.mkdir(parents=True, exist_ok=True)
        source = self.fixtures / fixture
        shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
        return target

    def read(self, words: str, *, refuses: bool = False, allowed: bool = False) -> Ran:
        """Run a command on what lies here, and on good copies of the fixtures that it names and that do not.

        It may refuse. If it does not, its output must be that of the same command on good files only, unless `allowed`.
        """
        self.complete(words)
        ran = self.run(*shlex.split(words), refuses=refuses)
        if ran.status == 0 and not (allowed or refuses) and self.results(words) != self._good(words):
            self.blame("silent", words, "another result than with whole files")
        return ran

    def results(self, words: str) -> dict[str, str]:
        """Digests of the output of a command, without what varies."""
        parts = shlex.split(words)
        if "--out" not in parts:
            return {}
        out = self.folder / parts[parts.index("--out") + 1]
        files = sorted(path for path in out.rglob("*") if path.is_file()) if out.is_dir() else [out]
        return {str(path.relative_to(self.folder)): _digest(path) for path in files if not VARYING.fullmatch(path.name)}

    def complete(self, words: str) -> None:
        """Copy the fixtures that a command names and that are not here yet."""
        for word in shlex.split(words):
            if (self.fixtures / word).exists() and not os.path.lexists(self.folder / word):
                self.copy(word)

    def _good(self, words: str) -> dict[str, str]:
        with _good_lock:
            if words not in _good_results:
                with tempfile.TemporaryDirectory() as folder:
                    good = Place(Path(folder) / "good", self.fixtures, self.kind)
                    good.complete(words)
                    good.run(*shlex.split(words))
                    _good_results[words] = good.results(words)
            return _good_results[words]

    def run(
        self,
        *arguments: object,
        refuses: bool = False,
        may_change: Collection[Path] = (),
        environment: Mapping[str, str] | None = None,
        largest_file: int | None = None,
        stop: tuple[float, signal.Signals] | None = None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> Ran:
        """Run `cytoform` with these arguments and judge it.

        It must refuse (exit status 2) if `refuses`. Paths in `may_change`, and all below them, may change or go. With an
        `environment` it runs in a fresh interpreter. No file can be larger than `largest_file` bytes, like on a full disk.
        `stop` is a time in seconds and the signal that comes then; `meanwhile` is called after the start.
        """
        self.tried += 1
        words = [str(word) for word in arguments]
        before = self._digests(may_change)
        with tempfile.TemporaryDirectory() as said:
            started = start(words, self.folder, Path(said), environment, largest_file)
            meanwhile()
            ended = watch(started, Path(said), stop)
            out, error = ((Path(said) / name).read_text(errors="replace") for name in ("out", "error"))
        ran = Ran(ended.status, out, error)
        after = self._digests(may_change)
        lost = sorted(name for name, digest in before.items() if after.get(name) != digest)
        stopped = {0, 130, -stop[1]} if stop else set()
        shown = shlex.join(words)
        if lost:
            self.blame("lost", shown, f"{lost[:3]}")
        if refuses and ran.status == 0:
            self.blame("silent", shown, "not refused")
        if ended.hung:
            self.blame("hang", shown, "")
        elif ran.status not in stopped and not _is_plain(ran):
            self.blame("fault", shown, f"status {ran.status}: {error.strip()[-400:]}")
        if ended.memory > MEMORY_BYTES:
            self.blame("memory", shown, f"{ended.memory / 1e9:.1f} GB")
        return ran

    def blame(self, what: str, words: str, why: str) -> None:
        """Note and print a harm."""
        harm = Harm(what, self.kind, f"[{self.folder.name}] {self.about}: cytoform {words[:300]}: {why}")
        self.harms.append(harm)
        print(harm, flush=True)

    def _digests(self, may_change: Collection[Path]) -> dict[str, str]:
        """Digest of every file by name; the target of a link."""
        digests = {}
        for path in self.folder.rglob("*"):
            if any(path.is_relative_to(other) for other in may_change):
                continue
            name = str(path.relative_to(self.folder))
            if path.is_symlink():
                digests[name] = os.readlink(path)
            elif path.is_file() and ".partial" not in name:
                digests[name] = _digest(path)
        return digests


Attack = Callable[[Place, Random], object]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"


def _is_plain(ran: Ran) -> bool:
    """Success without a traceback, or a refusal with one line."""
    if ran.status == 2:
        return ran.error.startswith("cytoform: ") and ran.error.count("\n") == 1
    return ran.status == 0 and "Traceback" not in ran.error
