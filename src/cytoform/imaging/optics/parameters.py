"""Parameters of stain, microscope, background and camera; names state the physical unit."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import Field, model_validator

import cytoform
from cytoform.base.gate import read_toml
from cytoform.base.settings import SettingsSection, check_settings

Distribution = Literal["uniform", "membrane", "textured"]


class Fluorophores(SettingsSection):
    """Distribution and brightness of the fluorophores in a cell."""

    distribution: Distribution = "textured"
    # Mean over cells of the photons per exposure of a pixel inside a cell larger than the point-spread function.
    photons_per_pixel: float = Field(300.0, ge=0, le=1e9)
    brightness_variation: float = Field(0.3, ge=0, le=5)  # between cells: standard deviation / mean, log-normal
    membrane_thickness_um: float = Field(
        0.5, ge=1e-6, le=1e6
    )  # of the stained shell below the surface; "membrane" only
    texture_contrast: float = Field(0.2, ge=0, le=5)  # within a cell: standard deviation / mean, log-normal
    texture_correlation_um: float = Field(1.0, ge=1e-6, le=1e6)
    # In 2D images of round cells: width of the border region in which their thickness rises.
    rim_um: float = Field(0.0, ge=0, le=1e6)


class Microscope(SettingsSection):
    """Properties of the point-spread function."""

    kind: Literal["widefield", "confocal"] = "confocal"
    numerical_aperture: float = Field(1.2, ge=0.01)
    immersion_index: float = Field(1.333, ge=1, le=2)
    emission_nm: float = Field(525.0, ge=100, le=3000)
    excitation_nm: float = Field(488.0, ge=100, le=3000)  # confocal only
    pinhole_airy: float = Field(1.0, ge=0.01, le=50)  # diameter in Airy discs; confocal only
    out_of_focus_um: float = Field(5.0, ge=1e-3, le=1e4)  # half-depth of the kernel; light from beyond counts as haze
    extra_blur_um: float = Field(0.0, ge=0, le=1e4)  # lateral standard deviation: aberrations, motion, resampling

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


class BackgroundParameters(SettingsSection):
    """Light outside cells, scattered light, and uneven illumination."""

    photons_per_pixel: float = Field(10.0, ge=0, le=1e9)
    unevenness: float = Field(0.0, ge=0, le=2)  # of the background over the field: standard deviation / mean
    unevenness_um: float = Field(50.0, ge=1e-3, le=1e6)  # correlation length of the unevenness
    haze_fraction: float = Field(0.0, ge=0, le=1)  # share of the cells' light, scattered or far out of focus
    haze_um: float = Field(10.0, ge=1e-3, le=1e6)  # standard deviation of its spread
    vignetting: float = Field(0.0, ge=0, lt=1)  # loss of illumination in the corners of the field


class CameraParameters(SettingsSection):
    """Conversion of photons to grey values."""

    quantum_efficiency: float = Field(0.8, ge=1e-6, le=1)
    gain_electrons_per_adu: float = Field(0.5, ge=1e-6, le=1e6)
    offset_adu: float = Field(100.0, ge=0, le=1e6)
    read_noise_electrons: float = Field(1.6, ge=0, le=1e6)  # root mean square
    # Blur along rows (x) of signal and noise during readout: standard deviation.
    readout_smear_pixels: float = Field(0.0, ge=0, le=10)
    bit_depth: int = Field(16, ge=1, le=16)


class OpticsParameters(SettingsSection):
    """All parameters; the defaults are a confocal microscope with a water objective and a scientific CMOS camera."""

    fluorophores: Fluorophores = Fluorophores()
    microscope: Microscope = Microscope()
    background: BackgroundParameters = BackgroundParameters()
    camera: CameraParameters = CameraParameters()

    def to_toml(self) -> str:
        """Text of a parameter file."""
        return f"# Written by cytoform {cytoform.__version__}\n" + tomli_w.dumps(self.model_dump(mode="json"))


def optics_presets() -> list[str]:
    """Names of the microscopes included in cytoform."""
    return sorted(entry.name.removesuffix(".toml") for entry in _presets().iterdir() if entry.name.endswith(".toml"))


def read_parameters(source: str | Path) -> OpticsParameters:
    """Read a parameter file or preset; missing parameters keep their default.

    Raises InputError with the first wrong setting.
    """
    known = source in optics_presets()
    values = tomllib.loads((_presets() / f"{source}.toml").read_text("utf-8")) if known else read_toml(Path(source))
    return check_settings(OpticsParameters, values, where=str(source))


def _presets() -> Any:
    return resources.files("cytoform.imaging.optics") / "presets"
