"""The model card: what a published run is, what it was learned from, how good it is, and where it ends."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cytoform.base.gate import Record
from cytoform.base.lines import one_line
from cytoform.shapes.grid import CUBES

if TYPE_CHECKING:
    from cytoform.synthesis.cells import Cells
    from cytoform.synthesis.choice import Choice

FEW_SEQUENCES = 20


@dataclass(frozen=True)
class About:
    """What only the author of a run knows."""

    title: str
    licence: str
    data: str  # where the cells come from, and the licence of the data
    authors: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()  # by which the data and the run were made
    name: str = ""  # how others call the model in commands; by default that of the output

    def to_json(self) -> dict[str, object]:
        """For the provenance of the published run."""
        return {name: one_line(value) if isinstance(value, str) else list(value) for name, value in vars(self).items()}


class Tried(Record):
    """A prior as choice.json records it."""

    prior: str
    sigma: float | None = None
    score: float | None = None
    novelty_ratio: float | None = None
    one_nna: float | None = None
    failed: str = ""

    @property
    def label(self) -> str:
        """Name, and sigma where it is not the default."""
        return self.prior if self.sigma is None else f"{self.prior} σ {self.sigma:g}"


class Provenance(Record):
    """What a run records of its data and of the software."""

    data: str = ""
    data_sha256: str
    seed: int
    versions: dict[str, str]


@dataclass(frozen=True)
class Measured:
    """What the card says of a run: all read from its files."""

    cells: "Cells"
    choice: "Choice | None"
    tried: tuple[Tried, ...]
    loss: float | None
    provenance: Provenance


def use_of(name: str) -> str:
    """How a run that is published under `name` is used."""
    commands = f"    pip install cytoform\n    cytoform generate {name} --out new.zarr -n 5"
    return f'{commands}\n\nIn Python: `cytoform.load("{name}")`.'


def card(use: str, about: About, found: Measured, files: Mapping[str, bytes]) -> str:
    """The card of a published model, in Markdown; `use` says how it is used."""
    front = {
        "license": about.licence,
        "library_name": "cytoform",
        "tags": ["microscopy", "cell-shape", "generative-model"],
    }
    parts = [
        "---\n" + "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in front.items()) + "---",
        f"# {one_line(about.title)}",
        _lead(found),
        "## Use\n\n" + use,
        "## Data\n\n" + one_line(about.data),
        "## Training\n\n" + _training(about, found),
        "## Figures\n\n" + _figures(found),
        "## Limits\n\n" + "\n".join(f"- {line}" for line in _limits(found)),
        f"## Licence\n\n{one_line(about.licence)}"
        + (f". Authors: {', '.join(about.authors)}." if about.authors else ""),
        "## Files\n\n"
        + _table([(file, f"`{hashlib.sha256(data).hexdigest()}`") for file, data in sorted(files.items())]),
        "## Versions\n\n" + _table(sorted(found.provenance.versions.items())),
    ]
    return "\n\n".join(parts) + "\n"


def _lead(found: Measured) -> str:
    run = found.cells.run
    frames = sorted({sequence.n_frames for sequence in run.learned.sequences})
    span = f"{frames[0]}" if len(frames) == 1 else f"{frames[0]} to {frames[-1]}"
    return (
        f"A model of cell shapes over time: {run.decoder.describe()}. It has learned {len(run.names)} sequences of {span} "
        f"frames, in a {CUBES[run.learned.dimensions]} of {2 * run.learned.half_extent_um:.4g} µm, and gives every cell as a "
        "signed distance in µm in continuous space and time."
    )


def _training(about: About, found: Measured) -> str:
    commands = about.commands or (
        f"cytoform train shapes.zarr --config config.toml --out run --seed {found.provenance.seed}",
    )
    origin = f"Shape store `{found.provenance.data}`" if found.provenance.data else "Shape store"
    return (
        "\n".join(f"    {one_line(command)}" for command in commands)
        + f"\n\n{origin}, SHA-256 `{found.provenance.data_sha256}`. All settings are in config.toml."
    )


def _figures(found: Measured) -> str:
    lines = []
    if found.loss is not None:
        cube = CUBES[found.cells.run.learned.dimensions]
        lines.append(f"Mean error of the learned distances: {found.loss:.2g} of the half extent of the {cube}.")
    if found.choice is not None:
        lines.append(f"New cells are drawn from the prior {one_line(found.choice.sentence)}.")
    if found.tried:
        best = sorted((each for each in found.tried if not each.failed), key=lambda each: -(each.score or 0))
        rows = [(each.label, _n(each.score), _n(each.novelty_ratio), _n(each.one_nna)) for each in best]
        head = "| prior | score | novelty | 1-NNA |\n|---|---|---|---|\n"
        lines.append(head + "\n".join("| " + " | ".join(row) + " |" for row in rows))
        lines.append(
            "Judged on sequences left out in turn. Score: 1 is as good as learned cells. Novelty: 1 is as far from the learned "
            "cells as unseen cells are, 0 a copy. 1-NNA: 0.5 where new cells cannot be told from held-out ones."
        )
    return "\n\n".join(lines) or "None were measured."


def _limits(found: Measured) -> list[str]:
    run = found.cells.run
    limits = [
        "It knows cells like the learned ones only, at their sizes and time scales; cells of other kinds need a training."
    ]
    if len(run.names) < FEW_SEQUENCES:
        limits.append(
            f"{len(run.names)} sequences are few: new cells stay near the learned ones, and the figures are uncertain."
        )
    if found.choice is None or not found.tried:
        limits.append("The prior of new cells was not measured.")
    if run.config.model.kind == "parts":
        limits.append("It cannot fit unseen cells: bodies and protrusions are learned apart.")
    if run.config.model.kind == "linear":
        limits.append("It fits whole frames only, and does not adapt to a cell (`fit --adapt`).")
    if run.config.model.kind == "refined":
        limits.append("It fits whole frames only.")
    return limits


def _n(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _table(rows: list[tuple[str, str]]) -> str:
    return "| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows)
