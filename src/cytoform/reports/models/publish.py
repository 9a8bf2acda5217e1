"""A finished run as others get it: a folder or a zip archive with a model card, without checkpoints and samples."""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, RootModel

import cytoform
from cytoform.base.gate import Record, read_bytes, read_json
from cytoform.base.output import Output
from cytoform.errors import InputError
from cytoform.reports.models.card import About, Measured, Provenance, Tried, card, use_of
from cytoform.synthesis.cells import load
from cytoform.synthesis.choice import CHOICE, Choice
from cytoform.training.metrics import final_loss
from cytoform.zoo.archive import CARD, FILES, MOST_BYTES

ARCHIVE, PROVENANCE = ".zip", "provenance.json"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same run gives the same bytes
LONGEST = 2000


class _Choice(Record):
    candidates: tuple[Tried, ...] = Field(default=(), strict=False)


class _Values(RootModel[dict[str, Any]]):
    """Any JSON object."""


@dataclass(frozen=True)
class PublishedRun:
    """A published run and its size."""

    path: Path
    n_files: int
    n_bytes: int


def publish(run: Path, out: Path, about: About, *, bioimageio: bool = False, overwrite: bool = False) -> PublishedRun:
    """Write a finished run with its model card into the folder `out`, or into an archive where `out` ends in .zip.

    `cytoform.load` reads both. With `bioimageio`, it is a package of bioimage.io instead: the network as ONNX with a
    description, for programs that run such models. The licence and the origin of the data are needed. Raises InputError.
    """
    for name in ("title", "licence", "data"):
        if not 0 < len(getattr(about, name).strip()) <= LONGEST:
            raise InputError(f"--{name}: a model is published with its {name}; give 1 to {LONGEST} characters")
    output = Output.at(out, inputs=[run], overwrite=overwrite)
    output.check()
    files = _files(run, about)
    if bioimageio:
        from cytoform.reports.models import bioimageio as network

        files = network.package(run, about, card(network.use_of(run), about, _measured(run), files)) | {
            PROVENANCE: files[PROVENANCE]
        }
    else:
        use = use_of(about.name or out.name)
        files[CARD] = card(use, about, _measured(run), files).encode(errors="backslashreplace")
    is_archive = out.suffix.lower() == ARCHIVE
    with output.staged(folder=not is_archive) as place:
        if is_archive:
            place.write_bytes(_zipped(files))
        else:
            for name, data in files.items():
                (place / name).write_bytes(data)
    return PublishedRun(out, len(files), sum(map(len, files.values())))


def _files(run: Path, about: About) -> dict[str, bytes]:
    load(run, device="cpu")  # damaged and unfinished runs are refused
    files = {name: read_bytes(run / name, most=MOST_BYTES) for name in FILES if (run / name).is_file() and name != CARD}
    provenance = read_json(run / PROVENANCE, _Values).root | {"published": about.to_json()}
    files[PROVENANCE] = (json.dumps(provenance, indent=2, sort_keys=True) + "\n").encode()
    return files


def _measured(run: Path) -> Measured:
    tried = read_json(run / CHOICE, _Choice).candidates if (run / CHOICE).is_file() else ()
    return Measured(
        load(run, device="cpu"),
        Choice.read(run),
        tried,
        final_loss(run),
        read_json(run / PROVENANCE, Provenance),
    )


def _zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.comment = f"cytoform {cytoform.__version__}: published model".encode()
        for name, content in sorted(files.items()):
            zipped.writestr(zipfile.ZipInfo(name, LONG_AGO), content, zipfile.ZIP_DEFLATED)
    return data.getvalue()
