"""Parameters of the simulators: options of the calls and of the commands."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from cyclopts import Parameter

from cytoform.base.options import LENGTH_UM, NOT_AN_OPTION, check_ranges, real, whole
from cytoform.base.triples import Floats
from cytoform.errors import InputError

MAX_GENERATIONS = 3
VOLUME = real(1e-6, 1e9)  # µm³
# Filopodia are widest at their root and thin out: radius at root and tip, relative to the middle.
ROOT, TIP = 1.3, 0.7
# How deep the root's first ball lies under the body's surface, in root radii: deep enough not to show before it grows.
DEPTH = 2.6


@Parameter(name="*")
@dataclass(frozen=True)
class MitosisParameters:
    """Parameters of a population of dividing cells; the defaults imitate the C. elegans cells of the paper."""

    size_um3: Annotated[float, Parameter("--size"), VOLUME] = 34.7
    """Mean volume of a family over the movie, in µm³."""
    # Standard deviation of ln(volume) between families.
    size_spread: Annotated[float, NOT_AN_OPTION] = 0.335
    cycle_min: Annotated[float | None, Parameter("--cycle"), real(1e-6, 1e6)] = None
    """Length of a cell cycle in minutes; by default the movie divided by the generations."""
    generations: Annotated[int, whole(0, MAX_GENERATIONS)] = 1
    """Divisions a family goes through, 0 to 3."""
    daughter_share: Annotated[float, real(0.5, 0.8)] = 0.6
    """The larger daughter's largest share of her mother's volume, 0.5 to 0.8; each division draws from 0.5 up."""
    # A cell's volume after one cycle, relative to its beginning.
    growth: Annotated[float, NOT_AN_OPTION] = 1.4
    # Undulation of the surface between divisions, in cell radii.
    irregularity: Annotated[float, NOT_AN_OPTION] = 0.18
    # Length over width between divisions, on average.
    slenderness: Annotated[float, NOT_AN_OPTION] = 1.7
    drift_um_per_min: Annotated[float, NOT_AN_OPTION] = 0.03
    dims: Literal[3, 2] = 3
    """Dimensions of space: 3, or 2 for cells in images. Those have the area that a ball of this volume has in its middle."""

    def __post_init__(self) -> None:
        check_ranges(self)

    def check_voxels(self, spacing_zyx_um: Floats) -> None:
        """Refuse voxels that a daughter would hardly fill."""
        daughter_um = 2 * ball_radius_um(self.size_um3 / 2**self.generations)
        if daughter_um < 1.5 * max(spacing_zyx_um):
            given = " ".join(f"{step:g}" for step in spacing_zyx_um)
            raise InputError(
                f"--voxel-size {given}: the last daughters are only {daughter_um:.2g} µm wide; choose smaller voxels"
            )


@Parameter(name="*")
@dataclass(frozen=True)
class FilopodiaParameters:
    """Parameters of a population of cells with filopodia; the defaults imitate the simulated A549 cells of the paper.

    Filopodia are 0.1-0.3 µm thick and 1-10 µm long (Mattila and Lappalainen 2008, Nat. Rev. Mol. Cell Biol. 9:446);
    that some branch while they grow is what FiloGen simulates (Sorokin et al. 2018, IEEE Trans. Med. Imaging 37:2630).
    Ours are at the thick end, so that voxels of 0.125 µm, the paper's, resolve them.
    """

    dims: ClassVar[int] = 3
    size_um3: Annotated[float, Parameter("--size"), VOLUME] = 50.8
    """Mean volume of a cell with its filopodia, in µm³."""
    # Standard deviation between cells, relative to the mean.
    size_spread: Annotated[float, NOT_AN_OPTION] = 0.06
    number: Annotated[float, real(0, 200)] = 21.0
    """Filopodia that a cell has at a time, on average, branches not counted."""
    length_um: Annotated[float, Parameter("--length"), real(1e-6, 50)] = 4.0
    """Mean length of a full-grown filopodium in µm."""
    radius_um: Annotated[float, Parameter("--radius"), LENGTH_UM] = 0.18
    """Mean radius of a filopodium halfway along, in µm."""
    branches_per_min: Annotated[float, Parameter("--branching"), real(0, 10)] = 0.15
    """New branches that a filopodium gets in a minute, on average."""
    # How fast tips advance and withdraw.
    growth_um_per_min: Annotated[float, NOT_AN_OPTION, real(1e-6, 1e6)] = 2.0
    # From sprouting to the end of withdrawal, on average.
    lifetime_min: Annotated[float, NOT_AN_OPTION, real(1e-6, 1e6)] = 6.0
    # Undulation of the body, in body radii.
    irregularity: Annotated[float, NOT_AN_OPTION] = 0.2
    drift_um_per_min: Annotated[float, NOT_AN_OPTION] = 0.05

    def __post_init__(self) -> None:
        check_ranges(self)
        self._check_proportions()

    def check_voxels(self, spacing_zyx_um: Floats) -> None:
        """Refuse filopodia thinner than a third of a voxel: masks could no longer show where they are."""
        if 2 * self.radius_um < max(spacing_zyx_um) / 3:
            given = " ".join(f"{step:g}" for step in spacing_zyx_um)
            raise InputError(
                f"--radius {self.radius_um:g}: filopodia {2 * self.radius_um:g} µm thick are thinner than a third of a "
                f"voxel of {given} µm; choose smaller voxels or a radius of at least {max(spacing_zyx_um) / 6:.3g} µm"
            )

    def _check_proportions(self) -> None:
        body_um = (3 * self.size_um3 / (4 * math.pi)) ** (1 / 3)
        if DEPTH * ROOT * self.radius_um > 0.9 * body_um:
            raise InputError(f"--radius {self.radius_um}: too thick for a cell body of radius {body_um:.2f} µm")
        if self.length_um < 2 * self.radius_um:
            raise InputError(f"--length {self.length_um}: a filopodium is longer than it is thick; raise it")
        filopodia = self.number * math.pi * self.radius_um**2 * self.length_um
        if filopodia > 0.5 * self.size_um3:
            raise InputError(
                f"--number {self.number:g}: {filopodia:.0f} µm³ of filopodia leave no body in a cell of "
                f"{self.size_um3:g} µm³; choose fewer, shorter or thinner ones"
            )


@Parameter(name="*")
@dataclass(frozen=True)
class BlebsParameters:
    """Parameters of a population of lobed cells with blebs and ruffles.

    Blebs are round, swell in about 30 s and are drawn back in about 2 min (Charras et al. 2008, Biophys. J. 94:1836).
    Ruffles are sheets that rise from the surface and travel over it (Borm et al. 2005, Exp. Cell Res. 302:83).
    The other sizes and rates are chosen for voxels of 0.2 µm and frames 10 s apart.
    """

    dims: ClassVar[int] = 3
    size_um3: Annotated[float, Parameter("--size"), VOLUME] = 300.0
    """Mean volume of a cell with its blebs and ruffles, in µm³."""
    # Standard deviation between cells, relative to the mean.
    size_spread: Annotated[float, NOT_AN_OPTION] = 0.15
    blebs: Annotated[float, real(0, 100)] = 8.0
    """Blebs that a cell has at a time, on average."""
    bleb_radius_um: Annotated[float, Parameter("--bleb-radius"), LENGTH_UM] = 1.3
    """Mean radius of a full-grown bleb in µm."""
    swelling_s: Annotated[float, Parameter("--swelling"), real(1e-3, 1e6)] = 20.0
    """Seconds that a bleb takes to swell, on average."""
    retraction_s: Annotated[float, Parameter("--retraction"), real(1e-3, 1e6)] = 90.0
    """Seconds that a bleb takes to be drawn back, on average."""
    ruffles: Annotated[float, real(0, 30)] = 3.0
    """Ruffles that a cell has at a time, on average."""
    ruffle_width_um: Annotated[float, Parameter("--ruffle-width"), LENGTH_UM] = 5.0
    """Mean width of a ruffle along its foot, in µm."""
    ruffle_height_um: Annotated[float, Parameter("--ruffle-height"), LENGTH_UM] = 1.6
    """Mean height of a full-grown ruffle in µm."""
    thickness_um: Annotated[float, Parameter("--thickness"), LENGTH_UM] = 0.5
    """Thickness of ruffles in µm."""
    # From rising to the end of sinking, on average.
    ruffle_life_s: Annotated[float, NOT_AN_OPTION] = 90.0
    ruffle_speed_um_per_min: Annotated[float, NOT_AN_OPTION] = 1.5
    # Lowest and highest lobe of the body, in body radii.
    lobe_heights: Annotated[tuple[float, float], NOT_AN_OPTION] = (0.3, 0.9)
    # Undulation of the body, in body radii.
    irregularity: Annotated[float, NOT_AN_OPTION] = 0.12
    drift_um_per_min: Annotated[float, NOT_AN_OPTION] = 0.2

    def __post_init__(self) -> None:
        check_ranges(self)
        self._check_proportions()

    def check_voxels(self, spacing_zyx_um: Floats) -> None:
        """Refuse ruffles thinner than a voxel, in which masks would have holes, and blebs narrower than two voxels."""
        longest = max(spacing_zyx_um)
        given = " ".join(f"{step:g}" for step in spacing_zyx_um)
        if self.ruffles and self.thickness_um < longest:
            raise InputError(
                f"--thickness {self.thickness_um:g}: ruffles are thinner than a voxel of {given} µm; choose smaller "
                f"voxels, a thickness of at least {longest:g} µm, or --ruffles 0"
            )
        if self.blebs and self.bleb_radius_um < longest:
            raise InputError(
                f"--bleb-radius {self.bleb_radius_um:g}: blebs are narrower than two voxels of {given} µm; choose "
                f"smaller voxels, a radius of at least {longest:g} µm, or --blebs 0"
            )

    def _check_proportions(self) -> None:
        body_um = ball_radius_um(self.size_um3)
        if self.bleb_radius_um > 0.6 * body_um:
            raise InputError(
                f"--bleb-radius {self.bleb_radius_um:g}: too wide for a cell of radius {body_um:.2f} µm; choose at most "
                f"{0.6 * body_um:.2f} µm"
            )
        if self.thickness_um > min(0.5 * self.ruffle_width_um, 0.3 * body_um):
            raise InputError(
                f"--thickness {self.thickness_um:g}: a ruffle is a thin sheet; lower it or widen the ruffles"
            )
        if self.ruffle_height_um > 2 * body_um:
            raise InputError(
                f"--ruffle-height {self.ruffle_height_um:g}: higher than the cell is wide; choose at most {2 * body_um:.2f} µm"
            )
        outside_um3 = self.blebs * 4 / 3 * math.pi * self.bleb_radius_um**3
        outside_um3 += self.ruffles * self.ruffle_width_um * self.ruffle_height_um * self.thickness_um
        if outside_um3 > 0.5 * self.size_um3:
            raise InputError(
                f"--blebs {self.blebs:g} and --ruffles {self.ruffles:g}: {outside_um3:.0f} µm³ of them leave no body in a "
                f"cell of {self.size_um3:g} µm³; choose fewer or smaller ones"
            )


def ball_radius_um(size: float, n_dims: int = 3) -> float:
    """Radius of a ball of this volume in µm³, or with two dimensions of a disc of this area in µm²."""
    power = 3 * size / (4 * math.pi) if n_dims == 3 else size / math.pi
    return float(power ** (1 / n_dims))
