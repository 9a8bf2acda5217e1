"""Descriptors of one frame (paper section 3.2, table 1, and more); definitions and errors: docs/measures.md.

Those of cells in images are in flat.py.

There are two estimates of the area. The recommended one is the area of the mesh of the distance field's zero level: on
balls and ellipsoids at least 10 voxels wide its error is below 1.2 %, from 20 voxels below 0.3 %, always too small, and
the error of its sphericity, where errors cancel, below 0.7 %. The paper uses DIPlib's estimate from the binary mask. Its
error is up to 3 % (thin shapes) in both directions and up to 24 % on flat faces along the axes. Both are reported
separately, so that published tables can be compared.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cytoform.assess.measures.curvature import curvature_spread_per_um, mean_curvature_per_um
from cytoform.assess.measures.dip import load_diplib
from cytoform.assess.measures.protrusions import protrusion_lengths_um
from cytoform.shapes.boundary import Boundary, cones
from cytoform.shapes.mesh import Mesh


@dataclass(frozen=True)
class Descriptor:
    """Title, unit, definition and source of a measure, for tables and figures."""

    title: str
    unit: str
    definition: str = ""
    source: str = ""


ZERO_LEVEL = "zero level of the distance field"
SKELETON = "Euclidean skeleton (DIPlib), paths farthest first (Sato et al. 2000)"
DESCRIPTORS = {
    "size_um3": Descriptor("Size", "µm³", "voxels of the mask times their volume", "DIPlib Size"),
    "surface_um2": Descriptor(
        "Surface area", "µm²", f"area of the {ZERO_LEVEL}", "marching cubes (Lorensen and Cline 1987)"
    ),
    "sphericity": Descriptor(
        "Sphericity", "", f"A^1.5 / (6 √π V) of the {ZERO_LEVEL}: 1 for a ball, larger the less round", "DIPlib P2A"
    ),
    "surface_diplib_um2": Descriptor("DIPlib surface", "µm²", "area estimated from the mask", "DIPlib SurfaceArea"),
    "sphericity_diplib": Descriptor("DIPlib sphericity", "", "the same as sphericity, from the mask", "DIPlib P2A"),
    "elongation": Descriptor(
        "Elongation",
        "",
        f"longest over second longest axis of the ellipsoid with the second moments of the {ZERO_LEVEL}",
        "ITK ShapeLabelObject",
    ),
    "solidity": Descriptor(
        "Solidity", "", f"volume of the {ZERO_LEVEL} over that of its convex hull", "scikit-image regionprops, in 3D"
    ),
    "protrusions": Descriptor(
        "Protrusions", "", "tips of the skeleton beyond the body, at least 3 voxels and a fifth of its depth", SKELETON
    ),
    "protrusion_total_um": Descriptor(
        "Total protrusion length", "µm", "sum of their lengths, each beyond the ball inscribed at its root", SKELETON
    ),
    "protrusion_longest_um": Descriptor("Longest protrusion", "µm", "the longest of them, 0 without", SKELETON),
    "curvature_per_um": Descriptor(
        "Mean curvature", "1/µm", f"mean over the area of the {ZERO_LEVEL}", "edge lengths and angles (Santaló 1976)"
    ),
    "curvature_spread_per_um": Descriptor(
        "Curvature spread",
        "1/µm",
        "standard deviation over the area of the mean curvature at a scale of a tenth of the cell's radius",
        "divergence of the smoothed field's normals",
    ),
}
# The descriptors of figure 3 of the paper.
MAIN_DESCRIPTORS = ("size_um3", "surface_um2", "sphericity")


@dataclass(frozen=True, kw_only=True)
class SharedDescriptors:
    """Descriptors of one frame that volumes and images have in common; NaN for an empty frame."""

    elongation: float = math.nan
    solidity: float = math.nan
    protrusions: float = math.nan
    protrusion_total_um: float = math.nan
    protrusion_longest_um: float = math.nan
    curvature_per_um: float = math.nan
    curvature_spread_per_um: float = math.nan


@dataclass(frozen=True)
class Descriptors(SharedDescriptors):
    """Descriptors of one frame, a field for each of DESCRIPTORS. An empty frame has size and surface 0, the rest is NaN."""

    size_um3: float
    surface_um2: float
    sphericity: float
    surface_diplib_um2: float
    sphericity_diplib: float

    @property
    def size(self) -> float:
        """The volume, as the size in any number of dimensions."""
        return self.size_um3

    @property
    def extent(self) -> float:
        """The surface area, as the extent of the boundary in any number of dimensions."""
        return self.surface_um2

    @property
    def roundness(self) -> float:
        """The sphericity, as the roundness in any number of dimensions."""
        return self.sphericity


EMPTY = Descriptors(0.0, 0.0, math.nan, 0.0, math.nan)


def sphericity(area_um2: float, volume_um3: float) -> float:
    """DIPlib's P2A in 3D, A^1.5 / (6√π·V): 1 for a ball, larger the less round."""
    return area_um2**1.5 / (6 * math.sqrt(math.pi) * volume_um3)


def describe(sdf_um: Float[np.ndarray, "z y x"], mesh: Mesh, spacing_um: float) -> Descriptors:
    """Descriptors of a non-empty frame on an isotropic grid; `mesh` is the zero level of `sdf_um`."""
    mask = sdf_um <= 0
    size_um3, area_um2, p2a = _by_diplib(mask, spacing_um)
    return Descriptors(
        size_um3=size_um3,
        surface_um2=mesh.area_um2,
        sphericity=sphericity(mesh.area_um2, mesh.volume_um3),
        surface_diplib_um2=area_um2,
        sphericity_diplib=p2a,
        curvature_per_um=mean_curvature_per_um(mesh),
        **shared(sdf_um, mesh, spacing_um),
    )


def shared(sdf_um: Float[np.ndarray, "*zyx"], boundary: Boundary, spacing_um: float) -> dict[str, float]:
    """The fields of SharedDescriptors that have one definition in any number of dimensions: all but the mean curvature."""
    lengths_um = protrusion_lengths_um(sdf_um <= 0, spacing_um)
    return {
        "elongation": elongation(boundary),
        "solidity": solidity(boundary),
        "protrusions": float(len(lengths_um)),
        "protrusion_total_um": float(lengths_um.sum()),
        "protrusion_longest_um": float(lengths_um.max(initial=0)),
        "curvature_spread_per_um": curvature_spread_per_um(sdf_um, boundary, spacing_um),
    }


def _by_diplib(mask: Bool[np.ndarray, "z y x"], spacing_um: float) -> tuple[float, float, float]:
    """Size, surface area and sphericity of a mask; the last two are not a number where DIPlib is missing."""
    diplib = load_diplib()
    if diplib is None:
        return float(mask.sum()) * spacing_um**3, math.nan, math.nan
    # DIPlib's area needs a voxel of background around the cell, also at the border of the cube.
    labels = diplib.Image(np.pad(mask, 1).astype(np.uint32))
    labels.SetPixelSize(spacing_um, "um")
    # The values below are views into this object, which must outlive them.
    measured = diplib.MeasurementTool.Measure(labels, features=["Size", "SurfaceArea", "P2A"])
    size, area, p2a = (float(measured[feature][1][0]) for feature in ("Size", "SurfaceArea", "P2A"))
    return size, area, p2a


def titled(measure: Descriptor) -> str:
    """Title of a measure with its unit, if any."""
    return f"{measure.title} [{measure.unit}]" if measure.unit else measure.title


def elongation(boundary: Boundary) -> float:
    """Longest over second longest axis of the ellipsoid with equal second moments; 1 for a ball and for a disc."""
    n_dims = boundary.vertices_um.shape[1]
    corners, sizes = cones(boundary, boundary.vertices_um.mean(axis=0, dtype=float))
    total = sizes.sum()
    if total <= 0:
        return math.nan
    corners_sum = corners.sum(axis=1)
    centroid = sizes @ corners_sum / (n_dims + 1) / total
    points = [*np.moveaxis(corners, 1, 0), corners_sum]
    moments = sum(np.einsum("n,ni,nj->ij", sizes, p, p) for p in points) / ((n_dims + 1) * (n_dims + 2))
    *_, second, longest = np.linalg.eigvalsh(moments / total - np.outer(centroid, centroid))
    return float(np.sqrt(longest / second)) if second > 0 else math.nan


def solidity(boundary: Boundary) -> float:
    """Size over that of the convex hull: 1 for a convex body, less with protrusions, hollows or several components."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        return boundary.size / float(ConvexHull(boundary.vertices_um).volume)
    except QhullError:
        return math.nan  # flat: a mesh without volume
