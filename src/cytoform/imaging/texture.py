"""What makes images of masks: a trained model or a microscope of known optics, behind one interface."""

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from cytoform.errors import InputError

OPTICS = "optics"  # what a user calls the microscope of default parameters


@runtime_checkable
class Texture(Protocol):
    """Makes images of label frames.

    A frame needs no other frame: whatever may not flicker follows from label, place within the cell and seed. So frames are
    rendered in any order and by any process, and come out the same.
    """

    @property
    def dtype(self) -> np.dtype:
        """Of the images: uint8, uint16 or float32."""
        ...

    def render(
        self,
        labels_zyx: np.ndarray,
        *,
        spacing_zyx_um: tuple[float, float, float],
        frame: int,
        seed: int,
        projection: bool = False,
    ) -> np.ndarray:
        """An image (z, y, x) of one frame of instance labels (z, y, x), 0 being background; 2D has one plane.

        With `projection` the image has one plane, the maximum along z. Raises InputError for labels that the texture cannot
        take: three dimensions of a model that learned projections, say.
        """
        ...


def open_texture(what: str | Path, *, device: str = "auto") -> Texture:
    """A texture by what a user calls it: `optics`, a parameter file of optics (.toml), or the folder of a trained model."""
    path = Path(what)
    if str(what) == OPTICS and not path.exists():
        from cytoform.imaging.optics import Optics, OpticsParameters

        return Optics(OpticsParameters())
    if not path.exists():
        raise InputError(
            f"{path}: no such file or folder; give a trained texture model, a parameter file or {OPTICS!r}"
        )
    if path.is_file():
        from cytoform.imaging.optics import Optics, read_parameters

        return Optics(read_parameters(path))
    from cytoform.imaging.model import TextureModel

    return TextureModel.open(path, device=device)
