"""The texture that renders the images of a data set, and its signal-to-noise ratio."""

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
class TextureChoice:
    """A texture by its name or path; `snr` scales its signal-to-noise ratio."""

    name: str
    device: str = "auto"
    snr: float = 1.0
    # Parameters of the optics in TOML, in place of the named ones; empty for none.
    optics: str = ""

    @property
    def paints(self) -> bool:
        """Whether images are rendered at all."""
        return self.name != MASKS_ONLY

    def open(self) -> "Texture":
        """Open the texture, once per process. Raises InputError."""
        return _open(self)


@functools.lru_cache(maxsize=4)
def _open(choice: TextureChoice) -> "Texture":
    from cytoform.imaging.texture import open_texture

    texture = _calibrated(choice.optics) if choice.optics else open_texture(choice.name, device=choice.device)
    return texture if choice.snr == 1 else _brighter(texture, choice)


def _calibrated(optics: str) -> "Texture":
    from cytoform.base.gate import parse_toml
    from cytoform.base.settings import check_settings
    from cytoform.imaging.optics import Optics, OpticsParameters

    return Optics(check_settings(OpticsParameters, parse_toml(optics), where="calibrated optics"))


def _brighter(texture: "Texture", choice: TextureChoice) -> "Texture":
    """The same microscope with `snr`² times the light: with shot noise, SNR grows with the square root of light."""
    from cytoform.imaging.optics import Optics

    if not isinstance(texture, Optics):
        raise InputError(
            f"--series snr: {choice.name} is a trained model, whose noise is learned; it takes --texture optics"
        )
    parameters = texture.parameters
    fluorophores, background = parameters.fluorophores, parameters.background
    light = choice.snr**2
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


def refuse_unfit(choice: TextureChoice, *, spacing_zyx_um: Triple, planes: int, projection: bool) -> None:
    """Raise InputError before the long work if the texture cannot be opened or cannot render such frames."""
    if choice.paints:
        labels = np.zeros((planes, 32, 32), np.uint16)
        labels[:, 8:24, 8:24] = 1
        choice.open().render(labels, spacing_zyx_um=spacing_zyx_um, frame=0, seed=0, projection=projection)
