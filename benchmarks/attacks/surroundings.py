"""Attacks by odd names of files, terminals, environments, full disks and signals."""

import os
import shlex
import signal
from random import Random

from fixtures import SCENE
from place import Attack, Place
from stores import pick

NAMES = (
    "a b", "a\nb", "a'b", 'a"b', "$(touch evil)", "`touch evil`", "; touch evil", "-rf", "--out", "<b>x<", "a&b", "ünï", "💥",
    "\udcff\udcfe", "\x1b[31mred", "\u202egnp", "x" * 200, "a\tb", "#", "%s", "{}", "*", "a\\b", "~", "\x7f",
)  # fmt: skip
ENVIRONMENTS = (
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "utf-16"},
    {"PYTHONIOENCODING": "latin-1", "LC_ALL": "C"},
    {"PYTHONOPTIMIZE": "2"},
    {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"TERM": "dumb", "COLUMNS": "1"},
    {"COLUMNS": "-1", "LINES": "x"},
    {"HOME": "/none", "XDG_CACHE_HOME": "/none", "MPLCONFIGDIR": "/none"},
    {"PYTHONWARNINGS": "error"},
    {"OMP_NUM_THREADS": "x", "NUMBA_NUM_THREADS": "1"},
)
QUICK = (
    "info {store}",
    "export {store} --to masks --out {out}",
    "export {store} --to meshes --out {out}",
    "view {store} --workers 1 --out {out}.html",
    "movie {store} --size 160 120 --workers 1 --out {out}.gif",
    "movie {store} --size 160 120 --workers 1 --out {out}",
    "prepare {movies} --grid 16 --workers 1 --out {out}",
    "train {store} --preset linear --workers 1 --out {out}",
    "reconstruct {run} --grid 16 --frames 2 --out {out}",
    "generate {run} -n 1 --prior around --grid 16 --frames 2 --out {out}",
    "fit {run} {store} --steps 2 --grid 16 --frames 2 --out {out}",
    "fill {store} --every-frame 2 --workers 1 --out {out}",
    "evaluate {store} {other} --workers 1 --out {out}",
    "texture render {optics} {masks} --workers 1 --out {out}",
    "protrusions {store} --radius 1 --workers 1 --out {out}",
    f"benchmark {{store}} {SCENE} --texture none --out {{out}}",
    "import {cell} --voxel-size 0.5 --workers 1 --out {out}",
)
GOOD = {
    "store": "shapes.zarr", "other": "made.zarr", "movies": "movies", "run": "run", "optics": "optics.toml", "masks": "masks",
    "cell": "cell.h5",
}  # fmt: skip


def names(place: Place, random: Random) -> None:
    """Inputs and outputs with names that a shell, a terminal or a page could take for something else."""
    name = random.choice(NAMES)
    call = random.choice(QUICK)
    given = {
        key: str(place.copy(good, f"{name}/{key}/{name}{_ending(good)}"))
        for key, good in GOOD.items()
        if f"{{{key}}}" in call
    }
    words = [word.format(out=str(place.folder / f"{name}.new"), **given) for word in call.split()]
    place.about = f"named {name!r:.40}"
    ran = place.run(*words)
    said = ran.out + ran.error
    if any(not sign.isprintable() and sign != "\n" for sign in said):
        place.blame("silent", call, f"control characters are said: {said!r:.200}")
    for line in (line for line in ran.out.splitlines() if line.startswith("next: ")):
        if name not in ("a\nb", "\x1b[31mred", "\u202egnp", "a\tb", "\x7f", "\udcff\udcfe") and not _is_quoted(line):
            place.blame("silent", call, f"the hint cannot be pasted: {line}")
    pages = [path for path in place.folder.rglob("*.html") if "<b>x<" in path.read_text(errors="replace")]
    if pages:
        place.blame("silent", call, f"the name is markup in {pages[0].name}")


def _ending(good: str) -> str:
    return os.path.splitext(good)[1]


def _is_quoted(line: str) -> bool:
    try:
        words = shlex.split(line)
    except ValueError:
        return False
    return words[1] == "cytoform" and not {";", "touch", "&"} & set(words)


def environments(place: Place, random: Random) -> None:
    """Standard output of any encoding, Python without assertions, no home, a terminal of no width."""
    environment = random.choice(ENVIRONMENTS)
    words = pick(random)
    place.complete(words)
    place.about = str(environment)
    place.run(*shlex.split(words), environment=environment)


def full_disk(place: Place, random: Random) -> None:
    """No file can be larger than a few kilobytes, as on a full disk: one line, and nothing half written."""
    call = random.choice([each for each in QUICK if "{out}" in each])
    words = [word.format(out="new", **GOOD) for word in call.split()]
    place.complete(" ".join(words))
    size = random.choice([100, 1000, 5000, 20_000])
    place.about = f"files of at most {size} bytes"
    ran = place.run(*words, largest_file=size)
    left = [path.name for path in place.folder.iterdir() if path.name.startswith("new") and ran.status]
    if left:
        place.blame("silent", call, f"left behind {left}")


def signals(place: Place, random: Random) -> None:
    """A signal at a random moment: no output or a whole one."""
    call = random.choice([each for each in QUICK if "{out}" in each])
    words = [word.format(out="new", **GOOD) for word in call.split()]
    place.complete(" ".join(words))
    stop = random.uniform(0, 3), random.choice([signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
    place.about = f"{stop[1].name} after {stop[0]:.1f} s"
    ran = place.run(*words, stop=stop)
    if ran.status and (place.folder / "new").exists():
        place.blame("silent", call, "a stopped command left an output")
    place.run(*words, *(["--overwrite"] if (place.folder / "new").exists() else []), may_change=[place.folder / "new"])


KINDS: dict[str, Attack] = {
    "names of files": names,
    "environments": environments,
    "full disk": full_disk,
    "signals": signals,
}
