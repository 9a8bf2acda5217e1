"""`cytoform fetch` from a server on this machine, as its users meet it."""

import io
import json
import signal
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from bad_server import Served, serve
from processes import Cytoform
from published import write_published_h5

from cytoform import cli
from cytoform.datasets.catalogue import DATASETS, find_dataset
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore
from cytoform.simulate.analytic import Ball


def challenge_zip() -> bytes:
    """A training set with one cell in two frames, in the challenge's layout."""
    axis = (np.arange(16) - 7.5) * 0.5
    ball = np.linalg.norm(np.stack(np.meshgrid(axis, axis, axis, indexing="ij")), axis=0) <= 2.5
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for t in range(2):
            image = io.BytesIO()
            tifffile.imwrite(image, ball.astype(np.uint16))
            archive.writestr(f"Fluo-N3DH-CE/01_GT/TRA/man_track{t:03d}.tif", image.getvalue())
        archive.writestr("Fluo-N3DH-CE/01_GT/TRA/man_track.txt", "1 0 1 0\n")
    return buffer.getvalue()


def fetch(server: Served, *more: str, name: str = "celltracking:Fluo-N3DH-CE") -> int:
    return cli.run(["fetch", name, "--out", "data", "--cache", "cache", "--mirror", server.address, *more])


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_fetched_and_ready_to_prepare(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(challenge_zip(), "truncates") as server:
        assert fetch(server) == 0
        assert [request["path"] for request in server.requests] == ["/Fluo-N3DH-CE.zip"] * 2
    *_, terms, wrote, following = capsys.readouterr().out.splitlines()
    assert "celltrackingchallenge.net" in terms
    assert wrote == "wrote data"
    command = "cytoform prepare data/Fluo-N3DH-CE --voxel-size 1 0.09 0.09 --time-step 60 --out shapes.zarr"
    assert following == f"next: {command}"
    assert cli.run([*command.split()[1:], "--grid", "16", "--workers", "1", "--quiet"]) == 0
    assert ShapeStore.open(Path("shapes.zarr")).names == ["Fluo-N3DH-CE_01_00001"]
    provenance = json.loads(Path("data/provenance.json").read_text())
    assert provenance["url"] == "https://data.celltrackingchallenge.net/training-datasets/Fluo-N3DH-CE.zip"
    assert len(provenance["sha256"]) == 64


def test_again_without_a_server_and_over_an_older_one(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(challenge_zip()) as server:
        assert fetch(server, "--quiet") == 0
    assert fetch(server, "--quiet") == 2
    assert "data exists; pass --overwrite" in capsys.readouterr().err
    assert fetch(server, "--quiet", "--overwrite") == 0
    assert Path("data/Fluo-N3DH-CE/01_GT/TRA/man_track.txt").exists()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_killed_half_way_the_next_call_goes_on(number: signal.Signals, status: int) -> None:
    content = np.random.default_rng(0).bytes(300_000)
    with serve(content, "stalls") as server:
        address = f"{server.address}/cells.bin"
        command = ["fetch", address, "--out", "data", "--cache", "cache", "--quiet"]
        process = Cytoform(*command)
        until = time.monotonic() + 60
        while time.monotonic() < until and not any(part.stat().st_size for part in Path("cache").glob("*.part")):
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(timeout=30) == status
        assert {path.name for path in Path().iterdir()} == {"cache"}
        assert cli.run(command) == 0
        assert int(server.requests[1]["Range"].removeprefix("bytes=").removesuffix("-")) > 50_000
    assert Path("data/cells.bin").read_bytes() == content


def test_any_address(capsys: pytest.CaptureFixture[str]) -> None:
    grid = Grid(16, 4.0)
    ball = Ball(2.0, centre_zyx_um=(4, 4, 4)).distance_um(grid.points_zyx_um()).reshape(grid.shape)
    content = write_published_h5(Path("cell.h5"), [ball]).read_bytes()
    with serve(content) as server:
        assert cli.run(["fetch", f"{server.address}/a/cell.h5?x=1", "--out", "data", "--cache", "cache"]) == 0
    assert "next: cytoform import data/*.h5" in capsys.readouterr().out
    assert Path("data/cell.h5").read_bytes() == content


@pytest.mark.parametrize(
    ("content", "behaviours", "options", "words"),
    [
        (b"<html>Not here</html>", [], [], "not a whole zip archive"),
        (challenge_zip(), ["page"], [], "a web page instead of the file"),
        (challenge_zip(), ["status 404"], [], "404"),
        (challenge_zip(), ["promises less"], [], "not a whole zip archive"),
        (challenge_zip(), [], ["--sha256", "0" * 64], "SHA-256"),
        (challenge_zip(), [], ["--sha256", "none"], "--sha256 none"),
        (challenge_zip(), [], ["--timeout", "0"], "--timeout 0"),
        (challenge_zip(), ["silent"] * 3, ["--timeout", "0.2"], "no answer for 0.2 s"),
    ],
)
def test_a_server_that_lies_is_one_line(
    content: bytes, behaviours: list[str], options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve(content, *behaviours) as server:
        assert fetch(server, "--quiet", *options) == 2
    error = capsys.readouterr().err
    assert error.startswith("cytoform: ")
    assert error.count("\n") == 1
    assert words in error
    assert {path.name for path in Path().iterdir()} <= {"cache"}
    assert not list(Path().glob("cache/*.zip"))


def test_a_damaged_archive_does_not_stay_in_the_cache(capsys: pytest.CaptureFixture[str]) -> None:
    whole = bytearray(challenge_zip())
    whole[100] ^= 255
    with serve(bytes(whole)) as server:
        assert fetch(server, "--quiet") == 2
        assert "removed from the cache" in capsys.readouterr().err
        server.content = challenge_zip()
        assert fetch(server, "--quiet") == 0


def test_an_archive_that_leads_out_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../evil", "x")
    with serve(buffer.getvalue()) as server:
        assert fetch(server, "--quiet") == 2
    assert "leads out of the folder" in capsys.readouterr().err
    assert {path.name for path in Path().iterdir()} == {"cache"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("celltracking:fluo-n3dh-ce", "did you mean celltracking:Fluo-N3DH-CE?"),
        ("Fluo-N3DH-CHO", "did you mean celltracking:Fluo-N3DH-CHO?"),
        ("implicit-shapes:celegans", "did you mean implicit-shapes:cele?"),
        ("zebra", "known: celltracking:Fluo-N3DH-CE"),
        ("ftp://example.org/a.zip", "unknown data set"),
        ("https://", "not an address"),
        ("https://example.org:port/a.zip", "not an address"),
        ("https://example.org/", "names no file"),
    ],
)
def test_an_unknown_name(name: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["fetch", name, "--out", "data", "--cache", "cache"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error
    assert list(Path().iterdir()) == []


def test_a_mirror_that_is_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["fetch", "celltracking:Fluo-N3DH-CE", "--out", "data", "--mirror", "/tmp", "--cache", "cache"]) == 2
    assert "/tmp: not an address" in capsys.readouterr().err


def test_every_known_data_set_has_an_address() -> None:
    for name in DATASETS:
        dataset = find_dataset(name)
        assert dataset.name == name
        assert dataset.file_name.endswith(".zip")
        assert dataset.page
    assert DATASETS["celltracking:Fluo-N3DH-SIM+"].at("http://m/x/") == "http://m/x/Fluo-N3DH-SIM+.zip"


def test_passwords_and_tokens_are_neither_shown_nor_kept(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(challenge_zip(), "status 404") as server:
        address = server.address.replace("http://", "http://me:hunter2@") + "/cells.zip?token=hunter2"
        for status in (2, 0):
            assert cli.run(["fetch", address, "--out", "data", "--cache", "cache"]) == status
    shown = "".join(capsys.readouterr())
    assert "/cells.zip?…: the server answered 404" in shown
    assert "hunter2" not in shown
    kept = [path for path in Path().rglob("*") if path.is_file()]
    assert not [path for path in kept if b"hunter2" in path.read_bytes() or "hunter2" in str(path)]
    assert json.loads(Path("data/provenance.json").read_text())["url"] == f"{server.address}/cells.zip"
