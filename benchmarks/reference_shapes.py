"""Errors of the frame descriptors on shapes with known descriptors.

    python benchmarks/reference_shapes.py            prints the tables
    python benchmarks/reference_shapes.py --write    also inserts them into docs/measures.md

Each shape is measured from its exact distance, and from masks processed by `prepare`, on cubic voxels and on voxels 2 and 4
times as long along z. Errors are the largest over several positions relative to the voxels.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytoform.assess.measures.descriptors import Descriptors, describe
from cytoform.shapes.distance import signed_distance
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import mesh_from_distance
from cytoform.simulate.analytic import AnalyticShape, Ball, Capsule, Points, SpikedBall, Torus

PAGE = Path(__file__).parents[1] / "docs" / "measures.md"
BEGIN, END = "<!-- reference_shapes.py -->", "<!-- end -->"
HALF_EXTENT_UM, SIZES, SLICES = 8.0, (32, 64, 128), (1, 2, 4)
RELATIVE = ("size_um3", "surface_um2", "surface_diplib_um2", "sphericity", "sphericity_diplib", "elongation", "solidity",
            "curvature_per_um")  # fmt: skip
HEADS = ("size", "surface", "DIPlib surface", "sphericity", "DIPlib sphericity", "elongation", "solidity", "curvature",
         "spread / curvature (truth)", "protrusions")  # fmt: skip


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid with half axes along z, y, x; distance exact to first order at the surface, with the exact sign."""

    axes_zyx_um: tuple[float, float, float]

    def distance_um(self, points_zyx_um: Points, time: float = 0.0) -> np.ndarray:
        level = np.linalg.norm(points_zyx_um / self.axes_zyx_um, axis=1)
        slope = np.linalg.norm(points_zyx_um / np.square(self.axes_zyx_um), axis=1)
        return level * (level - 1) / np.maximum(slope, 1e-9)


@dataclass(frozen=True)
class Case:
    """A shape and its true descriptors."""

    shape: AnalyticShape
    volume_um3: float
    area_um2: float
    elongation: float
    solidity: float
    curvature_per_um: float
    spread_per_um: float

    def truth(self, name: str) -> float:
        sphericity = self.area_um2**1.5 / (6 * np.pi**0.5 * self.volume_um3)
        given = {"size_um3": self.volume_um3, "surface_um2": self.area_um2, "surface_diplib_um2": self.area_um2}
        given |= {"sphericity": sphericity, "sphericity_diplib": sphericity}
        return given[name] if name in given else float(getattr(self, name))


def ball() -> Case:
    shape = Ball(4.0)
    return Case(shape, shape.volume_um3(), shape.area_um2(), 1.0, 1.0, 0.25, 0.0)


def ellipsoid() -> Case:
    """Descriptors by quadrature over the unit sphere."""
    axes = np.array((3.0, 4.0, 6.0))
    height, angle = (
        axis.ravel() for axis in np.meshgrid(np.linspace(-1, 1, 2002)[1:-1], np.linspace(0, 2 * np.pi, 1001)[1:])
    )
    across = np.sqrt(1 - height**2)
    units = np.stack([height, across * np.cos(angle), across * np.sin(angle)], axis=1)
    areas = axes.prod() * np.linalg.norm(units / axes, axis=1)
    slope, bend = units / axes, 1 / axes**2
    steep = np.linalg.norm(slope, axis=1)
    curvature = (steep**2 * bend.sum() - (slope**2 * bend).sum(axis=1)) / (2 * steep**3)
    mean = np.average(curvature, weights=areas)
    spread = np.sqrt(np.average((curvature - mean) ** 2, weights=areas))
    volume = 4 / 3 * np.pi * axes.prod()
    return Case(Ellipsoid((3.0, 4.0, 6.0)), volume, 4 * np.pi * areas.mean(), 1.5, 1.0, float(mean), float(spread))


def capsule() -> Case:
    r, l = 2.0, 6.0
    shape = Capsule(r, l)
    tube, caps = np.pi * r**2 * l, 4 / 3 * np.pi * r**3
    along = tube * l**2 / 12 + caps * (l**2 / 4 + 3 * r * l / 8 + r**2 / 5)
    across = tube * r**2 / 4 + caps * r**2 / 5
    side = l / (l + 2 * r)
    mean = side / (2 * r) + (1 - side) / r
    spread = np.sqrt(side * (1 - side)) / (2 * r)
    return Case(shape, shape.volume_um3(), shape.area_um2(), float(np.sqrt(along / across)), 1.0, mean, float(spread))


def torus() -> Case:
    big, r = 4.5, 1.5
    shape = Torus(big, r)
    out = big + r * np.cos(np.linspace(0, 2 * np.pi, 2000, endpoint=False))
    curvature = (2 * out - big) / (2 * r * out)
    spread = np.sqrt(np.average((curvature - 1 / (2 * r)) ** 2, weights=out))
    hull = np.pi * (2 * r * big**2 + np.pi * big * r**2 + 4 / 3 * r**3)
    return Case(shape, shape.volume_um3(), shape.area_um2(), 1.0, shape.volume_um3() / hull, 1 / (2 * r), float(spread))


CASES = {"ball, radius 4 µm": ball(), "ellipsoid, 3 × 4 × 6 µm": ellipsoid(), "capsule, radius 2, length 10 µm": capsule(),
         "torus, radii 4.5 and 1.5 µm": torus()}  # fmt: skip


def measured(shape: AnalyticShape, size: int, slices: int | None, offset_zyx: np.ndarray) -> Descriptors:
    """Measure a shape from its mask on voxels `slices` times as long along z, or (None) from its exact distance."""
    grid = Grid(size, HALF_EXTENT_UM)
    spacing_zyx_um = (grid.spacing_um * (slices or 1), grid.spacing_um, grid.spacing_um)
    numbers = (size // (slices or 1), size, size)
    axes = [(np.arange(n) + 0.5) * s - HALF_EXTENT_UM - o * s
            for n, s, o in zip(numbers, spacing_zyx_um, offset_zyx, strict=True)]  # fmt: skip
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    sdf_um = shape.distance_um(points, 1.0).reshape(numbers).astype(np.float32)
    if slices is not None:
        sdf_um = signed_distance(sdf_um <= 0, spacing_zyx_um, grid, (HALF_EXTENT_UM,) * 3)
    return describe(sdf_um, mesh_from_distance(sdf_um, grid.spacing_um), grid.spacing_um)


def rows(n_places: int) -> list[str]:
    """The table of errors."""
    places = np.random.default_rng(0).uniform(-0.5, 0.5, (n_places, 3))
    found = ["| shape | grid | from | " + " | ".join(HEADS) + " |", "|---" * (len(HEADS) + 3) + "|"]
    for name, case in CASES.items():
        for size in SIZES:
            for slices in (None, *SLICES):
                each = [measured(case.shape, size, slices, place) for place in places]
                cells = []
                for key in RELATIVE:
                    errors = [getattr(d, key) / case.truth(key) - 1 for d in each]
                    cells.append(f"{100 * max(errors, key=abs):+.1f} %")
                spread = max(d.curvature_spread_per_um for d in each) / case.curvature_per_um
                cells.append(f"{spread:.2f} ({case.spread_per_um / case.curvature_per_um:.2f})")
                cells.append(f"{max(d.protrusions for d in each):.0f}")
                source = "exact distance" if slices is None else f"mask, z × {slices}"
                found.append(f"| {name} | {size}³ | {source} | " + " | ".join(cells) + " |")
    return found


def filopodium_rows(n_places: int) -> list[str]:
    """The table of protrusions: a ball of 3.2 µm with a filopodium of radius 0.4 µm, which protrudes by 3.8 µm."""
    places = np.random.default_rng(0).uniform(-0.5, 0.5, (n_places, 3))
    shape = SpikedBall(3.2, 0.4, 7.0)
    found = ["| grid | from | protrusions (1) | length, µm (3.80) |", "|---|---|---|---|"]
    for size in SIZES:
        for slices in (None, *SLICES):
            each = [measured(shape, size, slices, place) for place in places]
            numbers = "–".join(f"{n:.0f}" for n in sorted({d.protrusions for d in each}))
            lengths = [d.protrusion_longest_um for d in each]
            source = "exact distance" if slices is None else f"mask, z × {slices}"
            found.append(f"| {size}³ | {source} | {numbers} | {min(lengths):.2f} to {max(lengths):.2f} |")
    return found


def main() -> None:
    """Print the tables, or write them to the docs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--places", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    text = "\n".join([*rows(arguments.places), "", *filopodium_rows(arguments.places)])
    print(text)
    if arguments.write:
        page = PAGE.read_text("utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
