"""A published run: its card, its archive, and what an output of it may replace."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cytoform import cli
from cytoform.errors import InputError
from cytoform.reports.models.card import About
from cytoform.reports.models.publish import publish
from cytoform.zoo.find import find_run

ABOUT = About("Growing balls", "CC0-1.0", "Analytic balls.", ("A. Nother",), ("cytoform train balls.zarr --out run",))


def test_a_folder_holds_the_run_and_its_card(trained: Path, tmp_path: Path) -> None:
    made = publish(trained, tmp_path / "model", ABOUT)
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert names == {"config.toml", "model.safetensors", "provenance.json", "metrics.csv", "MODEL_CARD.md"}
    assert made.n_files == len(names)
    card = (tmp_path / "model" / "MODEL_CARD.md").read_text("utf-8")
    for words in ('license: "CC0-1.0"', "# Growing balls", "Analytic balls.", "cytoform train balls.zarr", "A. Nother"):
        assert words in card
    assert "2 sequences of 4 frames, in a cube of 12 µm" in card
    assert "The prior of new cells was not measured." in card


def test_the_same_run_gives_the_same_archive(trained: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        publish(trained, tmp_path / folder / "model.zip", ABOUT)
    assert (tmp_path / "a" / "model.zip").read_bytes() == (tmp_path / "b" / "model.zip").read_bytes()


def test_a_card_is_one_line_where_it_is_asked_for_one(trained: Path, tmp_path: Path) -> None:
    publish(trained, tmp_path / "model", About('Balls\n---\nlicense: "x"', "CC0-1.0\nevil: 1", "a\n# b"))
    head = (tmp_path / "model" / "MODEL_CARD.md").read_text("utf-8").split("---\n")[1]
    assert [line.partition(":")[0] for line in head.splitlines()] == ["license", "library_name", "tags"]


@pytest.mark.parametrize("name", ["title", "licence", "data"])
def test_a_model_without_licence_or_origin_is_refused(name: str, trained: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"--{name}"):
        publish(trained, tmp_path / "model", About(**{**vars(ABOUT), name: " "}))
    assert list(tmp_path.iterdir()) == []


def test_only_what_was_published_is_replaced(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--title", "t", "--licence", "CC0-1.0", "--data", "d", "--overwrite"]
    for out in (tmp_path / "model.zip", tmp_path / "model"):
        command = ["publish", str(trained), "--out", str(out), *words]
        assert cli.run(command) == 0
        assert cli.run(command) == 0
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as zipped:  # a picture of ours inside makes no archive ours
        zipped.writestr("x.txt", "cytoform 0.1.0: published model")
    before = other.read_bytes()
    assert cli.run(["publish", str(trained), "--out", str(other), *words]) == 2
    assert other.read_bytes() == before
    (tmp_path / "model" / "README.md").write_text("mine")
    assert cli.run(["publish", str(trained), "--out", str(tmp_path / "model"), *words]) == 2
    assert "README.md" in capsys.readouterr().err


def test_an_unfinished_or_damaged_run_is_refused(trained: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    (run / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(InputError, match="safetensors"):
        publish(run, tmp_path / "model.zip", ABOUT)
    (run / "model.safetensors").unlink()
    with pytest.raises(InputError, match="no such file"):
        publish(run, tmp_path / "model.zip", ABOUT)
    with pytest.raises(InputError, match="no such run folder"):
        publish(tmp_path / "none", tmp_path / "model.zip", ABOUT)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_package_of_bioimageio_names_its_files_and_passes_its_own_test(trained: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    out = tmp_path / "package"
    publish(trained, out, ABOUT, bioimageio=True)
    about = json.loads((out / "rdf.yaml").read_text("utf-8"))
    tensors = {each["id"]: each for each in [*about["inputs"], *about["outputs"]]}
    sources = [about["documentation"], *about["attachments"], about["weights"]["onnx"]]
    for source in [*sources, *(each["test_tensor"] for each in tensors.values())]:
        assert hashlib.sha256((out / source["source"]).read_bytes()).hexdigest() == source["sha256"]
    values = {name: np.load(out / each["test_tensor"]["source"]) for name, each in tensors.items()}
    assert all(values[name].ndim == len(each["axes"]) for name, each in tensors.items())
    expected_um = values.pop("distance_um")
    assert set(values) == {"points_zyx_um", "time", "code"}
    (found_um,) = ReferenceEvaluator(onnx.load(out / "model.onnx")).run(None, values)
    assert found_um == pytest.approx(expected_um, abs=1e-4)
    assert "onnxruntime" in (out / "MODEL_CARD.md").read_text("utf-8")
    publish(trained, out, ABOUT, bioimageio=True, overwrite=True)


def test_the_validator_of_bioimageio_accepts_the_format(trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    spec = pytest.importorskip("bioimageio.spec")
    publish(trained, tmp_path / "package", ABOUT, bioimageio=True)
    assert spec.load_description(tmp_path / "package" / "rdf.yaml").validation_summary.status == "valid-format"
    about = json.loads((tmp_path / "package" / "rdf.yaml").read_text("utf-8"))
    about["inputs"][0]["axes"][0]["type"] = "points"
    (tmp_path / "package" / "rdf.yaml").write_text(json.dumps(about), "utf-8")
    assert spec.load_description(tmp_path / "package" / "rdf.yaml").validation_summary.status == "failed"


@pytest.mark.parametrize(
    ("run", "authors", "words"), [("zoo:mitosis", ("A",), "only networks"), (None, (), "--author")]
)
def test_what_bioimageio_cannot_hold_is_refused(
    run: str | None, authors: tuple[str, ...], words: str, trained: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnx")
    source = find_run(run) if run else trained
    with pytest.raises(InputError, match=words):
        publish(source, tmp_path / "x.zip", About("t", "CC0-1.0", "d", authors), bioimageio=True)
    assert list(tmp_path.iterdir()) == []
