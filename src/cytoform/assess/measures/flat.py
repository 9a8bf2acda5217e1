"""Descriptors of a cell in one image; definitions and errors: docs/measures.md."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.assess.measures.curvature import curvature_spread_per_um, turning_per_um
from cytoform.assess.measures.descriptors import SKELETON, ZERO_LEVEL, Descriptor, elongation, solidity
from cytoform.assess.measures.protrusions import protrusion_lengths_um
from cytoform.shapes.outline import Outline

FLAT_DESCRIPTORS = {
    "area_um2": Descriptor("Area", "µm²", "pixels of the mask times their area", "DIPlib Size"),
    "perimeter_um": Descriptor("Perimeter", "µm", f"length of the {ZERO_LEVEL}", "marching squares"),
    "circularity": Descriptor(
        "Circularity", "", f"4π A / P² of the {ZERO_LEVEL}: 1 for a disc, smaller the less round", "ImageJ Circularity"
    ),
    "elongation": Descriptor(
        "Elongation",
        "",
        f"longer over shorter axis of the ellipse with the second moments of the {ZERO_LEVEL}",
        "ITK ShapeLabelObject",
    ),
    "solidity": Descriptor(
        "Solidity", "", f"area of the {ZERO_LEVEL} over that of its convex hull", "scikit-image regionprops"
    ),
    "protrusions": Descriptor(
        "Protrusions", "", "tips of the skeleton beyond the body, at least 3 pixels and a fifth of its depth", SKELETON
    ),
    "protrusion_total_um": Descriptor(
        "Total protrusion length", "µm", "sum of their lengths, each beyond the disc inscribed at its root", SKELETON
    ),
    "protrusion_longest_um": Descriptor("Longest protrusion", "µm", "the longest of them, 0 without", SKELETON),
    "curvature_per_um": Descriptor(
        "Mean curvature", "1/µm", f"mean over the length of the {ZERO_LEVEL}", "total turning of the polygons"
    ),
    "curvature_spread_per_um": Descriptor(
        "Curvature spread",
        "1/µm",
        "standard deviation over the length of the curvature at a scale of a tenth of the cell's radius",
        "divergence of the smoothed field's normals",
    ),
}
MAIN_FLAT_DESCRIPTORS = ("area_um2", "perimeter_um", "circularity")


@dataclass(frozen=True)
class FlatDescriptors:
    """Descriptors of a frame, a field for each of FLAT_DESCRIPTORS. An empty frame has area and perimeter 0, else NaN."""

    area_um2: float
    perimeter_um: float
    circularity: float
    elongation: float = math.nan
    solidity: float = math.nan
    protrusions: float = math.nan
    protrusion_total_um: float = math.nan
    protrusion_longest_um: float = math.nan
    curvature_per_um: float = math.nan
    curvature_spread_per_um: float = math.nan

    @property
    def size(self) -> float:
        """The area, as the size in any number of dimensions."""
        return self.area_um2

    @property
    def extent(self) -> float:
        """The perimeter, as the extent of the boundary in any number of dimensions."""
        return self.perimeter_um

    @property
    def roundness(self) -> float:
        """The circularity, as the roundness in any number of dimensions."""
        return self.circularity


EMPTY_FLAT = FlatDescriptors(0.0, 0.0, math.nan)


def circularity(perimeter_um: float, area_um2: float) -> float:
    """4π A / P²: 1 for a disc, smaller the less round."""
    return 4 * math.pi * area_um2 / perimeter_um**2


def describe_flat(sdf_um: Float[np.ndarray, "y x"], outline: Outline, spacing_um: float) -> FlatDescriptors:
    """Descriptors of a non-empty image; `outline` is the zero level of `sdf_um`."""
    mask = sdf_um <= 0
    lengths_um = protrusion_lengths_um(mask, spacing_um)
    return FlatDescriptors(
        area_um2=float(mask.sum()) * spacing_um**2,
        perimeter_um=outline.perimeter_um,
        circularity=circularity(outline.perimeter_um, outline.area_um2),
        elongation=elongation(outline),
        solidity=solidity(outline),
        protrusions=float(len(lengths_um)),
        protrusion_total_um=float(lengths_um.sum()),
        protrusion_longest_um=float(lengths_um.max(initial=0)),
        curvature_per_um=turning_per_um(outline),
        curvature_spread_per_um=curvature_spread_per_um(sdf_um, outline, spacing_um),
    )
