"""A run folder: settings, weights, codes, and a record of the data they were learned from.

RUN/config.toml        all settings
    model.safetensors  tensors `decoder.*`, `codes`, `rotations`, `scales`; metadata: the learned sequences
    provenance.json    data hash, versions, seed
    priors.safetensors distributions fitted to the codes (priors/file.py)
    parts.safetensors  protrusions of cells that were taken apart (runs/parts.py)
    metrics.csv        one row an epoch; TensorBoard events beside it
    checkpoints/       the last three, where --resume goes on from
    samples/           training points, until the training is finished
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from cytoform.base.gate import FrameCount, Length, Name, Record, TimeStep, parse_json, read_toml
from cytoform.base.kinds import Kind, kind_of, wrong_kind
from cytoform.base.tensors import TensorHeader, load_into, read_header, read_tensors, refuse_misfit, write_tensors
from cytoform.errors import InputError
from cytoform.representations.bounds import LENGTHS, Bounds
from cytoform.representations.parts.representation import Parts
from cytoform.representations.representation import SCALE, Frame, Representation
from cytoform.representations.rotation import identity, to_matrix
from cytoform.representations.table import new_representation, unbuilt_representation
from cytoform.runs.config import Config
from cytoform.runs.parts import LearnedParts, read_parts
from cytoform.shapes.grid import MAX_SIZE, MIN_SIZE, Grid
from cytoform.shapes.records import DIMENSIONS
from cytoform.training.folder import CONFIG, WEIGHTS

SAMPLES = "samples"
MOST_MOMENTS = 10_000


@dataclass(frozen=True)
class LearnedSequence:
    """A sequence that has a code: its row in the code table is its place in the list."""

    name: str
    n_frames: int
    time_step_s: float | None


@dataclass(frozen=True)
class Learned:
    """A record of the training data; written into the weights so that they can be used alone."""

    sequences: tuple[LearnedSequence, ...]
    half_extent_um: float
    grid: int
    # How fast the field can change, which the narrow-band search relies on.
    bounds: Bounds
    dimensions: int = 3  # of space; recorded where they are 2

    @property
    def cube(self) -> Grid:
        """The grid of the shapes that were learned."""
        return Grid(self.grid, self.half_extent_um, self.dimensions)

    def to_json(self) -> str:
        """As one line for the metadata of the weights."""
        found = asdict(self)
        if self.dimensions == DIMENSIONS:
            del found["dimensions"]
        return json.dumps(found, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, where: Path) -> "Learned":
        """Read the text of `to_json`. Raises InputError."""
        found = parse_json(text, _LearnedRecord, where=f"{where}: damaged metadata", remedy="train the run anew")
        sequences = tuple(LearnedSequence(**vars(each)) for each in found.sequences)
        return cls(sequences, found.half_extent_um, found.grid, Bounds(**vars(found.bounds)), found.dimensions)


class _SequenceRecord(Record):
    name: Name
    n_frames: FrameCount
    time_step_s: TimeStep | None


Change = Annotated[float, Field(gt=0)]  # of a field over a length, in half extents
Changes = Annotated[tuple[Change, ...], Field(min_length=len(LENGTHS), max_length=len(LENGTHS))]


class _BoundsRecord(Record):
    slope: Change
    reaches: Changes
    mispredictions: Changes


class _LearnedRecord(Record):
    sequences: Annotated[tuple[_SequenceRecord, ...], Field(min_length=1)]
    half_extent_um: Length
    grid: int = Field(ge=MIN_SIZE, le=MAX_SIZE)
    bounds: _BoundsRecord
    dimensions: Literal[2, 3] = DIMENSIONS

    @model_validator(mode="after")
    def _names_differ(self) -> "_LearnedRecord":
        if len({each.name for each in self.sequences}) < len(self.sequences):
            raise ValueError("two sequences have the same name")
        return self


@dataclass(frozen=True)
class Run:
    """A trained model, ready to use."""

    path: Path
    config: Config
    learned: Learned
    decoder: Representation
    codes: Float[Tensor, "sequences ..."]
    # From each sequence's own pose to the canonical one, see representations/rotation.py.
    rotations: Float[Tensor, "sequences 4"]
    # Sizes over the one that all share, at equal times over the movie; 1 where a representation knows cells at their sizes.
    scales: Float[Tensor, "sequences moments"]
    # Of cells taken apart: the protrusions of every learned sequence, in the canonical pose.
    parts: tuple[LearnedParts, ...] = ()
    centred: bool = True  # whether the frames of cells taken apart are each centred on the cell's centroid

    @property
    def names(self) -> list[str]:
        """Names of the learned sequences, in the order of the codes."""
        return [sequence.name for sequence in self.learned.sequences]

    @property
    def has_scales(self) -> bool:
        """Whether cells have a size of their own beside their codes."""
        return self.config.model.has_scales

    def code(self, name: str) -> Float[Tensor, "..."]:
        """The learned code of a sequence. Raises InputError for one that was not learned."""
        return self.codes[self._row(name)]

    def rotation(self, name: str) -> Float[Tensor, " 4"]:
        """The rotation of a sequence, the identity in a run without. Raises InputError for one that was not learned."""
        return self.rotations[self._row(name)]

    def variables(self, name: str) -> dict[str, Tensor]:
        """Arrays that describe a learned sequence beside its code: protrusions of cells taken apart, or a size."""
        if self.has_scales:
            return {SCALE: self.scales[self._row(name)]}
        if not self.parts:
            return {}
        own = self.parts[self._row(name)]
        rows = {"protrusions": own.units.to_rows()} | ({"bulges": own.bulges.to_rows()} if len(own.bulges) else {})
        return {key: torch.tensor(values, dtype=torch.float32) for key, values in rows.items()}

    def frame(self, name: str, time: float) -> Frame:
        """A learned sequence at one time, in its own pose. Raises InputError for one that was not learned."""
        turn = to_matrix(self.rotation(name)[None], self.learned.dimensions)[0]
        return self.decoder.frame(self.code(name), time, rotation=turn, variables=self.variables(name))

    def _row(self, name: str) -> int:
        if name not in self.names:
            raise InputError(f"{self.path}: no sequence {name!r} was learned; it has {', '.join(self.names[:5])} …")
        return self.names.index(name)


def write_weights(
    run: Path,
    decoder: Representation,
    codes: Tensor,
    learned: Learned,
    rotations: Tensor | None = None,
    scales: Tensor | None = None,
) -> None:
    """Write the weights, codes, rotations (none: the identity) and scales (none: all 1) of a finished training.

    The folder has the settings already: the weights belong to these, and to no others.
    """
    tensors = {f"decoder.{name}": tensor for name, tensor in decoder.state_dict().items()}
    _, settings = _settings(run)
    turned = identity(len(codes)) if rotations is None else torch.nn.functional.normalize(rotations, dim=1)
    sizes = {} if scales is None else {"scales": scales}
    tensors |= {"codes": codes, "rotations": turned} | sizes
    write_tensors(run / WEIGHTS, tensors, {"learned": learned.to_json(), "config_sha256": settings})


def load_run(path: Path, *, device: torch.device | None = None) -> Run:
    """Load a trained run. Raises InputError for a folder that is not one, is unfinished, damaged or inconsistent."""
    path = Path(path)
    if kind_of(path) is not Kind.RUN:
        raise wrong_kind(path, Kind.RUN)
    (config, settings), header = _settings(path), read_header(path / WEIGHTS)
    if header.metadata.get("config_sha256", settings) != settings:
        raise InputError(f"{path / CONFIG}: changed since the training; restore it, or train the run anew")
    learned = Learned.from_json(header.metadata.get("learned", ""), path / WEIGHTS)
    _refuse_misfit(header, config, learned)
    tensors, _ = read_tensors(path / WEIGHTS)
    codes = tensors.pop("codes")
    rotations = _checked(tensors.pop("rotations", identity(len(codes))), len(codes), where=path / WEIGHTS)
    scales = _checked_scales(tensors.pop("scales", torch.ones(len(codes), 1)), len(codes), where=path / WEIGHTS)
    decoder = new_representation(config.model, seed=0, n_dims=learned.dimensions)
    load_into(decoder, {name.removeprefix("decoder."): t for name, t in tensors.items()}, where=path / WEIGHTS)
    decoder.requires_grad_(False)
    if fault := decoder.fault():
        raise InputError(f"{path / WEIGHTS}: damaged: {fault}; train the run anew")
    return assembled(path, config, learned, decoder.to(device), codes.to(device), rotations.to(device), scales)


def assembled(
    path: Path,
    config: Config,
    learned: Learned,
    decoder: Representation,
    codes: Tensor,
    rotations: Tensor,
    scales: Tensor | None,
) -> Run:
    """A run with its protrusions, where cells are taken apart. Raises InputError where those in the folder are damaged."""
    sizes = torch.ones(len(codes), 1) if scales is None else scales
    if not isinstance(decoder, Parts):
        return Run(path, config, learned, decoder, codes, rotations, sizes)
    found = read_parts(path, {each.name: each.n_frames for each in learned.sequences}, learned.dimensions)
    decoder.moments = found.moments
    turns = to_matrix(rotations.cpu(), learned.dimensions).double().numpy()
    parts = tuple(
        replace(p, units=p.units.rotated(turn), bulges=p.bulges.rotated(turn))
        for p, turn in zip(found.sequences, turns, strict=True)
    )
    return Run(path, config, learned, decoder, codes, rotations, sizes, parts, found.centred)


def _settings(run: Path) -> tuple[Config, str]:
    """The settings of a run, and a digest of them as they are written, whatever the order, comments and ends of lines."""
    values = read_toml(run / CONFIG)
    written = json.dumps(values, sort_keys=True, default=str)
    return Config.check(values, where=str(run / CONFIG)), hashlib.sha256(written.encode()).hexdigest()


def _checked_scales(scales: Tensor, n: int, *, where: Path) -> Float[Tensor, "sequences moments"]:
    """Positive sizes. Raises InputError for anything else."""
    if not (scales > 0).all():
        raise _damaged_scales(where, n)
    return scales


def _damaged_scales(where: Path, n: int) -> InputError:
    return InputError(f"{where}: damaged scales, expected {n} rows of positive numbers; train the run anew")


def _refuse_misfit(header: TensorHeader, config: Config, learned: Learned) -> None:
    """Raise InputError where the weights are not those of the settings, before any memory is taken for either."""
    n_sequences = len(learned.sequences)
    decoder = unbuilt_representation(config.model, n_dims=learned.dimensions)
    shapes = dict(header.shapes)
    whole = {f"decoder.{name}" for name, tensor in decoder.state_dict().items() if tensor.dtype is torch.uint8}
    for name, dtype in header.dtypes.items():
        if dtype != ("U8" if name in whole else "F32"):
            raise InputError(f"{header.path}: tensor {name} holds numbers of type {dtype}; train the run anew")
    codes, expected = shapes.pop("codes", ()), (n_sequences, *decoder.code_shape)
    if codes != expected:
        raise InputError(
            f"{header.path}: codes of shape {codes}, expected {expected}; "
            "restore the config.toml the run was trained with"
        )
    if shapes.pop("rotations", (n_sequences, 4)) != (n_sequences, 4):
        raise _damaged_rotations(header.path, header.shapes["rotations"], n_sequences)
    scales = shapes.pop("scales", (n_sequences, 1))
    if len(scales) != 2 or scales[0] != n_sequences or not 1 <= scales[1] <= MOST_MOMENTS:
        raise _damaged_scales(header.path, n_sequences)
    refuse_misfit(decoder, {name.removeprefix("decoder."): n for name, n in shapes.items()}, where=header.path)


def _checked(rotations: Tensor, n: int, *, where: Path) -> Float[Tensor, "sequences 4"]:
    """Unit quaternions. Raises InputError for anything else."""
    if not torch.allclose(rotations.norm(dim=1), torch.ones(n), atol=1e-3):
        raise _damaged_rotations(where, tuple(rotations.shape), n)
    return rotations


def _damaged_rotations(where: Path, shape: tuple[int, ...], n: int) -> InputError:
    return InputError(f"{where}: damaged rotations of shape {shape}, expected {n} unit quaternions; train the run anew")
