"""Attacks by damaged shape stores, through every command that reads one."""

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import zarr
from damage import any_file, cut, flip, hostile_text, mutate_json, other_thing, remove
from fixtures import SCENE, SMALL_RUN
from place import Attack, Place

from cytoform.shapes.grid import Grid
from cytoform.shapes.store import SequenceInfo, ShapeStore

STORE = "shapes.zarr"
READERS = (
    "info shapes.zarr",
    "train shapes.zarr --preset linear --workers 1 --out new",
    f"train shapes.zarr --preset quick {SMALL_RUN} --workers 1 --out new",
    "evaluate shapes.zarr made.zarr --workers 1 --out new",
    "evaluate made.zarr shapes.zarr --workers 1 --out new",
    "view shapes.zarr --workers 1 --out new.html",
    "view made.zarr --against shapes.zarr --workers 1 --out new.html",
    "movie shapes.zarr --size 160 120 --workers 1 --out new.gif",
    "movie shapes.zarr --size 160 120 --workers 1 --out new",
    "export shapes.zarr --to masks --out new",
    "export shapes.zarr --to meshes --out new",
    "export shapes.zarr --to points --points 64 --out new",
    "export shapes.zarr --to ctc --out new",
    "export shapes.zarr --to h5 --out new",
    "protrusions shapes.zarr --radius 1 --workers 1 --out new",
    "texture render optics.toml shapes.zarr --workers 1 --out new",
    "fit run shapes.zarr --steps 2 --grid 16 --frames 2 --out new.zarr",
    f"benchmark shapes.zarr {SCENE} --texture none --out new",
)
SLOW = ("evaluate", "latent", "train shapes.zarr --preset linear")  # seconds
OF_MASKS = ("--to masks --out new", "--to ctc --out new")
# These read every distance; the others may not see a damaged one.
READ_ALL = tuple(
    words
    for words in READERS
    if words.startswith(("export", "view s", "evaluate s", "movie s", "protrusions")) and not words.endswith(OF_MASKS)
)
# Descriptions that change no result, or are there for other programs.
SPARED = ("options", "sources", "source", "command", "details", "version", "left_out", "failed", "remark")


def pick(random: Random, readers: tuple[str, ...] = READERS) -> str:
    """One of these commands; a slow one rarely."""
    quick = tuple(words for words in readers if not words.startswith(SLOW))
    return random.choice(quick if random.random() < 0.93 else readers)


def damaged_field(place: Place, random: Random) -> None:
    """One value of a zarr.json is of a wrong kind."""
    store = place.copy(STORE)
    path = random.choice(sorted(store.rglob("zarr.json")))
    place.about = f"{path.parent.name}/{mutate_json(path, random, spare=SPARED)}"
    place.read(pick(random))


def damaged_metadata(place: Place, random: Random) -> None:
    """A zarr.json that is no JSON, or hostile JSON, or no file."""
    store = place.copy(STORE)
    path = random.choice(
        [store / "zarr.json", *sorted(store.glob("*/zarr.json")), *sorted(store.glob("*/sdf/zarr.json"))]
    )
    damage = random.choice([hostile_text, cut, other_thing])
    place.about = f"{path.parent.name}/{damage(path, random)}"
    place.read(pick(random), refuses=True)


def damaged_chunk(place: Place, random: Random) -> None:
    """A chunk that is cut, or something else than a file."""
    store = place.copy(STORE)
    path = any_file(next(store.glob("*/sdf/c")).parents[1] / random.choice(["sdf/c", "labels/mask/0/c"]), random)
    damage = random.choice([cut, other_thing])
    place.about = f"chunk {path.relative_to(store)}: {damage(path, random)}"
    place.read(pick(random))


def flipped_chunk(place: Place, random: Random) -> None:
    """Bits of a chunk are flipped: there is no checksum, so a small change of the distances may pass."""
    store = place.copy(STORE)
    path = any_file(store, random)
    place.about = f"{path.relative_to(store)}: {flip(path, random)}"
    place.read(pick(random), allowed=True)


def missing_part(place: Place, random: Random) -> None:
    """A chunk, an array, or a sequence is missing."""
    store = place.copy(STORE)
    sequence = random.choice(sorted(path.parent for path in store.glob("*/zarr.json")))
    parts = (sequence, sequence / "zarr.json", sequence / "sdf", sequence / "sdf/zarr.json", sequence / "labels")
    lost = random.choice([*parts, any_file(sequence / "sdf/c", random)])
    remove(lost)
    place.about = f"{lost.relative_to(store)} is missing"
    words = pick(random)
    place.read(words, refuses=words in READ_ALL or "c" not in lost.relative_to(sequence).parts)


def wrong_distances(place: Place, random: Random) -> None:
    """Distances that are NaN, infinite, or beyond the band."""
    store = place.copy(STORE)
    sequence = random.choice(sorted(path.parent for path in store.glob("*/zarr.json")))
    array: Any = zarr.open_array(sequence / "sdf", mode="r+")
    value = random.choice([np.nan, np.inf, -np.inf, 60000.0, -60000.0])
    middle = slice(6, 6 + random.choice([1, 4]))
    array[random.randrange(array.shape[0]), middle, middle, middle] = value
    place.about = f"distances of {sequence.name} are {value}"
    place.read(pick(random, READ_ALL), refuses=True)


def huge_claims(place: Place, random: Random) -> None:
    """Shapes, frames, chunks and grids that would take all memory."""
    store = place.copy(STORE)
    sequence = random.choice(sorted(path.parent for path in store.glob("*/zarr.json")))
    huge = random.choice([10**5, 10**9, 10**18])
    claim = random.choice(["frames", "grid", "chunks", "grid everywhere"])
    if claim == "frames":
        _change(sequence, huge, ("attributes", "cytoform", "n_frames"))
        for array in ("sdf", "labels/mask/0"):
            _change(sequence / array, huge, ("shape", 0))
    elif claim == "chunks":
        for array in ("sdf", "labels/mask/0"):
            _change(sequence / array, [1, huge, huge, huge], ("chunk_grid", "configuration", "chunk_shape"))
    else:
        _change(store, huge, ("attributes", "cytoform", "grid"))
        for array in ("sdf", "labels/mask/0") if claim == "grid everywhere" else ():
            _change(sequence / array, [3, huge, huge, huge], ("shape",))
    place.about = f"{claim} of {huge}"
    place.read(pick(random), refuses=True)


def _change(folder: Path, value: Any, keys: tuple[Any, ...]) -> None:
    tree = json.loads((folder / "zarr.json").read_text())
    inner = tree
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    (folder / "zarr.json").write_text(json.dumps(tree))


def odd_store(place: Place, random: Random) -> None:
    """Stores without sequences, of one frame, with empty and with full frames, of tiny cells: right or refused."""
    store = ShapeStore.create(place.folder / STORE, Grid(16, 8.0), band_um=3.0, attributes={"command": "prepare"})
    frames = random.choice([0, 1, 1, 2])
    kinds = [random.choice(["empty", "full", "voxel", "ball", "slab"]) for _ in range(frames)]
    if frames:
        sequence = store.add(SequenceInfo("a", frames, random.choice([None, 1e-9, 60.0, 1e9])))
        z, y, x = np.indices((16, 16, 16)) - 7.5
        ball = np.sqrt(z**2 + y**2 + x**2) - 4
        shapes = {"empty": ball * 0 + 3, "full": ball * 0 - 3, "voxel": ball + 3.2, "ball": ball, "slab": np.abs(z) - 2}
        for frame, kind in enumerate(kinds):
            sequence.write(frame, shapes[kind].clip(-3, 3).astype(np.float32))
    place.about = f"frames {kinds}"
    place.read(pick(random), allowed=True)


def named_oddly(place: Place, random: Random) -> None:
    """A sequence with a name that is no part of a path or has control characters."""
    store = place.copy(STORE)
    sequence = random.choice(sorted(path.parent for path in store.glob("*/zarr.json")))
    name = random.choice(["a\nb", "a\x1b[31mb", "__x", "\u202eb", "a\x00b"[:1] + "\x7f", "b" * 201, "a\\b", "\udcff"])
    sequence.rename(store / name)
    place.about = f"a sequence named {name[:20]!r}"
    place.read(pick(random), refuses=True)


def foreign_store(place: Place, random: Random) -> None:
    """Something else where a store is expected: a run, a file, a movie, an empty folder, a Zarr array of others."""
    kind = random.choice(["run", "masks", "optics.toml", "view.html", "empty", "zarr", "report", "movies"])
    if kind == "empty":
        (place.folder / STORE).mkdir()
    elif kind == "zarr":
        zarr.create_group(place.folder / STORE).create_array("0", data=np.zeros((4, 4)))
    else:
        place.copy(kind, STORE)
    place.about = f"{kind} as a store"
    place.read(
        random.choice([each for each in READERS if each.split()[0] not in ("info", "fit", "texture", "benchmark")]),
        refuses=True,
    )


KINDS: dict[str, Attack] = {
    "store: a wrong value in zarr.json": damaged_field,
    "store: zarr.json is no JSON": damaged_metadata,
    "store: a chunk is cut": damaged_chunk,
    "store: bits are flipped": flipped_chunk,
    "store: a part is missing": missing_part,
    "store: NaN, infinity, beyond the band": wrong_distances,
    "store: claims of huge sizes": huge_claims,
    "store: empty, full, one frame": odd_store,
    "store: names of sequences": named_oddly,
    "store: something else": foreign_store,
}
