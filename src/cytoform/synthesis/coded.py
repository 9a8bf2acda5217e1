"""A cell from the file of a code, as the studio saves it: JSON with the code, and the size or the protrusions beside it."""

import math
from pathlib import Path
from typing import Annotated, Literal, cast

import numpy as np
from pydantic import Field

from cytoform.base.gate import Name, Record, read_json
from cytoform.errors import InputError
from cytoform.priors.prior import DrawnCell
from cytoform.protrusions.bulges import Bulges
from cytoform.protrusions.units import Units
from cytoform.representations.parts.representation import Parts
from cytoform.representations.representation import SCALE
from cytoform.runs.parts import MOST_UNITS
from cytoform.runs.run import MOST_MOMENTS, LearnedSequence
from cytoform.synthesis.cells import Cells

FORMAT = "cytoform code"
MOST_NUMBERS = 1 << 20
REMEDY = "save it again from the page of 'cytoform studio'"

Number = Annotated[float, Field(ge=-1e9, le=1e9)]
Scale = Annotated[float, Field(gt=0, le=1e6)]


class _CodeRecord(Record):
    format: Literal["cytoform code"]
    weights_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    name: Name
    code: Annotated[list[Number], Field(min_length=1, max_length=MOST_NUMBERS)]
    scale: Annotated[list[Scale], Field(min_length=1, max_length=MOST_MOMENTS)] | None = None
    # Of cells taken apart: rows of units and of bulges, and where the cell lies over time.
    protrusions: Annotated[list[list[Number]], Field(max_length=MOST_UNITS)] | None = None
    bulges: Annotated[list[list[Number]], Field(max_length=MOST_UNITS)] | None = None
    offset: Annotated[list[list[Number]], Field(min_length=1, max_length=MOST_MOMENTS)] | None = None


def read_code(path: Path, cells: Cells) -> DrawnCell:
    """The cell of a file. Raises InputError for a damaged file, and for the code of another run."""
    found = read_json(path, _CodeRecord, remedy=REMEDY)
    if found.weights_sha256 != cells.weights_sha256:
        raise InputError(f"{path}: the code of another run than {cells.run.path}; name the run that it comes from")
    n = math.prod(cells.run.decoder.code_shape)
    if len(found.code) != n:
        raise InputError(f"{path}: {len(found.code)} numbers, and codes of {cells.run.path} have {n}; {REMEDY}")
    code = np.array(found.code, np.float32)
    if cells.run.parts:
        return DrawnCell(code, _variables_of_parts(path, found, cast(Parts, cells.run.decoder)))
    if any(each is not None for each in (found.protrusions, found.bulges, found.offset)):
        raise InputError(f"{path}: has protrusions, and its run knows none; {REMEDY}")
    if cells.run.has_scales != (found.scale is not None):
        wanted = "lacks the size (scale)" if cells.run.has_scales else "has a size (scale), and its run knows none"
        raise InputError(f"{path}: {wanted}; {REMEDY}")
    return DrawnCell(code, {} if found.scale is None else {SCALE: np.array(found.scale, np.float32)})


def _variables_of_parts(path: Path, found: _CodeRecord, decoder: Parts) -> dict[str, np.ndarray]:
    n_dims = decoder.n_dims
    if found.protrusions is None:
        raise InputError(f"{path}: lacks the protrusions; {REMEDY}")
    variables = {"protrusions": _rows(path, "protrusions", found.protrusions, Units.width(n_dims))}
    if not Units.from_rows(variables["protrusions"], n_dims).are_sound():
        raise InputError(f"{path}: protrusions: a parent, a window of time or a size is impossible; {REMEDY}")
    if found.bulges:
        variables["bulges"] = _rows(path, "bulges", found.bulges, Bulges.width(n_dims))
        if not Bulges.from_rows(variables["bulges"], n_dims).are_sound(len(decoder.moments)):
            raise InputError(f"{path}: bulges: a window of time, a size or a moment is impossible; {REMEDY}")
    if found.scale is not None:
        variables[SCALE] = np.array(found.scale, np.float32)
    if found.offset is not None:
        if any(len(place) != n_dims for place in found.offset):
            raise InputError(f"{path}: offset: places have {n_dims} numbers; {REMEDY}")
        variables["offset"] = np.array(found.offset, np.float32)
    return variables


def _rows(path: Path, name: str, rows: list[list[float]], width: int) -> np.ndarray:
    if any(len(row) != width for row in rows):
        raise InputError(f"{path}: {name}: rows of the cells have {width} numbers; {REMEDY}")
    return np.array(rows, np.float32).reshape(-1, width)


def longest(cells: Cells) -> LearnedSequence:
    """The learned sequence with the most frames, which gives a cell of the studio its frames and time step."""
    return max(cells.run.learned.sequences, key=lambda sequence: sequence.n_frames)
