"""A look at the codes of a run: principal components, a map of the cells, traversals, and what generated cells resemble.

OUT/index.html       all of it on one page
    components.csv   share of the variance of each principal component
    codes.csv        coordinates and descriptors of each cell
    neighbours.csv   the nearest learned cells of generated and of learned cells, if generated ones are given
    meshes/          the surfaces of the traversals, PLY; of images outlines/, tables of vertices
    *.png, *.svg     the pictures of the page
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist

from cytoform.base.files import write_json
from cytoform.base.output import Output
from cytoform.base.parallel import Advance, Progress, no_progress
from cytoform.base.provenance import software_versions
from cytoform.errors import InputError
from cytoform.pictures.sheets import spread
from cytoform.reports.latent.components import Components, principal_components, umap_positions
from cytoform.reports.latent.figures import Map
from cytoform.reports.latent.files import SIGMAS, Frames, LatentSpace, write_boundaries, write_tables
from cytoform.reports.latent.neighbours import Neighbour, from_others, nearest
from cytoform.reports.latent.page import MEASURES, write_page
from cytoform.reports.latent.snapshots import CellSet, Snapshots, shape_distances, snapshots
from cytoform.reports.studio.link import studio_note
from cytoform.shapes.grid import frame_times
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import Cells

TIMES_SHOWN, GENERATED_SHOWN = 3, 3

Codes = Float[np.ndarray, "n code"]
NamedCodes = dict[
    str, tuple[list[str], np.ndarray]
]  # names and codes (n, code) of the learned cells, and perhaps of generated ones


@dataclass(frozen=True)
class LatentView:
    """Settings of the latent report: grid size, number of time steps, number of principal components."""

    grid_size: int = 64
    n_frames: int = 5
    n_components: int = 3


Look = LatentView  # its earlier name


def write_latent_report(
    cells: Cells,
    out: Path,
    *,
    generated: Path | None = None,
    look: LatentView = LatentView(),
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> None:
    """Write what the codes of a run hold into the folder `out`; `generated` is a store that `generate` made with the run.

    Raises InputError for a store of another run, and for a look at no time or component.
    """
    output = Output.at(out, inputs=[cells.run.path, generated], overwrite=overwrite)
    output.check()
    viewer = _Viewer(cells, look)
    codes: NamedCodes = {"learned": (cells.names, cells.flat_codes)}
    if generated is not None:
        store = ShapeStore.open(generated)
        codes["generated"] = store.names, cells.codes_of(store).reshape(len(store), -1)
    with progress("looking at cells", sum(len(names) for names, _ in codes.values())) as advance:
        space = _look_around(viewer, codes, seed=seed, advance=advance)
    provenance = {
        "command": "cytoform latent",
        "seed": seed,
        "run": {"name": cells.run.path.name, "weights_sha256": cells.weights_sha256},
        "generated": None if generated is None else Path(generated).name,
        "look": asdict(look),
        "versions": software_versions(),
    }
    studio = studio_note(cells.run.path.name, cells.weights_sha256, out.absolute().parent)
    with output.staged() as folder:
        write_tables(folder, space)
        write_boundaries(folder, space)
        write_page(folder, space, provenance, studio=studio)
        write_json(folder / "provenance.json", provenance)


class _Viewer:
    """Renders any code of a run, at the times and on the grid of a look. Raises InputError for an impossible one."""

    def __init__(self, cells: Cells, look: LatentView) -> None:
        if look.n_components < 1:
            raise InputError(f"--components {look.n_components}: at least one is to be looked along")
        self.cells, self.look = cells, look
        self.grid = replace(cells.run.learned.cube, size=look.grid_size)
        self.times = frame_times(look.n_frames)

    def snapshots(self, codes: Codes, advance: Advance) -> list[Snapshots]:
        """What each code looks like."""
        seen = []
        for code in codes:
            field = self.cells.field(code)
            seen.append(snapshots(field.render(float(time), self.grid.size) for time in self.times))
            advance(1)
        return seen

    def frames(self, codes: Sequence[Float[np.ndarray, " code"]], times: Sequence[float]) -> Frames:
        """What each code looks like at its time."""
        pairs = zip(codes, times, strict=True)
        return tuple(self.cells.field(code).render(time, self.grid.size) for code, time in pairs)


def _look_around(viewer: _Viewer, codes: NamedCodes, *, seed: int, advance: Advance) -> LatentSpace:
    components = principal_components(codes["learned"][1])
    sets = [
        CellSet(kind, names, components.coordinates(rows), viewer.snapshots(rows, advance))
        for kind, (names, rows) in codes.items()
    ]
    rows_of_sets = [rows for _, rows in codes.values()]
    neighbours = _neighbours(sets, rows_of_sets)
    times = viewer.times[spread(viewer.look.n_frames, TIMES_SHOWN)].tolist()
    return LatentSpace(
        run=viewer.cells.run.path.name,
        code_dim=viewer.cells.flat_codes.shape[1],
        shares=components.shares,
        sets=sets,
        maps=_maps(components, sets, np.concatenate(rows_of_sets), seed),
        traversals=_traversals(viewer, components, times),
        traversal_times=times,
        neighbours=neighbours,
        pictured=_pictured(viewer, codes, neighbours),
        picture_times=viewer.times.tolist(),
        grid=viewer.grid,
    )


def _maps(components: Components, sets: Sequence[CellSet], codes: Codes, seed: int) -> list[Map]:
    """The map by principal components, flat where codes span fewer than two; and the one by UMAP, if there is one."""
    shares = [*components.shares[:2], 0.0, 0.0]
    titles = (f"component 1 ({100 * shares[0]:.0f} % of the variance)", f"component 2 ({100 * shares[1]:.0f} %)")
    positions = [np.pad(each.coordinates[:, :2], ((0, 0), (0, max(2 - each.coordinates.shape[1], 0)))) for each in sets]
    maps = [Map("map", titles, positions)]
    by_neighbours = umap_positions(codes, seed=seed)
    if by_neighbours is not None:
        parts = np.split(by_neighbours, np.cumsum([len(each.names) for each in sets])[:-1])
        maps.append(Map("umap", ("UMAP 1", "UMAP 2"), parts))
    return maps


def _traversals(viewer: _Viewer, components: Components, times: Sequence[float]) -> list[list[Frames]]:
    return [
        [viewer.frames([components.code(number, sigma) for sigma in SIGMAS], [time] * len(SIGMAS)) for time in times]
        for number in range(min(viewer.look.n_components, len(components.sigmas)))
    ]


def _neighbours(sets: Sequence[CellSet], codes: Sequence[np.ndarray]) -> list[Neighbour]:
    """Learned cells near the generated ones, and for comparison near each other; none where nothing was generated."""
    if len(sets) < 2:
        return []
    learned, generated = sets
    distances: dict[str, Callable[[int], np.ndarray]] = {
        "code": lambda which: cdist(codes[which], codes[0]),
        "shape": lambda which: shape_distances(sets[which].looks, learned.looks),
    }
    found = []
    for measure in MEASURES:
        found += nearest(generated.kind, generated.names, learned.names, distances[measure](1), measure)
        found += nearest(learned.kind, learned.names, learned.names, from_others(distances[measure](0)), measure)
    return found


def _pictured(viewer: _Viewer, codes: NamedCodes, neighbours: Sequence[Neighbour]) -> dict[tuple[str, str], Frames]:
    """Frames of a few generated cells and of the learned ones nearest to them."""
    if not neighbours:
        return {}
    names = codes["generated"][0]
    shown = [names[index] for index in spread(len(names), GENERATED_SHOWN)]
    wanted = [("generated", name) for name in shown]
    wanted += [
        ("learned", near.name)
        for near in neighbours
        if near.kind == "generated" and near.cell in shown and near.rank == 1
    ]
    return {
        (kind, name): viewer.frames(
            [codes[kind][1][codes[kind][0].index(name)]] * len(viewer.times), viewer.times.tolist()
        )
        for kind, name in dict.fromkeys(wanted)
    }
