"""The texture that renders the images of a data set, and how hard they are."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cytoform.errors import InputError
from cytoform.imaging.inheritance import ALONE, Inheritance
from cytoform.scenes.difficulty import OF_LABELS, OF_OPTICS, Moment

if TYPE_CHECKING:
    from cytoform.imaging.texture import Texture

MASKS_ONLY = "none"


@dataclass(frozen=True)
class TextureChoice:
    """A texture by its name or path, and the dials that are turned for it (see `difficulty`)."""

    name: str
    device: str = "auto"
    # Parameters of the optics in TOML, in place of the named ones; empty for none.
    optics: str = ""
    dials: Mapping[str, float] = field(default_factory=dict)

    @property
    def paints(self) -> bool:
        """Whether images are rendered at all."""
        return self.name != MASKS_ONLY

    def open(self) -> "Texture":
        """Open the texture without its dials, once per process. Raises InputError."""
        return _open(self.name, self.device, self.optics)

    def render(
        self, labels_zyx: np.ndarray, moment: Moment, *, projection: bool, inherited: Inheritance = ALONE
    ) -> np.ndarray:
        """An image (z, y, x) of the labels of a frame. Raises InputError where the texture has no such dial."""
        seen = labels_zyx
        for name, change in OF_LABELS.items():
            if name in self.dials:
                seen = change(seen, self.dials[name], moment)
        return self._at(moment).render(
            seen,
            spacing_zyx_um=moment.spacing_zyx_um,
            frame=moment.frame,
            seed=moment.seed,
            projection=projection,
            inherited=inherited,
        )

    def _at(self, moment: Moment) -> "Texture":
        from cytoform.imaging.optics import Optics

        texture = self.open()
        for name in [name for name in OF_OPTICS if name in self.dials]:
            if not isinstance(texture, Optics):
                dial = name.removesuffix("_um").replace("_", "-")
                raise InputError(
                    f"--{dial}: {self.name} is a trained model, whose light is learned; it takes --texture optics"
                )
            texture = Optics(OF_OPTICS[name](texture.parameters, self.dials[name], moment))
        return texture


@functools.lru_cache(maxsize=4)
def _open(name: str, device: str, optics: str) -> "Texture":
    from cytoform.imaging.texture import open_texture

    return _calibrated(optics) if optics else open_texture(name, device=device)


def _calibrated(optics: str) -> "Texture":
    from cytoform.base.gate import parse_toml
    from cytoform.base.settings import check_settings
    from cytoform.imaging.optics import Optics, OpticsParameters

    return Optics(check_settings(OpticsParameters, parse_toml(optics), where="calibrated optics"))


def refuse_unfit(choice: TextureChoice, moment: Moment, *, planes: int, projection: bool) -> None:
    """Raise InputError before the long work if the texture cannot be opened or cannot render such frames."""
    if choice.paints:
        labels = np.zeros((planes, 32, 32), np.uint16)
        labels[:, 8:24, 8:24] = 1
        choice.render(labels, moment, projection=projection)
