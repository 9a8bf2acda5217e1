"""Models by name, from archives and from a server; an archive cannot do harm."""

import hashlib
import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bad_server import serve

import cytoform
from cytoform import cli
from cytoform.errors import InputError
from cytoform.reports.models.card import About
from cytoform.reports.models.publish import publish
from cytoform.zoo.archive import FILES
from cytoform.zoo.find import PackagedModel, find_run, models


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache, empty."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr("pooch.os_cache", lambda _: folder)
    return folder


@pytest.fixture(scope="module")
def archive(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("published") / "balls.zip"
    publish(trained, out, About("Growing balls", "CC0-1.0", "Analytic."))
    return out


@pytest.mark.parametrize("model", models(), ids=lambda model: model.name)
def test_packaged_models_are_small_described_and_work_offline(
    model: PackagedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("asks the network"))
    assert model.n_bytes < 1_000_000
    assert {path.name for path in model.path.iterdir()} <= set(FILES)
    text = (model.path / "MODEL_CARD.md").read_text("utf-8")
    for part in ("## Data", "## Training", "## Figures", "## Limits", "## Licence", model.licence):
        assert part in text
    cells = cytoform.load(model.name)
    assert cells.field(cells.names[0]).render(0.0, 32).inside.any()
    new = cytoform.draw(cells, 1, seed=1)[0]
    new.mesh(0.0, 0.5).write(str(tmp_path / "new.ply"))
    assert (tmp_path / "new.ply").stat().st_size > 1000


def test_there_are_packaged_models() -> None:
    names = {model.name for model in models()}
    assert {"zoo:filopodia", "zoo:mitosis", "zoo:mitosis-2d"} <= names
    assert {name: cytoform.load(name).run.learned.dimensions for name in names if name.endswith("-2d")} == {
        "zoo:mitosis-2d": 2
    }


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean zoo:mitosis"):
        find_run("zoo:mitose")


def test_other_paths_stay_as_they_are(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "movie.zip", "w") as zipped:
        zipped.writestr("zarr.json", "{}")
    for path in (tmp_path, tmp_path / "missing.zip", tmp_path / "movie.zip"):
        assert find_run(path) == path


def test_an_archive_gives_the_run_that_was_published(archive: Path, trained: Path, cache: Path) -> None:
    found, original = cytoform.load(archive), cytoform.load(trained)
    assert np.array_equal(found.codes, original.codes)
    assert found.weights_sha256 == original.weights_sha256
    assert cache in found.run.path.parents
    assert find_run(archive) == found.run.path
    assert not list(cache.rglob(".new-*"))


def rewritten(archive: Path, change: Callable[[zipfile.ZipFile], None]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(data, "w") as new:
        for member in old.infolist():
            new.writestr(member, old.read(member))
        change(new)
    return data.getvalue()


def link(zipped: zipfile.ZipFile) -> None:
    member = zipfile.ZipInfo("metrics.csv")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    zipped.writestr(member, "/etc/passwd")


HARM = {
    "a file elsewhere": lambda zipped: zipped.writestr("../config.toml", ""),
    "an absolute path": lambda zipped: zipped.writestr("/tmp/config.toml", ""),
    "a pickle": lambda zipped: zipped.writestr("optimizer.pt", b"\x80\x04."),
    "a file twice": lambda zipped: zipped.writestr("config.toml", ""),
    "a link": link,
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("what", HARM)
def test_a_harmful_archive_is_refused(what: str, archive: Path, tmp_path: Path, cache: Path) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(rewritten(archive, HARM[what]))
    with pytest.raises(InputError, match=r"bad\.zip"):
        find_run(bad)
    assert [path for path in cache.rglob("*") if path.is_file()] == []
    assert not (tmp_path / "config.toml").exists()


def test_an_archive_of_enormous_files_is_refused(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cytoform.zoo.archive.MOST_BYTES", 1000)
    with pytest.raises(InputError, match="unpacks to"):
        find_run(archive)


@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_cut_archive_is_refused(share: float, archive: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.zip"
    cut.write_bytes(archive.read_bytes()[: int(share * archive.stat().st_size)])
    with pytest.raises(InputError, match=r"cut\.zip: not a whole zip archive; copy it again"):
        cytoform.load(cut)


def test_a_damaged_archive_is_refused_and_nothing_is_kept(archive: Path, tmp_path: Path, cache: Path) -> None:
    data = bytearray(archive.read_bytes())
    data[200:240] = bytes(40)
    (tmp_path / "bad.zip").write_bytes(data)
    with pytest.raises(InputError, match="bad"):
        find_run(tmp_path / "bad.zip")
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_a_model_from_a_server_needs_its_checksum(archive: Path, cache: Path) -> None:
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    with serve(archive.read_bytes()) as server:
        address = f"{server.address}/balls.zip"
        with pytest.raises(InputError, match="needs its checksum"):
            find_run(address)
        assert server.requests == []
        with pytest.raises(InputError, match="SHA-256 differs"):
            find_run(f"{address}#sha256={'0' * 64}")
        cells = cytoform.load(f"{address}#sha256={sha256}")
        n_requests = len(server.requests)
        # As a command line gives it, and from the cache.
        assert find_run(Path(f"{address}#sha256={sha256}")) == cells.run.path
        assert len(server.requests) == n_requests
    assert len(cells.names) == 2


def test_a_server_that_sends_something_else_is_refused(cache: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as zipped:
        zipped.writestr("setup.py", "")
    sha256 = hashlib.sha256(data.getvalue()).hexdigest()
    with serve(data.getvalue()) as server, pytest.raises(InputError, match="no published model"):
        find_run(f"{server.address}/balls.zip#sha256={sha256}")


def test_the_commands_take_names_and_archives(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["models"]) == 0
    assert "zoo:mitosis: " in capsys.readouterr().out
    out = tmp_path / "new.zarr"
    assert (
        cli.run(["generate", str(archive), "--out", str(out), "--prior", "around", "--grid", "16", "--frames", "1"])
        == 0
    )
    assert cli.run(["info", str(archive)]) == 0
    assert "learned 2 sequences" in capsys.readouterr().out
    assert cli.run(["generate", "zoo:none", "--out", str(tmp_path / "x.zarr")]) == 2
