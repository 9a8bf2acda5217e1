"""Images (grey values or labels, 2D or 3D) from numbered TIFF files or an OME-Zarr image."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cytoform.base.triples import IntTriple
from cytoform.errors import InputError
from cytoform.movies.metadata import RecordedScale
from cytoform.movies.readers.ome_zarr import open_image
from cytoform.movies.readers.tiff import TiffHeader, read_header, read_image


@dataclass(frozen=True)
class ImageMovie:
    """Frames (z, y, x) read on demand by their number; 2D data has one plane."""

    source: str
    frames: tuple[int, ...]
    shape_zyx: IntTriple
    dtype: np.dtype
    recorded: RecordedScale
    read: Callable[[int], np.ndarray]
    files: Mapping[int, Path] = field(default_factory=dict)

    def where(self, frame: int) -> str:
        """File and frame, for messages."""
        return f"{self.files.get(frame, self.source)}, frame {frame}"


@dataclass(frozen=True)
class ImageFiles:
    """Reads images stored as one file per frame."""

    files: Mapping[int, Path]
    header: TiffHeader

    def __call__(self, frame: int) -> np.ndarray:
        return read_image(self.files[frame], self.header)


def open_image_files(files: Mapping[int, Path], *, source: str) -> ImageMovie:
    """A movie of one file per frame. Reads every header, so that a deviating file is found before long work."""
    headers = {frame: _header(path) for frame, path in files.items()}
    first = next(iter(headers))
    for frame, header in headers.items():
        for name, one, other in (
            ("size", shape_text(header.shape_zyx), shape_text(headers[first].shape_zyx)),
            ("type", header.dtype, headers[first].dtype),
        ):
            if one != other:
                raise InputError(f"{files[frame]}: {name} {one} where {files[first].name} has {other}; all must agree")
    header = headers[first]
    reader = ImageFiles(files, header)
    return ImageMovie(source, tuple(sorted(files)), header.shape_zyx, header.dtype, header.recorded, reader, files)


def _header(path: Path) -> TiffHeader:
    header = read_header(path, volume=True, flat=True, grey=True)
    if header.n_frames is not None:
        raise InputError(f"{path}: several frames where every file is one; give axes Y X or Z Y X")
    return header


def open_zarr_movie(path: Path) -> ImageMovie:
    """Open an OME-Zarr image or label image as a movie."""
    image = open_image(path)
    return ImageMovie(str(path), tuple(range(image.n_frames)), image.shape_zyx, image.dtype, image.recorded, image.read)


def shape_text(shape_zyx: tuple[int, ...]) -> str:
    """Format a shape for messages, such as 64×512×512; a single plane is left out."""
    return "×".join(str(n) for n in (shape_zyx[1:] if shape_zyx[0] == 1 else shape_zyx))
