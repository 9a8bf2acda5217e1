"""A sequence to render, and a new shape store of such sequences."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from cytoform.base.output import Output
from cytoform.base.parallel import Progress
from cytoform.runs.run import LearnedSequence
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import frame_times
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.options import Rendering
from cytoform.synthesis.pose import uncut
from cytoform.synthesis.render import BAND_VOXELS, render_sequence
from cytoform.synthesis.verdict import remark_on_loss


@dataclass(frozen=True)
class NewSequence:
    """A sequence to render: its name and code, the learned sequence that gives it frames and time step, and further facts."""

    name: str
    code: Float[np.ndarray, "..."]
    like: LearnedSequence
    source: str
    # From its pose to the canonical one; None: it is in that pose.
    rotation: Float[np.ndarray, " 4"] | None = None
    # Whether it is refused where the cube cuts it.
    whole: bool = False
    # Drawn by a prior beside the code.
    variables: Mapping[str, Float[np.ndarray, "..."]] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


def write_sequences(
    cells: Cells,
    sequences: list[NewSequence],
    out: Path,
    rendering: Rendering,
    attributes: dict[str, Any],
    overwrite: bool,
    progress: Progress,
) -> None:
    """Render sequences into a new store; each keeps its code among its attributes. Raises InputError."""
    rendering.check()
    learned = cells.run.learned
    grid = replace(learned.cube, size=rendering.size(learned.grid))
    frames = {sequence.name: rendering.frames(sequence.like.n_frames) for sequence in sequences}
    times = {name: frame_times(n) for name, n in frames.items()}
    attributes = {
        **attributes,
        "run": cells.run.path.name,
        "weights_sha256": cells.weights_sha256,
        "method": rendering.method,
    }
    if remark := remark_on_loss(cells.run):
        attributes["remark"] = remark
    output = Output.at(out, inputs=[cells.run.path], overwrite=overwrite)
    with output.staged() as partial, progress("rendering", sum(frames.values())) as advance:
        store = ShapeStore.create(partial, grid, band_um=BAND_VOXELS * grid.spacing_um, attributes=attributes)
        for sequence in sequences:
            n_frames = frames[sequence.name]
            info = SequenceInfo(
                sequence.name,
                n_frames,
                _time_step(sequence, n_frames),
                sequence.source,
                rotation_wxyz=_quaternion(sequence),
                details=sequence.details,
            )
            field = cells.field(sequence.code, rotation=sequence.rotation, variables=sequence.variables)
            latent = {"code": field.code.cpu().numpy(), **sequence.variables}
            rendered: Iterable[BoxedField] = (
                field.render(float(time), grid.size, method=rendering.method, safety=rendering.safety)
                for time in times[sequence.name]
            )
            if sequence.whole:
                rendered = uncut(rendered, sequence.name)
            render_sequence(rendered, store.add(info, latent=latent), advance)
        store.note()


def _quaternion(sequence: NewSequence) -> tuple[float, float, float, float] | None:
    if sequence.rotation is None:
        return None
    w, x, y, z = map(float, sequence.rotation)
    return w, x, y, z


def _time_step(sequence: NewSequence, n_frames: int) -> float | None:
    """The time between frames when the same span of time is cut into `n_frames`."""
    like = sequence.like
    if like.time_step_s is None or n_frames == 1 or like.n_frames == 1:
        return like.time_step_s
    return like.time_step_s * (like.n_frames - 1) / (n_frames - 1)
