"""Writes sequences of the Cell Tracking Challenge.

FOLDER/01/t000.tif                  images
       01_GT/SEG/man_seg000.tif     masks
       01_GT/TRA/man_track000.tif   the same masks, for tracking
       01_GT/TRA/man_track.txt      lineage
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from jaxtyping import Integer, Shaped

from cytoform.base.files import write_atomically
from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.movies.lineage import Lineage, write_lineage
from cytoform.movies.movie import as_labels


@dataclass(frozen=True)
class CtcWriter:
    """Writes one sequence, frame by frame, in any order and from several processes. Equal frames give equal bytes.

    A file has its name only when it is complete. Voxel size and time step go into the files as ImageJ writes them, so
    that Fiji and `open_movies` find them.
    """

    folder: Path
    n_frames: int
    spacing_zyx_um: Triple
    time_step_s: float | None = None
    sequence: str = "01"
    # Which of the two copies of the masks are written.
    segmentation: bool = True
    tracking: bool = True
    # Compression level of zlib.
    level: int = 6

    def write(
        self, frame: int, labels: Integer[np.ndarray, "z y x"], image: Shaped[np.ndarray, "z y x"] | None = None
    ) -> None:
        """Write the masks of one frame, labels up to 65535, and its image if there is one. Raises InputError."""
        number = self.number(frame)
        masks = [self._tracking / f"man_track{number}.tif"] * self.tracking
        masks += [self._ground_truth / "SEG" / f"man_seg{number}.tif"] * self.segmentation
        data = self._encoded(as_labels(labels, str(masks[0])))
        for path in masks:
            _write(path, data)
        if image is not None:
            if image.shape != labels.shape:
                raise ValueError(f"an image of shape {image.shape} with labels of shape {labels.shape}")
            _write(self.folder / self.sequence / f"t{number}.tif", self._encoded(image))

    def finish(self, lineage: Lineage) -> None:
        """Write the lineage, once all frames are there. Raises InputError for a track that is longer than the movie."""
        for track in lineage.tracks:
            if track.last >= self.n_frames:
                raise InputError(
                    f"{self.folder}: the track of label {track.label} runs to frame {track.last} but there are "
                    f"{self.n_frames} frames; shorten the track"
                )
        numbers = [self.number(frame) for frame in range(self.n_frames)]
        missing = [int(number) for number in numbers if not (self._tracking / f"man_track{number}.tif").exists()]
        if missing:
            raise RuntimeError(f"frames {missing} were not written")
        write_lineage(self._tracking / "man_track.txt", lineage)

    def number(self, frame: int) -> str:
        """Number of a frame in file names: three digits as in the challenge, four where three do not suffice."""
        if not 0 <= frame < self.n_frames:
            raise IndexError(f"frame {frame} of {self.n_frames}")
        return f"{frame:0{3 if self.n_frames <= 1000 else 4}d}"

    @property
    def _ground_truth(self) -> Path:
        return self.folder / f"{self.sequence}_GT"

    @property
    def _tracking(self) -> Path:
        return self._ground_truth / "TRA"

    def _encoded(self, values: Shaped[np.ndarray, "z y x"]) -> bytes:
        return _tiff(values, self.spacing_zyx_um, self.time_step_s, self.level)


def write_image(
    path: Path, values: Shaped[np.ndarray, "z y x"], *, spacing_zyx_um: Triple, time_step_s: float | None
) -> None:
    """A TIFF of labels or grey values (uint8, uint16 or float32) with its scale as ImageJ writes it; one plane is 2D."""
    _write(path, _tiff(values, spacing_zyx_um, time_step_s))


def _tiff(
    values: Shaped[np.ndarray, "z y x"], spacing_zyx_um: Triple, time_step_s: float | None, level: int = 6
) -> bytes:
    step = {} if time_step_s is None else {"finterval": time_step_s}
    z_um, y_um, x_um = spacing_zyx_um
    flat = len(values) == 1
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        values[0] if flat else values,
        imagej=True,
        resolution=(1 / x_um, 1 / y_um),
        metadata={"axes": "YX" if flat else "ZYX", "unit": "um", "spacing": z_um, **step},
        compression="zlib",
        compressionargs={"level": level},
    )
    return file.getvalue()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data)
