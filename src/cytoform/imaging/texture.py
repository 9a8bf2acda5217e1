"""The common interface of textures: a trained network or an optical model that renders images of masks."""

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.imaging.inheritance import ALONE, Inheritance

OPTICS = "optics"  # name of the optical model with default parameters


@runtime_checkable
class Texture(Protocol):
    """Renders images of label frames.

    Frames are independent: everything that must not flicker depends only on label, position in the cell and seed. Frames
    may be rendered in any order and by any process, with equal results.
    """

    @property
    def dtype(self) -> np.dtype:
        """Type of the images: uint8, uint16 or float32."""
        ...

    def render(
        self,
        labels_zyx: np.ndarray,
        *,
        spacing_zyx_um: Triple,
        frame: int,
        seed: int,
        projection: bool = False,
        inherited: Inheritance = ALONE,
    ) -> np.ndarray:
        """Render an image (z, y, x) of one frame of instance labels (z, y, x); 0 is background, 2D has one plane.

        With `projection` the image has one plane, the maximum along z. With
        `inherited`, daughters look like their mother. Raises InputError for unsuitable labels, such as
        volumes for a model trained on projections.
        """
        ...


def open_texture(source: str | Path, *, device: str = "auto") -> Texture:
    """Open a texture by name or path.

    `source` is `optics` (the optical model with default parameters), a preset or parameter file (.toml) of optics, or
    the folder of a trained model. Raises InputError.
    """
    path = Path(source)
    if path.is_dir() and str(source) != OPTICS:
        from cytoform.imaging.networks.model import TextureModel

        return TextureModel.open(path, device=device)
    from cytoform.imaging.optics import Optics, OpticsParameters, read_parameters
    from cytoform.imaging.optics.parameters import optics_presets

    if str(source) == OPTICS:
        return Optics(OpticsParameters())
    if not path.is_file() and str(source) not in optics_presets():
        known = ", ".join([OPTICS, *optics_presets()])
        raise InputError(
            f"{source}: no such file or folder; give a trained texture model, a parameter file, or {known}"
        )
    return Optics(read_parameters(source))
