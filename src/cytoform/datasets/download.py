"""Resumable downloads, verified each time they are used.

CACHE/NAME            the complete file; pooch keeps and verifies it
CACHE/NAME.sha256     its checksum, recorded by the first download, in the format of sha256sum
CACHE/NAME.part       an incomplete download; NAME.part.tag identifies the version of the file
"""

import contextlib
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cytoform.base.digest import file_sha256
from cytoform.base.files import write_atomically
from cytoform.base.gate import read_bytes
from cytoform.base.lines import printable
from cytoform.base.locks import lock
from cytoform.base.parallel import Advance, Progress, no_progress
from cytoform.base.system import replace
from cytoform.datasets.archive import MEGABYTE
from cytoform.errors import InputError

RECEIVE_BYTES = 1 << 14  # less than this is lost when a server stalls


@dataclass(frozen=True)
class Patience:
    """Limits of waiting for a server: seconds without a byte, seconds between attempts, attempts without progress."""

    timeout_s: float = 30.0
    pause_s: float = 1.0
    attempts: int = 3


@dataclass(frozen=True)
class Downloaded:
    """A complete file in the cache."""

    path: Path
    sha256: str

    def discard(self) -> None:
        """Remove a damaged file and its recorded checksum from the cache."""
        self.path.unlink(missing_ok=True)
        _record(self.path).unlink(missing_ok=True)


class _Interrupted(Exception):
    """An attempt did not complete the file; another attempt may."""


def download(
    url: str,
    *,
    cache: Path,
    address: str | None = None,
    sha256: str | None = None,
    check: Callable[[Path], None] = lambda _: None,
    patience: Patience = Patience(),
    progress: Progress = no_progress,
) -> Downloaded:
    """Return the file at `url` from the cache, else download it from `address` (a mirror) or `url`.

    `check` must accept the file before it is cached. Raises InputError if the server does not deliver the file; the
    received part is kept, and the next call resumes it.
    """
    import pooch

    if sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise InputError(f"--sha256 {sha256}: a checksum has 64 hexadecimal digits")
    pooch.get_logger().setLevel("ERROR")  # its notes would mix with our own output
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / pooch.utils.unique_file_name(url)
    known = sha256.lower() if sha256 else _recorded(path)
    source = address or url
    downloader = _Resuming(path.with_name(f"{path.name}.part"), check, patience, progress)
    try:
        pooch.retrieve(source, known and f"sha256:{known}", fname=path.name, path=cache, downloader=downloader)
    except ValueError as fault:  # pooch raises it for a wrong checksum
        where = "--sha256" if sha256 else str(_record(path))
        raise InputError(f"{printable(source)}: its SHA-256 differs from {where}; it was not kept ({fault})") from None
    found = known or file_sha256(path)
    write_atomically(_record(path), f"{found}  {path.name}\n".encode())
    return Downloaded(path, found)


class _Resuming:
    """A downloader for pooch that keeps partial files and requests only the missing bytes."""

    def __init__(self, part: Path, check: Callable[[Path], None], patience: Patience, progress: Progress) -> None:
        self._part, self._tag = part, part.with_name(f"{part.name}.tag")
        self._check, self._patience, self._progress = check, patience, progress

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        with self._alone():
            self._persist(url)
            try:
                self._check(self._part)
            except InputError as fault:
                self._forget()
                raise InputError(
                    f"{printable(url)}: the file is {fault}; check the address, or try again later"
                ) from None
            replace(self._part, Path(output_file))
            self._forget()

    def _persist(self, url: str) -> None:
        failures = 0
        while True:
            before = self._size()
            try:
                return self._attempt(url)
            except _Interrupted as fault:
                failures = 0 if self._size() > before else failures + 1
                if failures >= self._patience.attempts:
                    kept = f"; {self._size() / MEGABYTE:.1f} MB are kept, call again to go on" if self._size() else ""
                    raise InputError(f"{printable(url)}: {fault}{kept}") from None
            time.sleep(self._patience.pause_s)

    def _attempt(self, url: str) -> None:
        """Send one request for the missing bytes. Raises _Interrupted unless the file is complete afterwards."""
        import requests
        from requests import exceptions

        start, tag = self._size(), self._read_tag()
        # Without a tag, the rest could belong to another version of the file.
        asked = {"Range": f"bytes={start}-", "If-Range": tag} if start and tag else {}
        timeout_s = self._patience.timeout_s
        try:
            with requests.get(
                url, headers={"Accept-Encoding": "identity", **asked}, stream=True, timeout=timeout_s
            ) as response:
                if response.status_code == 416 and _total(response) == start:
                    return
                self._receive(response, start)
        except (
            exceptions.SSLError,
            exceptions.TooManyRedirects,
            exceptions.InvalidURL,
            exceptions.InvalidSchema,
        ) as fault:
            raise InputError(f"{printable(url)}: {_reason(fault)}; check the address") from None
        except exceptions.Timeout:
            raise _Interrupted(f"no answer for {timeout_s:g} s") from None
        except exceptions.RequestException as fault:
            if "timed out" in str(fault):  # in the middle of a file, requests calls it a ConnectionError
                raise _Interrupted(f"stalled for {timeout_s:g} s") from None
            raise _Interrupted(f"the connection failed ({_reason(fault)})") from None

    def _receive(self, response: Any, start: int) -> None:
        """Append the received bytes to the partial file."""
        if response.status_code == 416:
            self._forget()
        _refuse(response)
        coding = response.headers.get("Content-Encoding", "identity")
        if coding != "identity":  # it could unpack to any size
            raise InputError(
                f"{printable(response.url)}: the server sends the file compressed ({coding}), which was not asked for; "
                "download it with another program"
            )
        resumed = response.status_code == 206
        if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            self._forget()
            raise _Interrupted("the server sent another part of the file than requested")
        done = start if resumed else 0
        total = _total(response)
        free = shutil.disk_usage(self._part.parent).free
        if total is not None and total - done > free:
            raise InputError(
                f"{printable(response.url)}: {total / 1e9:.1f} GB, but {self._part.parent} has {free / 1e9:.1f} GB left"
            )
        if not resumed:
            self._part.write_bytes(b"")
            self._write_tag(response)
        with self._progress("downloading, MB", (total or 0) / MEGABYTE) as advance, self._part.open("ab") as file:
            advance(done / MEGABYTE)
            _copy(response, file, advance, free if total is None else total - done)
        if total is not None and self._size() != total:
            raise _Interrupted(f"broke off after {self._size()} of {total} bytes")

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _read_tag(self) -> str:
        tag = read_bytes(self._tag).decode(errors="replace") if self._tag.exists() else ""
        return tag if tag.isascii() and tag.isprintable() else ""

    def _write_tag(self, response: Any) -> None:
        """Record the version of the file; a weak ETag is not allowed for ranges (RFC 9110, 13.1.5)."""
        tag = response.headers.get("ETag", "")
        tag = response.headers.get("Last-Modified", "") if not tag or tag.startswith("W/") else tag
        self._tag.write_text(tag, "utf-8")

    def _forget(self) -> None:
        self._part.unlink(missing_ok=True)
        self._tag.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Lock the partial file against a second download."""
        file = self._part.with_name(f"{self._part.name}.lock")
        with lock(file, busy=f"{self._part}: another process is downloading it; wait for it"):
            yield


def _refuse(response: Any) -> None:
    """Raise _Interrupted or InputError for an answer that is not the file."""
    status = f"{response.status_code} {response.reason}"
    if response.status_code in (408, 416, 429) or response.status_code >= 500:
        raise _Interrupted(f"the server answered {status}")
    if response.status_code not in (200, 206):
        raise InputError(
            f"{printable(response.url)}: the server answered {status}; check the name, or whether the file has moved"
        )
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    if is_page and not urlsplit(response.url).path.endswith((".html", ".htm")):
        raise InputError(
            f"{printable(response.url)}: the server sent a web page instead of the file; open it in a browser to see why"
        )


def _copy(response: Any, file: Any, advance: Advance, most: int) -> None:
    """Receive a body, which may have `most` bytes. Raises InputError for a longer one."""
    received = 0
    for chunk in response.iter_content(RECEIVE_BYTES):
        received += len(chunk)
        if received > most:
            raise InputError(f"{printable(response.url)}: sends more than {most} bytes; the file is not kept whole")
        file.write(chunk)
        advance(len(chunk) / MEGABYTE)


def _total(response: Any) -> int | None:
    """Size of the complete file in bytes, if the server states it."""
    if match := re.fullmatch(r"bytes (?:[0-9]+-[0-9]+|\*)/([0-9]+)", response.headers.get("Content-Range", "")):
        return int(match[1])
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() and response.status_code == 200 else None


def _reason(fault: Exception) -> str:
    """The innermost cause, without the object addresses in the messages of requests."""
    text = re.sub(r"<[^>]*>[:,]? ?", "", str(fault))
    return text.rpartition("Caused by ")[2][:120]


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _recorded(path: Path) -> str | None:
    """The checksum recorded by the first download."""
    record = _record(path)
    first = read_bytes(record).decode(errors="replace").split()[:1] if record.exists() else []
    return first[0] if first and re.fullmatch("[0-9a-f]{64}", first[0]) else None
