"""The data card: README.md beside every data set."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import cytoform
from cytoform.base.provenance import software_versions
from cytoform.reports.scenes.beside import HEAD, note_of_frames, summary
from cytoform.reports.scenes.facts import Facts, ProtrusionFacts
from cytoform.scenes.protrusion_files import GRAPH, SIGHTINGS, TRACKS
from cytoform.scenes.request import OPTIONS, WALK, SettledRequest
from cytoform.scenes.sources import is_run
from cytoform.shapes.grid import AXES, EXPONENTS, NAMES

if TYPE_CHECKING:
    from cytoform.scenes.scene import Scene
    from cytoform.scenes.stage import Made

INTERVALS = "Intervals come from its families of cells, each drawn anew with a weight from a Poisson distribution."
UNSTATED = "not stated; the licences of the data that the sources were learned from apply"


def card(scene: "Scene", made: "Made", found: Facts) -> str:
    """The card of one data set, in Markdown."""
    request = scene.request
    parts = [
        "---\n" + f"license: {request.licence or 'unknown'}\n" + "tags: [microscopy, cell-tracking, synthetic]\n---",
        f"# {_title(made)}",
        f"Simulated with cytoform {cytoform.__version__}: {found.families} cell families, {len(made.frames)} frames, "
        f"{found.tracks} tracks, {found.divisions} divisions. Masks, tracks and lineage are exact: the images were made "
        "from them.",
        "## Files\n\n" + _files(made, scene),
        "## Figures\n\n" + _table(figures(scene, made, found)),
        *_likeness_part(scene, made, found),
        *_protrusion_part(scene, found),
        "## How it was made\n\n" + _table(parameters(scene, made)),
        "## Rules\n\n" + _rules(scene, made),
        f"## Licence\n\n{request.licence or UNSTATED}",
        "## Versions\n\n" + _table(sorted(software_versions().items())),
    ]
    return "\n\n".join(parts) + "\n"


def figures(scene: "Scene", made: "Made", found: Facts) -> list[tuple[str, str]]:
    """What was measured, a row each."""
    dims = 2 if made.dataset.view.is_flat else 3
    n, voxels = found.cells_by_frame, NAMES[made.dataset.view.n_dims]
    rows = [
        ("Cells in view", f"{np.mean(n):.1f} a frame ({min(n)} to {max(n)})"),
        (f"Share of the {voxels} inside cells", f"{100 * found.inside_share:.2f} %"),
        (f"{voxels.capitalize()} claimed by two cells", str(found.shared_voxels)),
        ("Tracks", f"{found.tracks}, of which {found.entering} enter and {found.leaving} leave{_dying(found)}"),
        ("Divisions", str(found.divisions)),
        ("Size of a cell in view", f"{_spread(found.sizes)} µm{EXPONENTS[dims]}"),
        ("Speed", f"{_spread(found.speeds_um_per_min)} µm/min"),
    ]
    if found.contrast_to_noise is not None:
        rows.append(("Contrast to noise", f"{found.contrast_to_noise:.2f}"))
    return rows


def protrusion_figures(found: ProtrusionFacts) -> list[tuple[str, str]]:
    """What is known about protrusions, a row each."""
    return [
        ("Protrusions", f"{found.tracks}, of which {found.branches} are branches"),
        ("Protrusions of a cell in view", f"{found.of_a_cell:.1f}"),
        ("Length from root to tip", f"{_spread(found.lengths_um)} µm"),
        ("Radius", f"{_spread(found.radii_um)} µm"),
        ("Lifetime of those that are seen to begin and end", f"{_spread(found.lifetimes_s)} s"),
        ("Share with a tip that the masks show", f"{100 * found.visible_share:.0f} %"),
    ]


def parameters(scene: "Scene", made: "Made") -> list[tuple[str, str]]:
    """What it was made with, a row each."""
    request, view, n_dims = scene.request, made.dataset.view, scene.scale.n_dims
    axes, voxel = ", ".join(AXES[-n_dims:]), NAMES[n_dims].removesuffix("s").capitalize()
    walk = "persistent random walk, cells push one another apart"
    return [
        ("Sources", ", ".join(source.name for source in request.sources)),
        ("Seed", str(request.seed)),
        (
            "Texture",
            _texture(request) if made.texture.paints else "none",
        ),
        ("Frame", f"{' × '.join(map(str, made.dataset.shape_zyx[-n_dims:]))} {NAMES[n_dims]} ({axes})"),
        (voxel, f"{' × '.join(f'{step:.4g}' for step in view.seen_spacing_zyx_um[-n_dims:])} µm ({axes})"),
        ("Time step", f"{made.dataset.time_step_s:g} s"),
        ("Motion", walk if request.motion == WALK else f"ways of the real cells of {Path(request.motion).name}"),
        ("Cells leave through", "no border" if request.leave == "none" else f"the borders along {request.leave}"),
        ("Prior of codes", request.chosen_prior()),
        ("Divisions", "one a family" if request.cycle_min is None else _cycle(request)),
        *_chosen(request, n_dims),
        *((OPTIONS[dial].removeprefix("--"), f"{value:g}") for dial, value in made.texture.dials.items()),
    ]


def _chosen(request: SettledRequest, n_dims: int) -> list[tuple[str, str]]:
    """Rows for options that a scene may leave out."""
    rows = []
    if request.in_contact:
        rows.append(
            (
                "Contact",
                f"to a depth of {request.contact_depth:g} radii; cells change shape and keep their sizes",
            )
        )
    if request.confluence is not None:
        rows.append(
            ("Confluence", f"{100 * request.confluence:g} % of the field, by one factor for all sizes of a frame")
        )
    if request.polarity:
        rows.append(("Polarity", f"elongated cells move along their axis, {request.polarity:g} of 1"))
    if request.drift_zyx_um_per_min is not None:
        drift = " × ".join(f"{value:g}" for value in request.drift_zyx_um_per_min[-n_dims:])
        rows.append(("Drift of all cells", f"{drift} µm/min"))
    if request.cell_size is not None:
        rows.append(("Cell size", f"median {request.cell_size:.4g} µm{EXPONENTS[n_dims]}"))
    if request.resemblance:
        rows.append(
            ("Daughters look like their mother", f"correlation of brightness and texture {request.resemblance:g}")
        )
    return rows


def _texture(request: SettledRequest) -> str:
    return "optics calibrated on the movie that the scene resembles" if request.optics else Path(request.texture).name


def _dying(found: Facts) -> str:
    return f"; {found.dying} end with the death of their cell" if found.dying else ""


def _cycle(request: SettledRequest) -> str:
    said = f"every {request.cycle_min:.4g} min, standard deviation {100 * request.cycle_spread:.3g} % of that"
    if request.quiescent:
        said += f"; {100 * request.quiescent:.3g} % of the cells never divide"
    if request.deaths:
        said += (
            f"; {request.deaths:.3g} deaths per cell and hour, for the last hour of which a cell rounds up and shrinks"
        )
    return said


def series_card(made: Sequence["Made"], found: Sequence[Facts]) -> str:
    """The card of a series: one scene, several data sets."""
    rows = [
        f"| [{one.name}]({one.name}/README.md) | {facts.tracks} | {np.mean(facts.cells_by_frame):.1f} | "
        f"{len(one.frames)} | {'' if facts.contrast_to_noise is None else f'{facts.contrast_to_noise:.2f}'} |"
        for one, facts in zip(made, found, strict=True)
    ]
    head = "| data set | tracks | cells a frame | frames | contrast to noise |\n|---|---|---|---|---|\n"
    return "# A series of data sets of one scene\n\n" + head + "\n".join(rows) + "\n"


def _title(made: "Made") -> str:
    view = made.dataset.view
    kind = "2D+time, maximum projections" if view.projection else f"{view.n_dims}D+time"
    return f"{made.name or 'Cells'}: {kind}"


def _files(made: "Made", scene: "Scene") -> str:
    name = made.dataset.sequence
    lines = [f"- `{name}/t000.tif` …: images"] if made.texture.paints else []
    lines += [
        f"- `{name}_GT/SEG`, `{name}_GT/TRA`: masks, one label a cell, as in the Cell Tracking Challenge",
        f"- `{name}_GT/TRA/man_track.txt`: a row `label first last parent` for every track",
    ]
    if scene.request.ome_zarr:
        lines.append(f"- `{made.dataset.ome.name}`: OME-Zarr 0.5, images with `labels/cells`")
    if scene.request.geff:
        lines.append(f"- `{name}.geff`: the tracks as a graph (GEFF)")
    if made.protrusions is not None:
        lines += [
            f"- `{SIGHTINGS}`: every protrusion in every frame: cell, parent, root and tip in µm, length, radius",
            f"- `{TRACKS}`: every protrusion: its first and last frame, lifetime, largest length",
        ]
        if scene.request.geff:
            lines.append(f"- `{GRAPH}`: the tips over time as a graph (GEFF)")
    if scene.request.meshes:
        lines.append("- `meshes/`: a surface of every cell in every frame, in µm of the scene")
    return "\n".join([*lines, "- `index.html`: preview", "- `provenance.json`: everything it was made from"])


def _protrusion_part(scene: "Scene", found: Facts) -> list[str]:
    """A section about protrusions; none where all sources are runs that have not taken cells apart."""
    sources = scene.request.sources
    known = {body.family % len(sources) for body in scene.bodies if body.shapes[0].protrusions is not None}
    unknown = [source for number, source in enumerate(sources) if number not in known]
    if found.protrusions is None:
        stores = [source.name for source in unknown if not is_run(source)]
        if not stores:
            return []
        return [
            f"## Protrusions\n\nThe protrusions of the cells of {_listed(stores)} are not known exactly, so there is no "
            "file of them."
        ]
    facts = found.protrusions
    lasting = f" and last {np.mean(facts.lifetimes_s):.3g} s" if len(facts.lifetimes_s) else ""
    long = f" They are {np.mean(facts.lengths_um):.3g} µm long{lasting} on average." if facts.tracks else ""
    said = f"The {facts.tracks} protrusions of the cells of {_listed(sources[n].name for n in sorted(known))} are exact.{long}"
    if unknown:
        said += f" Nothing is known about those of the cells of {_listed(source.name for source in unknown)}."
    return ["## Protrusions\n\n" + said + "\n\n" + _table(protrusion_figures(facts))]


def _likeness_part(scene: "Scene", made: "Made", found: Facts) -> list[str]:
    """A section about the movie that the scene resembles, if any."""
    if scene.likeness is None:
        return []
    rows = "\n".join(f"| {' | '.join(row.cells)} |" for row in found.beside)
    head = f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}\n"
    taken = "\n".join(f"- {sentence}" for sentence in scene.likeness.sentences)
    said = f"{summary(found.beside, scene.likeness.name)}.{note_of_frames(scene, made)} {INTERVALS}"
    return [f"## Beside {scene.likeness.name}\n\n{said}\n\n{head}{rows}", f"Options from that movie:\n\n{taken}"]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _rules(scene: "Scene", made: "Made") -> str:
    voxel = NAMES[made.dataset.view.n_dims].removesuffix("s")
    apart = "they push one another apart until their distance fields do not overlap."
    if scene.request.in_contact:
        apart = (
            "where they meet, it belongs to the one with the smallest distance minus pressure, and pressures are such "
            "that sizes are kept within 3 %."
        )
    rules = [
        f"No two cells share a {voxel}: {apart}",
        "A division is the first frame from which on the pieces of a family stay apart; the mother's track ends one frame "
        "before. A piece that comes off and joins again keeps its cell's label; pieces under 1 % of the family are erased.",
        "A track has no gaps: a cell that leaves and comes back is a new track without a parent. A cell of which less than "
        "1 % is in view is not shown.",
        "A family that divides rests before its first and after its last known shape; others go back and forth in time.",
    ]
    if "missing" in made.texture.dials:
        rules.append(
            "Some images are empty, as if the shutter had stayed closed. Their cells keep masks and tracks in TRA; SEG has no "
            "mask for them."
        )
    if made.protrusions is not None:
        rules.append(
            f"A protrusion counts while it reaches a {voxel} or more out of its body, and a branch out of its parent too. One "
            "that withdraws and grows again is a new one. Its tip is visible if the masks show the cell there."
        )
    if made.dataset.view.projection:
        rules.append("In a projection a pixel has the label of the cell that is thickest there; SEG and TRA follow it.")
    return "\n".join(f"- {rule}" for rule in rules)


def _spread(values: np.ndarray) -> str:
    if not len(values):
        return "–"
    low, middle, high = np.percentile(values, (5, 50, 95))
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


def _table(rows: Sequence[tuple[str, str]]) -> str:
    return "| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows)
