"""Attacks by the place that an output is given, and by what else happens there."""

import contextlib
import itertools
import os
import shlex
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from fixtures import SCENE, SMALL_RUN
from place import Attack, Place

from cytoform.base.locks import lock

# Every command that writes, without --out; its inputs are fixtures.
WRITERS = {
    "simulate": "simulate mitosis --cells 1 --frames 2 --voxel-size 1 1 1 --no-report --workers 1",
    "prepare": "prepare movies --grid 16 --workers 1",
    "train": f"train shapes.zarr --preset quick {SMALL_RUN} --workers 1",
    "train linear": "train shapes.zarr --preset linear --workers 1",
    "reconstruct": "reconstruct run --grid 16 --frames 2",
    "generate": "generate run -n 1 --prior around --grid 16 --frames 2",
    "interpolate": "interpolate run --from movies_01_00001 --to movies_02_00001 --grid 16 --frames 2",
    "fit": "fit run shapes.zarr --steps 2 --grid 16 --frames 2",
    "latent": "latent run --components 1 --grid 16 --frames 2",
    "evaluate": "evaluate shapes.zarr made.zarr --workers 1",
    "export": "export shapes.zarr --to masks",
    "view": "view shapes.zarr --against made.zarr --workers 1",
    "movie": "movie shapes.zarr --size 160 120 --workers 1",
    "pictures": "movie shapes.zarr --size 160 120 --workers 1",
    "protrusions": "protrusions shapes.zarr --radius 1 --workers 1",
    "benchmark": f"benchmark shapes.zarr {SCENE} --texture optics.toml",
    "import": "import cell.h5 --voxel-size 0.5 --workers 1",
    "texture calibrate": "texture calibrate discs --voxel-size 1 0.5 0.5",
    "texture render": "texture render optics.toml masks --workers 1",
}
ENDINGS = {"view": ".html", "movie": ".gif", "texture calibrate": ".toml"}


def _given(place: Place, random: Random, *, inputs: bool = False) -> tuple[str, list[str]]:
    """A command and its words; with `inputs`, one that reads something."""
    name = random.choice([each for each in WRITERS if not (inputs and each == "simulate")])
    place.complete(WRITERS[name])
    place.about = name
    return name, shlex.split(WRITERS[name])


def _inputs(place: Place, words: list[str]) -> list[Path]:
    given = [word for before, word in itertools.pairwise(words) if before not in ("--to", "--preset")]
    return [place.folder / word for word in given if (place.fixtures / word).exists()]


def output_is_input(place: Place, random: Random) -> None:
    """`--out` is an input: by its path, by its name, with dots, or through a link."""
    _, words = _given(place, random, inputs=True)
    given = random.choice(_inputs(place, words))
    (place.folder / "link").symlink_to(given.name)
    (place.folder / "here").symlink_to(".")
    out = random.choice(
        [given, given.name, f"./{given.name}/.", f"here/{given.name}", "link", f"{place.folder.name}/../{given.name}"]
    )
    place.run(*words, "--out", out, "--overwrite", refuses=True)


def output_holds_input(place: Place, random: Random) -> None:
    """`--out` names a folder around an input, or the folder in which the command runs."""
    _, words = _given(place, random, inputs=True)
    out = random.choice([place.folder, ".", "..", "/", place.folder.parent, "a/.."])
    (place.folder / "a").mkdir()
    place.run(*words, "--out", out, "--overwrite", refuses=True)


def output_inside_input(place: Place, random: Random) -> None:
    """`--out` names a new place or a file inside an input."""
    name, words = _given(place, random, inputs=True)
    given = random.choice([each for each in _inputs(place, words) if each.is_dir()] or _inputs(place, words))
    inside = list(given.rglob("*")) if given.is_dir() else []
    out = random.choice([given / f"new{ENDINGS.get(name, '')}", *inside, given / ".." / given.name / "new"])
    place.run(*words, "--out", out, "--overwrite", refuses=True)


def foreign_folder(place: Place, random: Random) -> None:
    """A folder of a user with a file named like one of ours."""
    name, words = _given(place, random)
    theirs = place.folder / f"theirs{ENDINGS.get(name, '')}"
    theirs.mkdir()
    mark = random.choice(
        ["config.toml", "zarr.json", "provenance.json", "results.json", "report.html", "man_track.txt"]
    )
    (theirs / mark).write_text(
        random.choice(["", "{}", "a = 1", "[training]\n", '{"cytoform": 1}', '{"command": "cytoform train"}'])
    )
    (theirs / "thesis.tex").write_text("years of work")
    place.run(*words, "--out", theirs, *random.choice([[], ["--overwrite"]]), refuses=True)


def ours_with_theirs(place: Place, random: Random) -> None:
    """An output of cytoform in which a user has kept a file or a link."""
    name, words = _given(place, random)
    fixture = random.choice(["shapes.zarr", "run", "report", "scene", "masks", "latent", "texture", "movies", "linear"])
    theirs = place.copy(fixture, f"theirs{ENDINGS.get(name, '')}")
    inner = random.choice([theirs, *[path for path in theirs.rglob("*") if path.is_dir()]])
    add: Callable[[Path], object] = random.choice(
        [lambda path: path.write_text("years"), lambda path: path.symlink_to(place.folder), os.mkfifo]
    )
    add(inner / random.choice(["notes.txt", "thesis.tex", "model.bak", "config.toml.old", "data.csv"]))
    place.run(*words, "--out", theirs, "--overwrite", refuses=True)


def foreign_file(place: Place, random: Random) -> None:
    """A file, a link, a pipe or a device of a user."""
    name, words = _given(place, random)
    theirs = place.folder / f"theirs{ENDINGS.get(name, '')}"
    kind = random.choice(["text", "html", "toml", "gif", "link", "broken link", "pipe", "null"])
    (place.folder / "elsewhere").mkdir()
    (place.folder / "elsewhere/thesis.tex").write_text("years of work")
    makers: dict[str, Callable[[], object]] = {
        "text": lambda: theirs.write_text("years of work"),
        "html": lambda: theirs.write_text("<!doctype html><p>years of work"),
        "toml": lambda: theirs.write_text("# mine\n[microscope]\n"),
        "gif": lambda: theirs.write_bytes(b"GIF89a mine"),
        "link": lambda: theirs.symlink_to("elsewhere"),
        "broken link": lambda: theirs.symlink_to("nowhere"),
        "pipe": lambda: os.mkfifo(theirs),
        "null": lambda: theirs.symlink_to("/dev/null"),
    }
    makers[kind]()
    place.about += f", {kind}"
    place.run(*words, "--out", theirs, *random.choice([[], ["--overwrite"]]), refuses=True)


def not_overwritten(place: Place, random: Random) -> None:
    """An output of cytoform stays without --overwrite, and goes with it."""
    name, words = _given(place, random)
    out = place.folder / f"new{ENDINGS.get(name, '')}"
    place.run(*words, "--out", out)
    place.run(*words, "--out", out, refuses=True)
    place.run(*words, "--out", out, "--overwrite", may_change=[out])


def appears(place: Place, random: Random) -> None:
    """A folder or file of a user appears at the output while the command works."""
    name, words = _given(place, random)
    out = place.folder / f"new{ENDINGS.get(name, '')}"

    def appear() -> None:
        time.sleep(random.choice([0, 0.05, 0.2, 0.5]))
        with contextlib.suppress(FileExistsError):
            out.mkdir()
        with contextlib.suppress(OSError):
            (out / "thesis.tex").write_text("years of work")

    ran = place.run(*words, "--out", out, *random.choice([[], ["--overwrite"]]), meanwhile=appear)
    if ran.status == 0 and out.is_dir() and (out / "thesis.tex").exists() and len(list(out.iterdir())) == 1:
        place.blame("silent", name, "it says that it wrote, but did not")
    if ran.status == 0 and name not in ("view", "movie", "texture calibrate") and not any(out.iterdir()):
        place.blame("lost", name, "the output is empty")


def being_made(place: Place, random: Random) -> None:
    """Another process is making the same output."""
    name, words = _given(place, random)
    out = place.folder / f"new{ENDINGS.get(name, '')}"
    hidden = place.folder / f".{out.name}.partial"
    hidden.mkdir()
    with lock(hidden / "lock", busy=""):
        place.run(*words, "--out", out, *random.choice([[], ["--overwrite"]]), refuses=True)


def two_at_once(place: Place, random: Random) -> None:
    """Two processes make the same output: one of them does, or both one after the other."""
    name, words = _given(place, random)
    out = place.folder / f"new{ENDINGS.get(name, '')}"
    other = Place(place.folder / "other", place.fixtures, place.kind)
    remaining = [*words, "--out", str(out)]
    second = threading.Thread(
        target=lambda: other.run(*[str(place.folder / w) if (place.folder / w).exists() else w for w in remaining])
    )
    place.run(*remaining, meanwhile=second.start, may_change=[other.folder, out])
    second.join()
    place.tried += other.tried
    place.harms += other.harms
    if not out.exists():
        place.blame("lost", name, "neither made it")


def odd_places(place: Place, random: Random) -> None:
    """Folders that are missing or not writable, names that are too long, hidden folders of users."""
    name, words = _given(place, random)
    ending = ENDINGS.get(name, "")
    out = random.choice(
        ["none/new", "x" * 250, "/dev/null", "/dev/full", "/proc/new", "new/", "", "optics.toml/new", "/"]
    )
    hidden = place.folder / ".mine.partial"
    hidden.mkdir()
    (hidden / "thesis.tex").write_text("years of work")
    out = f"mine{ending}" if random.random() < 0.2 and not ending else out + ending
    # A slash may end the name of a folder; a hidden file, and one in / or /dev, may be written by whoever may do so.
    if out not in ((ending, f"/{ending}", f"/dev/null{ending}", f"/dev/full{ending}") if ending else ("new/",)):
        place.run(*words, "--out", out, "--overwrite", refuses=True)


KINDS: dict[str, Attack] = {
    "output: is an input": output_is_input,
    "output: around an input": output_holds_input,
    "output: inside an input": output_inside_input,
    "output: a folder of others": foreign_folder,
    "output: ours with a file of others": ours_with_theirs,
    "output: a file of others": foreign_file,
    "output: with and without --overwrite": not_overwritten,
    "output: appears during the work": appears,
    "output: another process makes it": being_made,
    "output: two at once": two_at_once,
    "output: odd places": odd_places,
}
