"""Damage to files: values of a wrong kind in JSON and TOML, hostile texts, bytes that are cut and flipped."""

import json
import math
import os
import shutil
import struct
import tomllib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import tomli_w

# Values that no number, name or object of a file may have.
WRONG: tuple[Any, ...] = (
    None, [], {}, [[]], "", "wrong", "../../x", "a\nb", "<b>", "\x00", -1, -0.5, 1e308, -1e308, math.nan, math.inf,
    -math.inf, 10**30, -(2**63), [None] * 3, {"a": {"b": []}}, "x" * 100_000,
)  # fmt: skip
DEEP = 100_000
TEXTS: tuple[bytes, ...] = (
    b"",
    b"\x00" * 100,
    b"\xff\xfe{\x00}\x00",
    b"\xc3(",
    b"[" * DEEP,
    b'{"a":' * DEEP,
    b'{"attributes":' + b"[" * DEEP + b"]" * DEEP + b"}",
    b"a = " + b"[" * DEEP,
    b"a." * DEEP + b"a = 1",
    b"[]",
    b"null",
    b"1" * 10_000,
    b'{"a": ' + b"9" * 10_000 + b"}",
    b'"x"',
    b"<html>",
    b"{}",
    b"{" * 3,
    b"model = 1",
    b"= = =",
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all values in nested lists and dictionaries."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path] * bool(path) + [place for key, value in inner for place in places(value, (*path, key))]


def mutate(tree: Any, random: Random, *, wrong: tuple[Any, ...] = WRONG, spare: tuple[str, ...] = ()) -> str:
    """Change, remove or double one value of a tree, in place. Values named in `spare` stay. Returns what was done, in words."""
    path = random.choice([each for each in places(tree) if not set(spare) & set(map(str, each))])
    parent = tree
    for key in path[:-1]:
        parent = parent[key]
    name = ".".join(map(str, path))
    if random.random() < 0.2:
        del parent[path[-1]]
        return f"{name} removed"
    parent[path[-1]] = value = random.choice([*wrong, [parent[path[-1]]], str(parent[path[-1]])])
    return f"{name} = {value!r:.40}"


def mutate_json(path: Path, random: Random, *, spare: tuple[str, ...] = ()) -> str:
    """Damage one value of a JSON file."""
    tree = json.loads(path.read_text())
    about = mutate(tree, random, spare=spare)
    path.write_text(json.dumps(tree))
    return f"{path.name}: {about}"


def mutate_toml(path: Path, random: Random, *, spare: tuple[str, ...] = ()) -> str:
    """Damage one value of a TOML file."""
    tree = tomllib.loads(path.read_text())
    wrong = tuple(each for each in WRONG if each is not None and each != [None] * 3 and abs_fits(each))
    about = mutate(tree, random, wrong=wrong, spare=spare)
    path.write_text(tomli_w.dumps(tree))
    return f"{path.name}: {about}"


def abs_fits(value: Any) -> bool:
    """Whether TOML has such a whole number."""
    return not isinstance(value, int) or abs(value) < 2**63


def hostile_text(path: Path, random: Random) -> str:
    """A text that is no such file."""
    text = random.choice(TEXTS)
    path.write_bytes(text)
    return f"{path.name} holds {text[:20]!r} …"


def cut(path: Path, random: Random) -> str:
    """Cut a file short."""
    size = path.stat().st_size
    kept = random.randrange(size)
    os.truncate(path, kept)
    return f"{path.name} cut to {kept} of {size} bytes"


def flip(path: Path, random: Random) -> str:
    """Flip bits."""
    data = bytearray(path.read_bytes())
    for _ in range(random.choice([1, 1, 3, 20])):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    path.write_bytes(data)
    return f"{path.name} has flipped bits"


def other_thing(path: Path, random: Random) -> str:
    """Something else than a file: a folder, a pipe, a link to nowhere, to itself or to a device; or nothing."""
    path.unlink()
    makers: dict[str, Callable[[], object]] = {
        "a folder": path.mkdir,
        "a pipe": lambda: os.mkfifo(path),
        "a link to nowhere": lambda: path.symlink_to("nowhere"),
        "a link to itself": lambda: path.symlink_to(path.name),
        "a link to zeros": lambda: path.symlink_to("/dev/zero"),
        "nothing": lambda: None,
    }
    name = random.choice(list(makers))
    makers[name]()
    return f"{path.name} is {name}"


def mutate_safetensors(path: Path, random: Random) -> str:
    """Damage one value of the header of a safetensors file, or of the JSON in its metadata."""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    where = random.choice(["header", "cytoform", "learned"])
    note = json.loads(header["__metadata__"]["cytoform"])
    if where == "learned" and "learned" in note:
        learned = json.loads(note["learned"])
        about = mutate(learned, random)
        note["learned"] = json.dumps(learned)
    elif where == "header":
        about = mutate(header, random, spare=("cytoform",))
    else:
        about = mutate(note, random)
    if "cytoform" in header.get("__metadata__") or {}:
        header["__metadata__"]["cytoform"] = json.dumps(note)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])
    return f"{path.name} {where}: {about}"


def any_file(folder: Path, random: Random) -> Path:
    """A file below a folder."""
    return random.choice(sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size))


def remove(path: Path) -> None:
    """Remove a file or folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
