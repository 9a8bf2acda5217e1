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

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.base.kinds import Kind, kind_of, wrong_kind
from cytoform.base.tensors import load_into, read_tensors, write_tensors
from cytoform.errors import InputError
from cytoform.representations.bounds import LENGTHS, Bounds
from cytoform.representations.representation import SCALE, Representation
from cytoform.representations.rotation import identity, to_matrix
from cytoform.representations.table import new_representation
from cytoform.runs.config import Config, read_config
from cytoform.runs.parts import LearnedParts, read_parts
from cytoform.training.folder import CONFIG, WEIGHTS

SAMPLES = "samples"


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

    def to_json(self) -> str:
        """As one line for the metadata of the weights."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str, where: Path) -> "Learned":
        """Read the text of `to_json`. Raises InputError."""
        try:
            values = json.loads(text)
            sequences = tuple(LearnedSequence(**sequence) for sequence in values["sequences"])
            found = values["bounds"]
            reaches, mispredictions = (tuple(map(float, found[key])) for key in ("reaches", "mispredictions"))
            if not len(reaches) == len(mispredictions) == len(LENGTHS):
                raise ValueError(f"bounds at {len(reaches)} instead of {len(LENGTHS)} lengths")
            bounds = Bounds(float(found["slope"]), reaches, mispredictions)
            return cls(sequences, float(values["half_extent_um"]), int(values["grid"]), bounds)
        except (KeyError, TypeError, ValueError) as fault:
            raise InputError(f"{where}: damaged metadata ({fault}); train the run anew") from None


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
        return self.config.model.kind == "linear"

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
        rows = self.parts[self._row(name)].units.to_rows()
        return {"protrusions": torch.tensor(rows, dtype=torch.float32)}

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
    """Write the weights, codes, rotations (none: the identity) and scales (none: all 1) of a finished training."""
    tensors = {f"decoder.{name}": tensor for name, tensor in decoder.state_dict().items()}
    turned = identity(len(codes)) if rotations is None else torch.nn.functional.normalize(rotations, dim=1)
    sizes = {} if scales is None else {"scales": scales}
    tensors |= {"codes": codes, "rotations": turned} | sizes
    write_tensors(run / WEIGHTS, tensors, {"learned": learned.to_json()})


def load_run(path: Path, *, device: torch.device | None = None) -> Run:
    """Load a trained run. Raises InputError for a folder that is not one, is unfinished, damaged or inconsistent."""
    path = Path(path)
    if kind_of(path) is not Kind.RUN:
        raise wrong_kind(path, Kind.RUN)
    tensors, metadata = read_tensors(path / WEIGHTS)
    learned = Learned.from_json(metadata.get("learned", ""), path / WEIGHTS)
    config = read_config(path / CONFIG)
    decoder = new_representation(config.model, seed=0)
    codes, expected = tensors.pop("codes", torch.empty(0)), (len(learned.sequences), *decoder.code_shape)
    if codes.shape != expected:
        raise InputError(
            f"{path / WEIGHTS}: codes of shape {tuple(codes.shape)}, expected {expected}; "
            "restore the config.toml the run was trained with"
        )
    rotations = _checked(tensors.pop("rotations", identity(len(codes))), len(codes), where=path / WEIGHTS)
    scales = _checked_scales(tensors.pop("scales", torch.ones(len(codes), 1)), len(codes), where=path / WEIGHTS)
    load_into(decoder, {name.removeprefix("decoder."): t for name, t in tensors.items()}, where=path / WEIGHTS)
    decoder.requires_grad_(False)
    parts: tuple[LearnedParts, ...] = ()
    centred = True
    if config.model.kind == "parts":
        found, centred = read_parts(path, [sequence.name for sequence in learned.sequences])
        turns = to_matrix(rotations).double().numpy()
        parts = tuple(replace(p, units=p.units.rotated(turn)) for p, turn in zip(found, turns, strict=True))
    return Run(
        path, config, learned, decoder.to(device), codes.to(device), rotations.to(device), scales, parts, centred
    )


def _checked_scales(scales: Tensor, n: int, *, where: Path) -> Float[Tensor, "sequences moments"]:
    """Positive sizes. Raises InputError for anything else."""
    if scales.ndim != 2 or len(scales) != n or not scales.numel() or not (scales > 0).all():
        raise InputError(f"{where}: damaged scales, expected {n} rows of positive numbers; train the run anew")
    return scales


def _checked(rotations: Tensor, n: int, *, where: Path) -> Float[Tensor, "sequences 4"]:
    """Unit quaternions. Raises InputError for anything else."""
    if rotations.shape != (n, 4) or not torch.allclose(rotations.norm(dim=1), torch.ones(n), atol=1e-3):
        raise InputError(
            f"{where}: damaged rotations of shape {tuple(rotations.shape)}, expected {n} unit quaternions; "
            "train the run anew"
        )
    return rotations
