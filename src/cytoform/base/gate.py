"""The gate for files that are read: regular, of a bounded size, decoded, parsed with limits, and checked by a model.

Every fault is one InputError: the file, the field, the value and the remedy.
"""

import csv
import os
import re
import reprlib
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from cytoform.base.system import NO_WAITING
from cytoform.errors import InputError

MEGABYTE = 1 << 20
MOST_BYTES = 16 * MEGABYTE
MOST_TOML_BYTES = MEGABYTE
REMEDY = "copy it again or make it anew"
# tomllib takes quadratic time for a key of many parts. A search from within a word, or back into one, would take as long.
DEEP_KEY = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){32}""")
LONGEST_NAME = 200
MOST_FRAMES = 10_000
# Label images shrink by codecs, but a whole file not by more than this; a header that claims more is damaged.
MOST_COMPRESSED, ALWAYS_FINE = 5000, 1 << 28

# Ranges of recorded quantities; a value beyond them is a fault of a file, not a measurement.
Length = Annotated[float, Field(ge=1e-6, le=1e6)]  # µm
TimeStep = Annotated[float, Field(ge=1e-9, le=1e9)]  # s
FrameCount = Annotated[int, Field(ge=1, le=MOST_FRAMES)]


class Record(BaseModel):
    """Base of the models of metadata: exact types, finite numbers, fields that are unknown are left out."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


RecordT = TypeVar("RecordT", bound=BaseModel)


def check_name(name: str) -> str:
    """Return a name that may stand as one part of a path and in one line. Raises ValueError for any other."""
    if not name or len(name) > LONGEST_NAME:
        raise ValueError(f"a name has 1 to {LONGEST_NAME} characters")
    if name.startswith((".", "__")) or "/" in name or "\\" in name or not name.isprintable():
        raise ValueError("a name has printable characters without slashes, and begins with no dot and no __")
    return name


Name = Annotated[str, AfterValidator(check_name)]


def require_file(path: Path) -> os.stat_result:
    """The state of a regular file. Raises InputError for anything else, such as a pipe, which a reader would wait for."""
    try:
        found = path.stat()
    except (OSError, ValueError) as fault:
        raise _unreadable(path, fault) from None
    _refuse_irregular(path, found)
    return found


def read_bytes(path: Path, *, most: int = MOST_BYTES) -> bytes:
    """The content of a regular file of at most `most` bytes. Raises InputError."""
    try:
        # A pipe without a writer would block a plain open.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | NO_WAITING)) as file:
            found = os.fstat(file.fileno())
            _refuse_irregular(path, found)
            content = file.read(most + 1)
    except (OSError, ValueError) as fault:
        raise _unreadable(path, fault) from None
    if len(content) > most:
        raise InputError(f"{path}: more than {most / MEGABYTE:g} MB, which no such file has; {REMEDY}")
    return content


def read_text(path: Path, *, remedy: str = REMEDY, most: int = MOST_BYTES) -> str:
    """The content of a text file in UTF-8. Raises InputError."""
    try:
        return read_bytes(path, most=most).decode()
    except UnicodeDecodeError as fault:
        raise InputError(f"{path}: not a text file (byte {fault.start} is not UTF-8); {remedy}") from None


def read_json(path: Path, model: type[RecordT], *, remedy: str = REMEDY, most: int = MOST_BYTES) -> RecordT:
    """A JSON file as `model`. Raises InputError."""
    return parse_json(read_bytes(path, most=most), model, where=str(path), remedy=remedy)


def parse_json(text: str | bytes, model: type[RecordT], *, where: str, remedy: str = REMEDY) -> RecordT:
    """JSON as `model`; its parser limits depth and digits. Raises InputError that names `where` and the first wrong field."""
    try:
        return model.model_validate_json(text)
    except ValidationError as fault:
        raise InputError(f"{where}: {first_fault(fault)}; {remedy}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """The values of a TOML file. Raises InputError."""
    try:
        return parse_toml(read_text(path, most=MOST_TOML_BYTES))
    except ValueError as fault:  # of tomllib, or for a number of thousands of digits
        raise InputError(f"{path}: not valid TOML ({fault}); correct it") from None
    except RecursionError:
        raise InputError(f"{path}: values nested too deep; settings have sections and values") from None


def parse_toml(text: str) -> dict[str, Any]:
    """The values of a TOML text. Raises ValueError, or RecursionError for values nested too deep."""
    if DEEP_KEY.search(text):
        raise RecursionError
    return tomllib.loads(text)


def read_csv(path: Path, model: type[RecordT], *, remedy: str = REMEDY, most: int = MOST_BYTES) -> list[RecordT]:
    """The rows of a CSV file with a header, each as `model`. Raises InputError."""
    return [row for _, row in parse_csv(read_text(path, most=most), model, where=str(path), remedy=remedy)]


def parse_csv(
    text: str, model: type[RecordT], *, where: str, remedy: str = REMEDY
) -> Iterator[tuple[Mapping[str, str], RecordT]]:
    """Rows of CSV with a header, as text and as `model`. Raises InputError that names the line."""
    rows = csv.DictReader(text.splitlines(), restkey="")
    try:
        for row in rows:
            if "" in row:
                raise csv.Error("more values than columns")
            yield row, model.model_validate_strings(row)
    except ValidationError as fault:
        raise InputError(f"{where}, line {rows.line_num}: {first_fault(fault)}; {remedy}") from None
    except csv.Error as fault:
        raise InputError(f"{where}, line {rows.line_num}: {fault}; {remedy}") from None


def check_claim(n_bytes: int, stored: int, where: str) -> None:
    """Raise InputError if a frame of `n_bytes` cannot come from a file of `stored` bytes, before memory is allocated."""
    if n_bytes > ALWAYS_FINE and n_bytes > MOST_COMPRESSED * stored:
        raise InputError(
            f"{where}: its header claims frames of {n_bytes / 1e6:,.0f} MB but the file has {stored / 1e6:.2g} MB; "
            "the header is damaged, copy or write it again"
        )


def first_fault(fault: ValidationError) -> str:
    """The first wrong field of a model: its name, its value in short, and what is wrong."""
    first = fault.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"{name} is missing"
    if first["type"] == "json_invalid" or not name:
        return message
    value = "" if isinstance(first["input"], Mapping | BaseModel) else f" = {shown(first['input'])}"
    return f"{name}{value}: {message}"


_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 60, 60


def shown(value: object) -> str:
    """A value of a file in a message: short, however long or deep it is."""
    return _SHORT.repr(value)


def _refuse_irregular(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe, socket or device"
        raise InputError(f"{path}: {kind}, not a file; check the path")


def _unreadable(path: Path, fault: OSError | ValueError) -> InputError:
    if isinstance(fault, FileNotFoundError | NotADirectoryError):
        return InputError(f"{path}: no such file; check the path")
    reason = getattr(fault, "strerror", None) or str(fault)
    return InputError(f"{path}: cannot be read ({reason}); check the path")
