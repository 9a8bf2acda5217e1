"""Reads movies back and analyses pictures."""

from pathlib import Path

import av
import numpy as np
from PIL import Image

BLUE, ORANGE = (77, 133, 199), (230, 138, 51)


def decoded(path: Path) -> list[np.ndarray]:
    """The pictures of an .mp4, a .gif or a folder, as RGB."""
    if path.is_dir():
        return [np.array(Image.open(file).convert("RGB")) for file in sorted(path.glob("*.png"))]
    if path.suffix == ".gif":
        with Image.open(path) as image:
            return [np.array((image.seek(n), image.convert("RGB"))[1]) for n in range(image.n_frames)]  # type: ignore[attr-defined, func-returns-value]
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def coloured(picture: np.ndarray, colour: tuple[int, int, int] | None = None) -> np.ndarray:
    """Mask of coloured pixels (neither white, grey nor black), optionally of the given hue."""
    values = picture[..., :3].astype(int)
    strong = values.max(axis=-1) - values.min(axis=-1) > 45  # the greys of text are bluish
    return strong if colour is None else strong & (values.argmax(axis=-1) == int(np.argmax(colour)))


def centre(mask: np.ndarray) -> tuple[float, float]:
    """Row and column of the centre of the marked pixels' bounding box."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return (rows[0] + rows[-1] + 1) / 2, (columns[0] + columns[-1] + 1) / 2
