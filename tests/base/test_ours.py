"""What may be deleted is recognised by its content."""

import json
import os
from pathlib import Path

import pytest
from tiny import write_balls

from cytoform.base.files import write_json
from cytoform.base.ours import list_files, why_not_ours


def test_a_store_is_ours_and_nothing_else_in_it(tmp_path: Path) -> None:
    store = write_balls(tmp_path / "s.zarr")
    assert why_not_ours(store) is None
    (store / "zarr.0123456789abcdef0123456789abcdef.partial").touch()  # of a killed process
    (store / ".DS_Store").touch()
    assert why_not_ours(store) is None
    (store / "a" / "notes.txt").write_text("mine")
    assert why_not_ours(store) == "holds a/notes.txt, which cytoform did not write"


def test_a_run_is_ours_finished_or_not(trained: Path, tmp_path: Path) -> None:
    import shutil

    run = Path(shutil.copytree(trained, tmp_path / "run"))
    assert why_not_ours(run) is None
    (run / "model.safetensors").unlink()
    (run / ".model.safetensors.partial-17").touch()
    (run / "samples").mkdir()
    (run / "samples" / "samples.npy").touch()
    (run / ".choice.partial-x1" / "around-None.zarr").mkdir(parents=True)
    (run / ".choice.partial-x1" / "around-None.zarr" / "zarr.json").touch()
    assert why_not_ours(run) is None
    (run / "generated.zarr").mkdir()
    (run / "generated.zarr" / "zarr.json").write_text("{}")
    assert why_not_ours(run) == "holds generated.zarr/zarr.json, which cytoform did not write"


def test_an_output_lists_its_files(tmp_path: Path) -> None:
    for name in ("tables/a.csv", "b.zarr/zarr.json", "b.zarr/x/c/0/1", "b.zarr/notes.txt", "02_GT/SEG/t.tif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    write_json(tmp_path / "provenance.json", {"command": "cytoform export"})
    assert why_not_ours(tmp_path) == "was not written by cytoform"
    list_files(tmp_path)
    listed = json.loads((tmp_path / "provenance.json").read_text())
    assert listed["files"] == ["02_GT/SEG/t.tif", "b.zarr/", "b.zarr/notes.txt", "tables/a.csv"]
    assert listed["command"] == "cytoform export"
    assert why_not_ours(tmp_path) is None
    (tmp_path / "b.zarr" / "x" / "c" / "0" / "2").touch()
    assert why_not_ours(tmp_path) is None
    (tmp_path / "tables" / "corrected.csv").touch()
    assert why_not_ours(tmp_path) == "holds tables/corrected.csv, which cytoform did not write"


FOREIGN = {
    "empty provenance": {"provenance.json": "{}"},
    "a list": {"provenance.json": "[]"},
    "not JSON": {"provenance.json": "\udcff"},
    "deep JSON": {"provenance.json": "[" * 100_000},
    "names without a maker": {"provenance.json": '{"files": ["thesis.tex"]}'},
    "a maker without names": {"provenance.json": '{"written_by": "cytoform 0.1.0", "files": 3}'},
    "foreign configuration": {"config.toml": "[training]\nepochs = 3\n"},
    "a configuration that is none": {"config.toml": "[", "provenance.json": '{"versions": {"cytoform": "0.1.0"}}'},
    "foreign Zarr": {"zarr.json": '{"attributes": {"ome": {}}, "node_type": "group"}'},
    "Zarr with our name": {"zarr.json": '{"attributes": {"cytoform": "shapes"}}'},
    "no file of ours": {"results.json": '{"a": 1}'},
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_folder_of_someone_else_is_not_ours(tmp_path: Path, kind: str) -> None:
    for name, text in FOREIGN[kind].items():
        (tmp_path / name).write_text(text, errors="surrogateescape")
    (tmp_path / "thesis.tex").write_text("years of work")
    assert why_not_ours(tmp_path) == "was not written by cytoform"


@pytest.mark.parametrize(
    ("start", "ours"),
    [
        ("", True),
        ("<!doctype html><p>hello</p><footer>Written by cytoform 0.1.0</footer>", True),
        ("<!doctype html><p>Written by cytoform 0.1.0</p>", False),
        ("I have Written by cytoform 0.1.0", False),
        ("# Written by cytoform 0.1.0\n[camera]\n", True),
        ("[camera]\n", False),
        ('{\n  "provenance": {"versions": {"cytoform": "0.1.0"}}}', True),
        ('{\n  "versions": 3}', False),
        ("GIF89a…cytoform 0.1.0: shapes.zarr, 1 µm is 3 pixels", True),
        ("GIF89a…made by hand", False),
    ],
)
def test_a_file_is_ours_by_its_mark(tmp_path: Path, start: str, ours: bool) -> None:
    path = tmp_path / "file"
    path.write_text(start, "utf-8")
    assert (why_not_ours(path) is None) == ours


def test_what_is_no_file_is_not_ours(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert why_not_ours(tmp_path / "fifo") == "is neither a file nor a folder"
    assert why_not_ours(tmp_path / "link") == "is a link"
    assert why_not_ours(Path("/dev/null")) == "is neither a file nor a folder"
    (tmp_path / "empty").mkdir()
    assert why_not_ours(tmp_path / "empty") is None
