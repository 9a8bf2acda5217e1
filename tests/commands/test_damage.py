"""Damaged stores and runs, through every command that reads them: right or refused with one line, and nothing is lost."""

import contextlib
import io
import json
import shutil
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tiny import SMALL

from cytoform import cli

RENDER = "--grid 16 --frames 2"
SCENE = "--cells 2 --frames 2 --size 24 48 48 --voxel-size 0.5 0.5 0.5 --leave none --texture none --workers 1"
SET = " ".join(f"--set {setting.replace(' ', '')}" for setting in [*SMALL, "training.epochs=1"])
OF_STORE = (
    "info balls.zarr",
    "export balls.zarr --to masks --out new",
    "export balls.zarr --to meshes --out new",
    "export balls.zarr --to points --points 64 --out new",
    "export balls.zarr --to ctc --out new",
    "export balls.zarr --to h5 --out new",
    "view balls.zarr --workers 1 --out new.html",
    "movie balls.zarr --size 160 120 --workers 1 --out new.gif",
    "fill balls.zarr --every-frame 2 --workers 1 --out new.zarr",
    "protrusions balls.zarr --radius 1 --workers 1 --out new",
    f"fit run balls.zarr --steps 1 {RENDER} --out new.zarr",
    f"benchmark balls.zarr {SCENE} --out new",
    f"train balls.zarr --preset quick {SET} --workers 1 --out new",
)
OF_RUN = (
    "info run",
    f"reconstruct run {RENDER} --out new.zarr",
    f"generate run -n 1 {RENDER} --out new.zarr",
    f"generate run -n 1 --prior covariance {RENDER} --out new.zarr",
    f"interpolate run --from a --to b --steps 2 {RENDER} --out new.zarr",
    f"fit run balls.zarr --steps 1 {RENDER} --out new.zarr",
    f"benchmark run {SCENE} --out new",
)
SLOW = (
    "train balls.zarr --preset linear --workers 1 --out new",
    "evaluate balls.zarr others.zarr --workers 1 --out new",
    f"latent run --components 1 {RENDER} --out new",
)
WRONG: tuple[Any, ...] = (
    None, [], {}, "", "wrong", "../../x", "a\nb", -1, 0.5, 1e308, float("nan"), float("inf"), 10**30, [None] * 3, {"a": []},
)  # fmt: skip
TEXTS = (
    b"",
    b"{",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"a." * 100_000 + b"a = 1",
    b"\xff\xfe",
    b"[]",
    b"null",
    b"9" * 10_000,
)
# Smaller examples would take minutes to find, and tell no more.
QUIET = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)


@pytest.fixture(scope="module")
def inputs(trained: Path, balls: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    for source, name in ((balls, "balls.zarr"), (balls, "others.zarr"), (trained, "run")):
        shutil.copytree(source, folder / name)
    return folder


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all values in nested lists and dictionaries."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path] * bool(path) + [place for key, value in inner for place in places(value, (*path, key))]


def change(tree: Any, data: st.DataObject) -> Any:
    """One value of the tree is another, or gone."""
    *path, last = data.draw(st.sampled_from(places(tree)))
    parent = tree
    for key in path:
        parent = parent[key]
    if data.draw(st.integers(0, 4)) == 0:
        del parent[last]
    else:
        parent[last] = data.draw(st.sampled_from([*WRONG, [parent[last]], str(parent[last])]))
    return tree


def change_json(content: bytes, data: st.DataObject) -> bytes:
    return json.dumps(change(json.loads(content), data)).encode()


def change_header(content: bytes, data: st.DataObject) -> bytes:
    """The header of a safetensors file, or the JSON in its metadata."""
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    if data.draw(st.booleans()):
        change(header, data)
    else:
        note = json.loads(header["__metadata__"]["cytoform"])
        if "learned" in note and data.draw(st.booleans()):
            note["learned"] = json.dumps(change(json.loads(note["learned"]), data))
        else:
            change(note, data)
        header["__metadata__"]["cytoform"] = json.dumps(note)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + size :]


def cut(content: bytes, data: st.DataObject) -> bytes:
    return content[: data.draw(st.integers(0, max(len(content) - 1, 0)))]


def flip(content: bytes, data: st.DataObject) -> bytes:
    found = bytearray(content)
    for place in data.draw(st.lists(st.integers(0, max(8 * len(content) - 1, 0)), min_size=1, max_size=8)):
        if found:
            found[place // 8] ^= 1 << place % 8
    return bytes(found)


def other_text(_: bytes, data: st.DataObject) -> bytes:
    return data.draw(st.sampled_from(TEXTS))


STRUCTURED: dict[str, Callable[[bytes, st.DataObject], bytes]] = {".json": change_json, ".safetensors": change_header}


def damage(path: Path, data: st.DataObject) -> None:
    """Damage one file."""
    how = data.draw(st.sampled_from(["structure", "structure", "cut", "flip", "text", "gone"]))
    if how == "gone":
        path.unlink()
        return
    ways = {"cut": cut, "flip": flip, "text": other_text, "structure": STRUCTURED.get(path.suffix, flip)}
    path.write_bytes(ways[how](path.read_bytes(), data))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def read_damaged(inputs: Path, damaged: str, commands: tuple[str, ...], data: st.DataObject) -> None:
    """Damage one file of an input, and run one command: it gives an output, or one line and no output."""
    with tempfile.TemporaryDirectory() as room, contextlib.chdir(room):
        here = Path(shutil.copytree(inputs, Path(room) / "here"))
        files = sorted(path for path in (here / damaged).rglob("*") if path.is_file() and "tfevents" not in path.name)
        # Settings and metadata are a hundred times as small as data, and hold as many faults.
        telling = [path for path in files if path.suffix] * (1 + len(files) // 4)
        damage(data.draw(st.sampled_from([*files, *telling])), data)
        words, before = data.draw(st.sampled_from(commands)), contents(here)
        with (
            contextlib.chdir(here),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()) as error,
        ):
            status = cli.run(words.split())
        # The work that was done until then stays for --resume, hidden.
        said = error.getvalue()
        after = {name: content for name, content in contents(here).items() if ".partial/" not in name}
        assert {name: after.get(name) for name in before} == before, words
        assert status in (0, 2), f"{words}: {said}"
        if status == 2:
            assert said.startswith("cytoform: "), words
            assert said.count("\n") == 1, said
            assert after == before, words


@settings(QUIET, max_examples=15)
@given(st.data())
def test_a_damaged_store(inputs: Path, data: st.DataObject) -> None:
    read_damaged(inputs, "balls.zarr", OF_STORE, data)


@settings(QUIET, max_examples=15)
@given(st.data())
def test_a_damaged_run(inputs: Path, data: st.DataObject) -> None:
    read_damaged(inputs, "run", OF_RUN, data)


@pytest.mark.long
@settings(QUIET, max_examples=120)
@given(st.data())
def test_many_damaged_stores(inputs: Path, data: st.DataObject) -> None:
    read_damaged(inputs, "balls.zarr", (*OF_STORE, *SLOW[:2]), data)


@pytest.mark.long
@settings(QUIET, max_examples=120)
@given(st.data())
def test_many_damaged_runs(inputs: Path, data: st.DataObject) -> None:
    read_damaged(inputs, "run", (*OF_RUN, SLOW[2]), data)
