"""Label values of any size and number type, renumbered to uint16 where they do not fit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from cytoform.errors import InputError
from cytoform.movies.lineage import MAX_LABEL
from cytoform.movies.movie import Labels, as_labels, check_dtype, whole

Frames = Callable[[int], Shaped[np.ndarray, "z y x"]]


@dataclass(frozen=True)
class LabelFrames:
    """Reads frames as uint16 labels; with `values`, label n stands for the value values[n - 1] in the files."""

    frames: Frames
    places: tuple[str, ...]
    values: tuple[int, ...] = ()

    def __call__(self, frame: int) -> Labels:
        array = self.frames(frame)
        where = f"{self.places[frame if len(self.places) > 1 else 0]}, frame {frame}"
        if not self.values:
            return as_labels(array, where)
        return np.where(array == 0, 0, np.searchsorted(np.array(self.values), whole(array, where)) + 1).astype(
            np.uint16
        )


def label_frames(frames: Frames, places: tuple[str, ...], *, n_frames: int, dtype: np.dtype[np.generic]) -> LabelFrames:
    """Frames as labels. `places` holds the file of every frame, or the one file of all.

    Number types that hold more than 65535 values are looked through once, and values are renumbered if one is larger.
    Raises InputError for values that are no labels, and for more than 65535 of them.
    """
    check_dtype(dtype, places[0])
    if dtype.kind in "bui" and dtype.itemsize <= 2:
        return LabelFrames(frames, places)
    labels = [f"{places[frame if len(places) > 1 else 0]}, frame {frame}" for frame in range(n_frames)]
    highest = max(int(whole(frames(frame), labels[frame]).max()) for frame in range(n_frames))
    if highest <= MAX_LABEL:
        return LabelFrames(frames, places)
    values: set[int] = set()
    for frame in range(n_frames):
        values.update(int(value) for value in np.unique(whole(frames(frame), labels[frame])))
    values.discard(0)
    if len(values) > MAX_LABEL:
        raise InputError(
            f"{places[0]}: {len(values)} different labels, but no more than {MAX_LABEL} are allowed; cut the movie or give "
            "labels instead of an image"
        )
    return LabelFrames(frames, places, tuple(sorted(values)))
