"""Downloads from a server that stalls, truncates and lies."""

import fcntl
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from bad_server import serve

from cytoform.datasets.download import Downloaded, Patience, download
from cytoform.errors import InputError

CONTENT = np.random.default_rng(0).bytes(200_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = Patience(timeout_s=0.5, pause_s=0.01, attempts=3)


def get(address: str, cache: Path, **options: object) -> Downloaded:
    return download(f"{address}/cells.bin", cache=cache, patience=QUICK, **options)  # type: ignore[arg-type]


def parts(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.part"))


def whole(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.bin"))


def test_a_good_server(tmp_path: Path) -> None:
    with serve(CONTENT) as server:
        found = get(server.address, tmp_path)
    assert found.path.read_bytes() == CONTENT
    assert found.sha256 == SHA256
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".bin", ".sha256"]


def test_the_second_time_comes_from_the_cache(tmp_path: Path) -> None:
    with serve(CONTENT) as server:
        get(server.address, tmp_path)
        found = get(server.address, tmp_path)
        assert len(server.requests) == 1
    assert found.sha256 == SHA256
    assert get(server.address, tmp_path).path == found.path  # with no server at all


def test_a_damaged_cache_is_downloaded_again(tmp_path: Path) -> None:
    with serve(CONTENT) as server:
        found = get(server.address, tmp_path)
        found.path.write_bytes(b"x" + CONTENT[1:])
        assert get(server.address, tmp_path).path.read_bytes() == CONTENT
        assert len(server.requests) == 2


@pytest.mark.parametrize("behaviour", ["truncates", "stalls", "promises more"])
def test_what_breaks_off_is_resumed_in_the_same_call(behaviour: str, tmp_path: Path) -> None:
    """Only the rest is asked for, and only of the same version."""
    with serve(CONTENT, behaviour) as server:
        assert get(server.address, tmp_path).path.read_bytes() == CONTENT
        second = server.requests[1]
    start = int(second["Range"].removeprefix("bytes=").removesuffix("-"))
    assert start > 80_000
    assert second["If-Range"] == server.tag
    assert parts(tmp_path) == []


@pytest.mark.parametrize("behaviour", ["silent", "status 503", "status 500", "status 429"])
def test_a_server_that_recovers(behaviour: str, tmp_path: Path) -> None:
    with serve(CONTENT, behaviour) as server:
        assert get(server.address, tmp_path).sha256 == SHA256


def test_a_redirect_is_followed(tmp_path: Path) -> None:
    with serve(CONTENT, "redirect") as server:
        assert get(server.address, tmp_path).sha256 == SHA256
        assert server.requests[1]["path"] == "/elsewhere/cells.bin"


def test_the_next_call_goes_on(tmp_path: Path) -> None:
    """After a server that went down half-way, and after our own end."""
    with serve(CONTENT, "truncates", *["status 503"] * 3) as server:
        with pytest.raises(InputError, match=r"503.*0\.1 MB are kept, call again to go on"):
            get(server.address, tmp_path)
        [part] = parts(tmp_path)
        kept = part.stat().st_size
        assert CONTENT.startswith(part.read_bytes())
        assert whole(tmp_path) == []
        assert get(server.address, tmp_path).sha256 == SHA256
        assert server.requests[-1]["Range"] == f"bytes={kept}-"


def test_a_part_of_another_version_is_dropped(tmp_path: Path) -> None:
    with serve(CONTENT, "truncates", *["status 503"] * 3) as server:
        with pytest.raises(InputError, match="503"):
            get(server.address, tmp_path)
        server.content = CONTENT[::-1]
        assert get(server.address, tmp_path).path.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("behaviour", ["ignores ranges", "another part"])
def test_a_server_that_does_not_give_the_rest(behaviour: str, tmp_path: Path) -> None:
    with serve(CONTENT, "truncates", behaviour) as server:
        assert get(server.address, tmp_path).path.read_bytes() == CONTENT


def test_nothing_is_appended_without_a_tag(tmp_path: Path) -> None:
    with serve(CONTENT, "no tag") as server:
        assert get(server.address, tmp_path).sha256 == SHA256
        assert "Range" not in server.requests[1]


def test_a_part_that_is_whole_already(tmp_path: Path) -> None:
    """The server promises more than it has, then says 416: the file is as long as what has come."""
    with serve(CONTENT, "promises more") as server:
        assert get(server.address, tmp_path).path.read_bytes() == CONTENT


def test_a_part_longer_than_the_file(tmp_path: Path) -> None:
    with serve(CONTENT, "truncates", *["status 503"] * 3) as server:
        with pytest.raises(InputError):
            get(server.address, tmp_path)
        with parts(tmp_path)[0].open("ab") as file:
            file.write(bytes(300_000))
        assert get(server.address, tmp_path).path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("behaviours", "message"),
    [
        (["status 404"], "404"),
        (["status 403"], "403"),
        (["page"], "a web page instead of the file"),
        (["circle"], "redirects"),
        (["status 500"] * 3, "the server answered 500"),
        (["silent"] * 3, "no answer for 0.5 s"),
        (["no tag"] * 6, "broke"),
    ],
)
def test_a_server_that_never_gives_the_file(behaviours: list[str], message: str, tmp_path: Path) -> None:
    with serve(CONTENT, *behaviours) as server, pytest.raises(InputError, match=message) as caught:
        get(server.address, tmp_path)
    assert "\n" not in str(caught.value)
    assert "object at 0x" not in str(caught.value)
    assert server.address in str(caught.value)
    assert whole(tmp_path) == []


def test_no_server_at_all(tmp_path: Path) -> None:
    with serve(CONTENT) as server:
        pass
    with pytest.raises(InputError, match="the connection failed") as caught:
        get(server.address, tmp_path)
    assert "object at 0x" not in str(caught.value)


def test_a_wrong_checksum_keeps_nothing(tmp_path: Path) -> None:
    with serve(CONTENT) as server:
        with pytest.raises(InputError, match="SHA-256"):
            get(server.address, tmp_path, sha256="0" * 64)
        assert list(tmp_path.iterdir()) == []
        assert get(server.address, tmp_path, sha256=SHA256.upper()).sha256 == SHA256
        with pytest.raises(InputError, match="64 hexadecimal digits"):
            get(server.address, tmp_path, sha256="abc")


def test_a_file_that_changed_on_the_server_is_noticed(tmp_path: Path) -> None:
    """A lost cache file comes back as it was, or not at all."""
    with serve(CONTENT) as server:
        found = get(server.address, tmp_path)
        found.path.unlink()
        server.content = CONTENT[::-1]
        with pytest.raises(InputError, match=r"SHA-256 differs from .*\.sha256"):
            get(server.address, tmp_path)
    assert whole(tmp_path) == []


def test_a_file_that_the_check_refuses(tmp_path: Path) -> None:
    def refuse(_: Path) -> None:
        raise InputError("no cells")

    with serve(CONTENT) as server, pytest.raises(InputError, match="the file is no cells"):
        get(server.address, tmp_path, check=refuse)
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_disk_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with serve(CONTENT) as server, pytest.raises(InputError, match="GB left"):
        get(server.address, tmp_path)
    assert parts(tmp_path) == []


def test_a_mirror_serves_the_same_cache(tmp_path: Path) -> None:
    with serve(CONTENT) as server:
        url = "https://data.example/cells.bin"
        first = download(url, cache=tmp_path, address=f"{server.address}/cells.bin", patience=QUICK)
    assert download(url, cache=tmp_path, patience=QUICK) == first


def test_two_downloads_of_one_file(tmp_path: Path) -> None:
    with serve(CONTENT) as server:
        name = get(server.address, tmp_path).path.name
        (tmp_path / name).unlink()
        with (tmp_path / f"{name}.part.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(InputError, match="another process"):
                get(server.address, tmp_path)
        assert get(server.address, tmp_path).sha256 == SHA256


@pytest.mark.parametrize("behaviour", ["compressed", "endless"])
def test_a_body_without_a_limit_is_refused(behaviour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=50_000))
    with (
        serve(CONTENT, *[behaviour] * 3) as server,
        pytest.raises(InputError, match=r"compressed|more than 50000 bytes"),
    ):
        get(server.address, tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 50_000


def test_a_part_that_is_no_text_is_begun_anew(tmp_path: Path) -> None:
    with serve(CONTENT, "truncates", *["status 503"] * 3) as server:
        with pytest.raises(InputError, match="are kept"):
            get(server.address, tmp_path)
        next(tmp_path.glob("*.tag")).write_bytes(b"\xff\xfe")
        assert get(server.address, tmp_path).sha256 == SHA256
