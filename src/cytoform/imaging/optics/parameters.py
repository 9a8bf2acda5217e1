"""What a microscope, its camera and its stain are like: every quantity in a physical unit that its name states."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import Field, model_validator

from cytoform.base.settings import SettingsSection, check_settings, read_toml

Distribution = Literal["uniform", "membrane", "textured"]


class Fluorophores(SettingsSection):
    """Where in a cell the fluorophores are, and how bright they are."""

    distribution: Distribution = "textured"
    # Mean over cells of what a pixel in the middle of a cell larger than the point-spread function gets in one exposure.
    photons_per_pixel: float = Field(300.0, ge=0)
    brightness_variation: float = Field(0.3, ge=0, le=5)  # from cell to cell: standard deviation / mean, log-normal
    membrane_thickness_um: float = Field(0.5, gt=0)  # of the stained shell below the surface; only "membrane" has it
    texture_contrast: float = Field(0.2, ge=0, le=5)  # inside a cell: standard deviation / mean, log-normal
    texture_correlation_um: float = Field(1.0, gt=0)
    # One plane shows cells that are round from below to above: over how much of the border their thickness rises.
    rim_um: float = Field(0.0, ge=0)


class Microscope(SettingsSection):
    """What sets the point-spread function."""

    kind: Literal["widefield", "confocal"] = "confocal"
    numerical_aperture: float = Field(1.2, gt=0)
    immersion_index: float = Field(1.333, ge=1, le=2)
    emission_nm: float = Field(525.0, ge=100, le=3000)
    excitation_nm: float = Field(488.0, ge=100, le=3000)  # confocal only
    pinhole_airy: float = Field(1.0, gt=0, le=50)  # diameter in Airy discs; confocal only
    out_of_focus_um: float = Field(5.0, gt=0)  # light from farther above or below is not followed: it is haze
    extra_blur_um: float = Field(0.0, ge=0)  # standard deviation, laterally: aberrations, motion, a resampled image

    @model_validator(mode="after")
    def _aperture_fits(self) -> "Microscope":
        if self.numerical_aperture > self.immersion_index:
            raise ValueError(
                f"numerical_aperture = {self.numerical_aperture:g} is above immersion_index = {self.immersion_index:g}, which"
                f" no lens reaches; air has 1, water 1.333, oil 1.515"
            )
        return self

    @model_validator(mode="after")
    def _excitation_is_shorter(self) -> "Microscope":
        if self.kind == "confocal" and self.excitation_nm > self.emission_nm:
            raise ValueError(
                f"excitation_nm = {self.excitation_nm:g} is longer than emission_nm = {self.emission_nm:g}"
            )
        return self


class Background(SettingsSection):
    """Light that comes from no cell in particular, and light that gets lost."""

    photons_per_pixel: float = Field(10.0, ge=0)
    unevenness: float = Field(0.0, ge=0, le=2)  # of that light over the field: standard deviation / mean
    unevenness_um: float = Field(50.0, gt=0)  # over what distance it varies
    haze_fraction: float = Field(0.0, ge=0, le=1)  # of the cells' light, scattered or from far out of focus
    haze_um: float = Field(10.0, gt=0)  # how far it is spread: standard deviation
    vignetting: float = Field(0.0, ge=0, lt=1)  # share of the illumination missing in the corners of the field


class Camera(SettingsSection):
    """From photons to grey values."""

    quantum_efficiency: float = Field(0.8, gt=0, le=1)
    gain_electrons_per_adu: float = Field(0.5, gt=0)
    offset_adu: float = Field(100.0, ge=0)
    read_noise_electrons: float = Field(1.6, ge=0)  # root mean square
    # Charge or voltage that runs into the next pixels of a row (x) while it is read out, noise included: standard deviation.
    readout_smear_pixels: float = Field(0.0, ge=0, le=10)
    bit_depth: int = Field(16, ge=1, le=16)


class OpticsParameters(SettingsSection):
    """All of it. The defaults are a spinning-disc or laser-scanning confocal with a water lens and a scientific CMOS camera."""

    fluorophores: Fluorophores = Fluorophores()
    microscope: Microscope = Microscope()
    background: Background = Background()
    camera: Camera = Camera()

    def to_toml(self) -> str:
        """As a parameter file."""
        return tomli_w.dumps(self.model_dump(mode="json"))


def preset_names() -> list[str]:
    """Names of the microscopes that come with cytoform."""
    return sorted(entry.name.removesuffix(".toml") for entry in _presets().iterdir() if entry.name.endswith(".toml"))


def read_parameters(what: str | Path) -> OpticsParameters:
    """Read a parameter file, or a preset by its name; what it leaves out keeps its default.

    Raises InputError that names the first wrong setting.
    """
    path = Path(what)
    values = tomllib.loads((_presets() / f"{what}.toml").read_text()) if what in preset_names() else read_toml(path)
    return check_settings(OpticsParameters, values, where=str(what))


def _presets() -> Any:
    return resources.files("cytoform.imaging.optics") / "presets"
