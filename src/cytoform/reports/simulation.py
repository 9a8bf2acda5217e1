"""The report of a simulation: its cells rendered over time, and their descriptors beside those of the paper."""

import html
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from cytoform.assess.measures.descriptors import sphericity, titled
from cytoform.assess.measures.flat import circularity
from cytoform.assess.measures.kinds import MEASURES
from cytoform.base.parallel import run_all
from cytoform.base.triples import floats, in_volume
from cytoform.pictures.figures import COLOURS, as_png
from cytoform.pictures.page import Section, image, json_block, note, page, table
from cytoform.pictures.sheets import SheetRow, contact_sheet, spread
from cytoform.shapes.boundary import Boundary
from cytoform.shapes.mesh import Mesh
from cytoform.simulate.mitosis import CellBody
from cytoform.simulate.polygon import Polygon
from cytoform.simulate.population import Parameters, SimulatedFamily, kind_of, recorded
from cytoform.simulate.sampling import mesh_of_part

EXACT = {
    3: "These are the exact surfaces: shapes prepared from masks have less, because voxels blunt thin parts (with filopodia "
    "and voxels of 0.125 µm about 9 % less).",
    2: "These are the exact outlines.",
}
FAMILIES_SHOWN, TIMES_SHOWN = 4, 6
# Enough for means and deviations to two digits; the cells of a movie change slowly.
FRAMES_MEASURED = 132
FINEST_UM = 0.12
ROUNDNESS = {3: sphericity, 2: circularity}
# Mean and standard deviation per frame of the original cells that a simulator imitates (paper, table 1).
PAPER = {
    "mitosis": ("C. elegans", ((34.7, 12.5), (62.8, 16.1), (1.54, 0.09))),
    "filopodia": ("filopodial cells", ((50.8, 3.1), (117.8, 19.9), (2.64, 0.51))),
}


def write_simulation_report(
    folder: Path, families: Sequence[SimulatedFamily], parameters: Parameters, *, time_step_s: float, workers: int = 1
) -> Path:
    """Write report.html into `folder`; return the page."""
    measured = measure_families(families, workers=workers)
    png = as_png(render_families(families, time_step_s=time_step_s))
    kind = kind_of(parameters)
    n_frames = families[0].n_frames
    n_dims = families[0].n_dims
    cells = f"Mean and standard deviation of {len(measured)} frames, spread evenly over all movies. {EXACT[n_dims]}"
    if _has_paper(kind, n_dims):
        cells += " The paper measured masks. Its sphericities do not follow from its own means of size and surface."
    sections = [
        Section("cells", "Cells over time", "Cells", image("png", png, "cells over time")),
        Section("descriptors", "Descriptors", "Descriptors", _table(kind, measured, n_dims) + note(cells)),
        Section("parameters", "Parameters", "Parameters", json_block(recorded(parameters))),
    ]
    made = "Surfaces are meshed from the exact distance." if n_dims == 3 else "Cells are polygons in images."
    lead = f"{len(families)} movies of {n_frames} frames, {time_step_s:g} s apart. {made}"
    path = folder / "report.html"
    path.write_text(page(f"Simulated cells: {kind}", lead, sections), "utf-8")
    return path


def measure_families(families: Sequence[SimulatedFamily], *, workers: int = 1) -> Float[np.ndarray, "frames 3"]:
    """Size, surface and sphericity of family unions, or area, perimeter and circularity, in frames spread over the movies."""
    n_frames = families[0].n_frames
    step = max(1, len(families) * n_frames // FRAMES_MEASURED)
    # Every movie at other frames, so that the whole duration is seen.
    tasks = [
        (family, frame) for n, family in enumerate(families) for frame in range(n % min(step, n_frames), n_frames, step)
    ]
    return np.array(run_all(_measure, tasks, workers=workers))


def _measure(family: SimulatedFamily, frame: int) -> tuple[float, float, float]:
    boundaries = BOUNDARIES[family.n_dims](family, frame)
    size, extent = sum(each.size for each in boundaries), sum(each.extent for each in boundaries)
    return size, extent, ROUNDNESS[family.n_dims](extent, size)


def family_mesh(family: SimulatedFamily, frame: float | int) -> Mesh:
    """All cells of a family as one mesh, in µm from the corner of its volume."""
    spacing_um = min(*family.spacing_zyx_um, FINEST_UM)
    meshes = [mesh_of_part(part, spacing_um=spacing_um) for part in family.cell.parts(frame)]
    first = np.cumsum([0, *(len(mesh.vertices_xyz_um) for mesh in meshes[:-1])])
    corner_zyx_um = np.array(in_volume(floats(family.corner_zyx_um), 0.0))
    vertices = np.concatenate([mesh.vertices_xyz_um for mesh in meshes]) - corner_zyx_um[::-1]
    return Mesh(vertices, np.concatenate([mesh.faces + n for mesh, n in zip(meshes, first, strict=True)]))


def _outlines(family: SimulatedFamily, frame: int) -> list[Boundary]:
    surfaces = [part.surface for part in family.cell.parts(frame) if isinstance(part, CellBody)]
    return [surface.outline for surface in surfaces if isinstance(surface, Polygon)]


BOUNDARIES: dict[int, Callable[[SimulatedFamily, int], list[Boundary]]] = {
    3: lambda family, frame: [family_mesh(family, frame)],
    2: _outlines,
}


def render_families(families: Sequence[SimulatedFamily], *, time_step_s: float, tile_px: int = 150) -> Figure:
    """Rows of families and columns of times, all at one scale."""
    frames = spread(families[0].n_frames, TIMES_SHOWN)
    shown = [families[n] for n in spread(len(families), FAMILIES_SHOWN)]
    half_extent_um = max(
        n * step / 2 for family in shown for n, step in zip(family.shape_zyx, family.spacing_zyx_um, strict=True)
    )
    rows = []
    for family in shown:
        volume_um = np.array(in_volume(floats(np.array(family.shape_zyx) * np.array(family.spacing_zyx_um)), 0.0))
        shift = half_extent_um - volume_um[::-1] / 2
        meshes = tuple(
            Mesh((mesh.vertices_xyz_um + shift).astype(np.float32), mesh.faces)
            for mesh in (family_mesh(family, frame) for frame in frames)
        )
        rows.append(SheetRow("Simulated", family.name, meshes, COLOURS[0]))
    columns = [f"frame {frame} · {frame * time_step_s / 60:.3g} min" for frame in frames]
    return contact_sheet(rows, columns=columns, half_extent_um=half_extent_um, tile_px=tile_px, n_dims=shown[0].n_dims)


def _has_paper(kind: str, n_dims: int) -> bool:
    return kind in PAPER and n_dims == 3


def _table(kind: str, measured: Float[np.ndarray, "frames 3"], n_dims: int) -> str:
    compared = [("Simulated", tuple(zip(measured.mean(axis=0), measured.std(axis=0), strict=True)))]
    if _has_paper(kind, n_dims):
        original, values = PAPER[kind]
        compared.append((f"Paper, {original}", values))
    rows = [
        [html.escape(name), *(f"{mean:.3g} ± {deviation:.2g}" for mean, deviation in cells)] for name, cells in compared
    ]
    return table(["", *(titled(MEASURES[n_dims].descriptors[name]) for name in MEASURES[n_dims].main)], rows)
