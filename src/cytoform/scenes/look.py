"""Which texture paints a data set, and how much light it gets."""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cytoform.base.triples import Triple
from cytoform.errors import InputError

if TYPE_CHECKING:
    from cytoform.imaging.texture import Texture

MASKS_ONLY = "none"


@dataclass(frozen=True)
class SceneTexture:
    """What the user calls the texture; `snr` is the signal-to-noise ratio in units of the texture's own."""

    texture: str
    device: str = "auto"
    snr: float = 1.0

    @property
    def paints(self) -> bool:
        """Whether there are images at all."""
        return self.texture != MASKS_ONLY

    def open(self) -> "Texture":
        """The texture, opened once a process. Raises InputError."""
        return _open(self)


@functools.lru_cache(maxsize=4)
def _open(look: SceneTexture) -> "Texture":
    from cytoform.imaging.texture import open_texture

    texture = open_texture(look.texture, device=look.device)
    return texture if look.snr == 1 else _brighter(texture, look)


def _brighter(texture: "Texture", look: SceneTexture) -> "Texture":
    """The same microscope with more or less light: by shot noise, the signal-to-noise ratio is the root of it."""
    from cytoform.imaging.optics import Optics

    if not isinstance(texture, Optics):
        raise InputError(
            f"--series snr: {look.texture} is a trained model, whose noise is learned; it takes --texture optics"
        )
    parameters = texture.parameters
    fluorophores, background = parameters.fluorophores, parameters.background
    light = look.snr**2
    return Optics(
        parameters.model_copy(
            update={
                "fluorophores": fluorophores.model_copy(
                    update={"photons_per_pixel": light * fluorophores.photons_per_pixel}
                ),
                "background": background.model_copy(update={"photons_per_pixel": light * background.photons_per_pixel}),
            }
        )
    )


def refuse_unfit(look: SceneTexture, *, spacing_zyx_um: Triple, planes: int, projection: bool) -> None:
    """Raise InputError now if the texture cannot be opened or does not take such frames: before the long work."""
    if look.paints:
        labels = np.zeros((planes, 32, 32), np.uint16)
        labels[:, 8:24, 8:24] = 1
        look.open().render(labels, spacing_zyx_um=spacing_zyx_um, frame=0, seed=0, projection=projection)
