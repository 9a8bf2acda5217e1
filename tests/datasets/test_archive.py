"""Archives that try to leave their folder, to fill the disk, or are damaged."""

import io
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from cytoform.datasets.archive import DamagedArchive, check_archive, unpack_archive
from cytoform.errors import InputError


def zipped(path: Path, members: dict[str, bytes], *, mode: int = stat.S_IFREG | 0o644) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return path


def unpacked(archive: Path) -> Path:
    folder = archive.parent / "room" / "out"
    folder.mkdir(parents=True)
    unpack_archive(archive, folder)
    return folder


def test_files_and_folders(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"A/": b"", "A/01_GT/TRA/x.tif": b"xyz", "A/empty": b"", "b\\c.txt": b"c"})
    folder = unpacked(archive)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert files == {"A/01_GT/TRA/x.tif": b"xyz", "A/empty": b"", "b/c.txt": b"c"}


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/tmp/evil", "..\\evil", "C:\\evil", "\\evil", "a/..", ".", "./."]
)
def test_names_that_lead_out(name: str, tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"good": b"x", name: b"evil"})
    with pytest.raises(InputError, match="leads out of the folder"):
        unpacked(archive)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["a.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices(kind: int, tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"link": b"/etc/passwd"}, mode=kind | 0o777)
    with pytest.raises(InputError, match="a link or a device"):
        unpacked(archive)


def test_more_than_the_disk_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bomb: few bytes that unpack to many; nothing of it is written."""
    archive = zipped(tmp_path / "a.zip", {f"{n}": bytes(10**6) for n in range(20)})
    assert archive.stat().st_size < 10**5
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=19 * 10**6))
    with pytest.raises(InputError, match="unpacks to"):
        unpacked(archive)
    assert not any(path.is_file() for path in (tmp_path / "room").rglob("*"))


def test_a_size_that_lies_is_found_out(tmp_path: Path) -> None:
    """The directory says ten bytes; no more than that is written."""
    archive = zipped(tmp_path / "a.zip", {"a": bytes(10**6)})
    whole = archive.read_bytes().replace(struct.pack("<I", 10**6), struct.pack("<I", 10))
    archive.write_bytes(whole)
    with pytest.raises(DamagedArchive):
        unpacked(archive)
    assert all(path.stat().st_size <= 10 for path in (tmp_path / "room").rglob("*") if path.is_file())


def test_two_files_of_one_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a/b", "1")
        archive.writestr("a//b", "2")
    with pytest.raises(InputError, match="two files of one name"):
        unpacked(tmp_path / "a.zip")


def test_encrypted(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a": b"x" * 50})
    whole = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        whole[whole.index(signature) + offset] |= 1
    path.write_bytes(bytes(whole))
    with pytest.raises(InputError, match="encrypted"):
        unpacked(path)


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_truncated(keep: float, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a": b"x" * 500, "b": bytes(range(256))})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if keep < 1 else int(keep)])
    with pytest.raises(DamagedArchive):
        check_archive(path)


def test_flipped_bits(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"x" * 500)
    whole = bytearray(buffer.getvalue())
    whole[200] ^= 1
    (tmp_path / "a.zip").write_bytes(bytes(whole))
    with pytest.raises(DamagedArchive, match="CRC"):
        unpacked(tmp_path / "a.zip")
