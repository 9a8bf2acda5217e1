"""Writes Cell Tracking Challenge ground truth: label images frame by frame, and the lineage."""

import io
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from jaxtyping import Integer, Shaped

from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.movies.lineage import Lineage, write_lineage
from cytoform.movies.movie import as_labels


@dataclass(frozen=True)
class CtcWriter:
    """Writes FOLDER/NN_GT/TRA (label images, man_track.txt) and, with `segmentation`, the same images as NN_GT/SEG.

    Frames may be written in any order and by several processes; equal labels give equal bytes. Voxel size and time
    step go into the files as ImageJ writes them, so that Fiji and `open_movies` need not be told.
    """

    folder: Path
    n_frames: int
    spacing_zyx_um: Triple
    time_step_s: float | None = None
    sequence: str = "01"
    segmentation: bool = True

    def __post_init__(self) -> None:
        self._tracking.mkdir(parents=True, exist_ok=True)
        if self.segmentation:
            self._masks.mkdir(parents=True, exist_ok=True)

    def write(self, frame: int, labels: Integer[np.ndarray, "z y x"]) -> None:
        """Write one frame of labels up to 65535."""
        path = self._path(frame)
        values = as_labels(labels, str(path))
        write_image(path, values, spacing_zyx_um=self.spacing_zyx_um, time_step_s=self.time_step_s)
        if self.segmentation:
            shutil.copyfile(path, self._masks / path.name.replace("man_track", "man_seg"))

    def finish(self, lineage: Lineage) -> None:
        """Write the lineage, once all frames are there."""
        for track in lineage.tracks:
            if track.last >= self.n_frames:
                raise InputError(
                    f"{self.folder}: the track of label {track.label} runs to frame {track.last} but there are "
                    f"{self.n_frames} frames; shorten the track"
                )
        missing = [frame for frame in range(self.n_frames) if not self._path(frame).exists()]
        assert not missing, f"frames {missing} were not written"
        write_lineage(self._tracking / "man_track.txt", lineage)

    @property
    def _tracking(self) -> Path:
        return self.folder / f"{self.sequence}_GT" / "TRA"

    @property
    def _masks(self) -> Path:
        return self.folder / f"{self.sequence}_GT" / "SEG"

    def _path(self, frame: int) -> Path:
        assert 0 <= frame < self.n_frames
        return self._tracking / f"man_track{frame_digits(frame, self.n_frames)}.tif"


def frame_digits(frame: int, n_frames: int) -> str:
    """Number of a frame in file names: the challenge counts with three digits, and with four where three do not suffice."""
    return f"{frame:0{3 if n_frames <= 1000 else 4}d}"


def write_image(
    path: Path | io.BytesIO,
    values: Shaped[np.ndarray, "z y x"],
    *,
    spacing_zyx_um: Triple,
    time_step_s: float | None,
    level: int = 6,
) -> None:
    """A frame of labels or grey values (uint8, uint16 or float32) with its scale as ImageJ writes it; one plane is 2D.

    Compressed by zlib at `level`.
    """
    step = {} if time_step_s is None else {"finterval": time_step_s}
    z_um, y_um, x_um = spacing_zyx_um
    flat = len(values) == 1
    tifffile.imwrite(
        path,
        values[0] if flat else values,
        imagej=True,
        resolution=(1 / x_um, 1 / y_um),
        metadata={"axes": "YX" if flat else "ZYX", "unit": "um", "spacing": z_um, **step},
        compression="zlib",
        compressionargs={"level": level},
    )
