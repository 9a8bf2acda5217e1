"""An image on disk, whatever holds it, and the label movie that it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cytoform.movies.metadata import GivenScale, RecordedScale, of_plane, resolve_scale
from cytoform.movies.movie import LabelMovie, Origin, check_size, safe_name
from cytoform.movies.readers.axes import Layout
from cytoform.movies.values import Frames, label_frames


@dataclass(frozen=True)
class Stack:
    """One image: what reads a frame as stored, and facts about it. `files` holds a file a frame, or is empty."""

    name: str
    source: str
    layout: Layout
    dtype: np.dtype[Any]
    recorded: RecordedScale
    frames: Frames
    n_frames: int
    files: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    # All files of an OME-TIFF set, any of which stands for it.
    members: tuple[Path, ...] = ()


def label_movie(stack: Stack, given: GivenScale) -> LabelMovie:
    """The label movie of an image, without lineage. Raises InputError for unknown scale and images without labels."""
    check_size(stack.layout.shape_zyx, stack.files[0] if stack.files else stack.source)
    recorded = of_plane(stack.recorded) if stack.layout.shape_zyx[0] == 1 else stack.recorded
    scale = resolve_scale(recorded, given, stack.source)
    labels = label_frames(stack.frames, stack.files or (stack.source,), n_frames=stack.n_frames, dtype=stack.dtype)
    return LabelMovie(
        name=safe_name(stack.name),
        source=stack.source,
        n_frames=stack.n_frames,
        shape_zyx=stack.layout.shape_zyx,
        spacing_zyx_um=scale.spacing_zyx_um,
        time_step_s=scale.time_step_s,
        lineage=None,
        read=labels,
        files=stack.files,
        origin=Origin(axes=stack.layout.origin, voxel_size=scale.voxel_size_from, time_step=scale.time_step_from),
        notices=(*stack.notices, *scale.notices),
        values=labels.values,
    )
