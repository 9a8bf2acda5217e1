"""What makes images of masks: a trained model or a microscope of known optics, behind one interface."""

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from cytoform.base.triples import Triple
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
        spacing_zyx_um: Triple,
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
    """A texture by what a user calls it.

    `optics` (a microscope of default parameters), a preset or parameter file (.toml) of optics, or the folder of a
    trained model. Raises InputError.
    """
    path = Path(what)
    if path.is_dir() and str(what) != OPTICS:
        from cytoform.imaging.networks.model import TextureModel

        return TextureModel.open(path, device=device)
    from cytoform.imaging.optics import Optics, OpticsParameters, read_parameters
    from cytoform.imaging.optics.parameters import preset_names

    if str(what) == OPTICS:
        return Optics(OpticsParameters())
    if not path.is_file() and str(what) not in preset_names():
        known = ", ".join([OPTICS, *preset_names()])
        raise InputError(f"{what}: no such file or folder; give a trained texture model, a parameter file, or {known}")
    return Optics(read_parameters(what))
