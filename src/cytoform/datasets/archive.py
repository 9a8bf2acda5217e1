"""Unpacks downloaded zip archives safely: nothing is written outside the target folder."""

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from cytoform.base.parallel import Progress, no_progress
from cytoform.errors import InputError

COPY_BYTES = 1 << 20
MEGABYTE = 1e6
MOST_MEMBERS = 1_000_000


class DamagedArchive(InputError):
    """An archive that cannot be read to its end."""


def check_archive(path: Path) -> None:
    """Raise DamagedArchive unless the file is a zip archive with a complete directory."""
    if not zipfile.is_zipfile(path):
        raise DamagedArchive("not a whole zip archive")


def unpack_archive(archive: Path, folder: Path, *, progress: Progress = no_progress) -> None:
    """Unpack all files of `archive` into the existing `folder`.

    Raises InputError before writing anything if the archive has paths outside the folder, links, encrypted files, or
    more bytes than the disk has free. Raises DamagedArchive if contents do not match their checksums.
    """
    check_archive(archive)
    try:
        with zipfile.ZipFile(archive) as zipped:
            if len(zipped.filelist) > MOST_MEMBERS:
                raise InputError(f"{archive.name}: holds more than {MOST_MEMBERS:,} files; it is not unpacked")
            members = [(_target(archive, member), member) for member in zipped.infolist() if not member.is_dir()]
            _check_whole(archive, folder, members)
            total = sum(member.file_size for _, member in members)
            with progress("unpacking, MB", total / MEGABYTE) as advance:
                for target, member in members:
                    path = folder / target
                    path.parent.mkdir(parents=True, exist_ok=True)
                    # zipfile reads at most the declared size and compares the checksum at the end.
                    with zipped.open(member) as source, path.open("xb") as file:
                        shutil.copyfileobj(source, file, COPY_BYTES)
                    advance(member.file_size / MEGABYTE)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError) as fault:
        raise DamagedArchive(f"damaged zip archive ({fault})") from None


def _target(archive: Path, member: zipfile.ZipInfo) -> PurePosixPath:
    """Path of a member relative to the folder. Raises InputError for unsafe or encrypted members."""
    name = member.filename.replace("\\", "/")
    target = PurePosixPath(name)
    if target.is_absolute() or ".." in target.parts or not target.parts or ":" in target.parts[0]:
        raise InputError(
            f"{archive.name}: holds {member.filename!r}, which leads out of the folder; it is not unpacked"
        )
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise InputError(f"{archive.name}: holds {member.filename!r}, a link or a device; it is not unpacked")
    if member.flag_bits & 1:
        raise InputError(f"{archive.name}: {member.filename!r} is encrypted; unpack it yourself")
    return target


def _check_whole(archive: Path, folder: Path, members: list[tuple[PurePosixPath, zipfile.ZipInfo]]) -> None:
    targets = [target for target, _ in members]
    if len(set(targets)) < len(targets):
        raise InputError(f"{archive.name}: holds two files of one name; it is not unpacked")
    total, free = sum(member.file_size for _, member in members), shutil.disk_usage(folder).free
    if total > free:
        raise InputError(
            f"{archive.name}: unpacks to {total / 1e9:.1f} GB, but the disk of --out has {free / 1e9:.1f} GB left; "
            "choose another"
        )
