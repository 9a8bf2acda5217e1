"""A page that shows the cells of shape stores: a player for every cell and a list of cells."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from cytoform.assess.measures.signed_error import signed_errors_um
from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress, run_all
from cytoform.errors import InputError
from cytoform.pictures.decimation import decimated
from cytoform.pictures.figures import COLOURS
from cytoform.pictures.labels import distinct, label_of
from cytoform.pictures.page import FOOTER, shell
from cytoform.pictures.painting import Paint, painted
from cytoform.pictures.player.element import MOST_FACES, Player, PlayerActor, PlayerScene, player, player_head, round_up
from cytoform.protrusions.stage import judged_and_taken_apart
from cytoform.protrusions.tracks import Track
from cytoform.shapes.mesh import Mesh
from cytoform.shapes.store import SequenceInfo, ShapeSequence, ShapeStore

PAGE_BYTES, ENTRY_BYTES = 40_000, 1_000  # upper limit of the page without players: constant part, and part per cell


@dataclass(frozen=True)
class ViewPage:
    """A page, and its contents: number of cells and frames, most faces of a mesh, stride of frames, rounding of points."""

    html: str
    n_sequences: int
    n_frames: int
    most_faces: int
    stride: int
    rounded_um: float


def write_view(
    store: Path,
    out: Path,
    *,
    against: Path | None = None,
    protrusions: bool = False,
    sequences: Sequence[str] | None = None,
    megabytes: float = 25.0,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> ViewPage:
    """Write a page to look at the cells of a store in 3D, one .html file of at most `megabytes` that needs no network.

    Each cell stands beside the one of its name in `against`, if given, coloured by the distance between them. With
    `protrusions`, cells are taken apart, and each protrusion has a colour that it keeps as long as it lasts. Raises
    InputError where there is nothing to show, or too much for the size.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{out}: a page for the browser ends in .html")
    output = Output.at(out, inputs=[store, against], overwrite=overwrite)
    output.check()
    if against is not None and protrusions:
        raise InputError("--protrusions: with --against the colours show the distance; leave one of the two out")
    if not 0.1 <= megabytes <= 2000:
        raise InputError(f"--megabytes {megabytes:g}: choose from 0.1 to 2000")
    view = _view(store, against, protrusions, sequences, int(megabytes * 1e6), workers, progress)
    with output.staged(folder=False) as partial:
        partial.write_text(view.html, "utf-8")
    return view


def _view(
    store: Path,
    against: Path | None,
    protrusions: bool,
    sequences: Sequence[str] | None,
    budget_bytes: int,
    workers: int,
    progress: Progress,
) -> ViewPage:
    shapes = ShapeStore.open(store)
    names = sorted(set(sequences)) if sequences else shapes.names
    infos = [shapes[name].info for name in names]
    if not names:
        raise InputError(f"{store}: no sequence to show")
    if against is not None:
        _refuse_strangers(names, shapes, ShapeStore.open(against))
    share = (budget_bytes - PAGE_BYTES) // len(names) - ENTRY_BYTES
    tracks = _tracks(shapes, names, workers, progress) if protrusions else {}
    tasks = [(store.absolute(), against and against.absolute(), name, share, tracks.get(name, ())) for name in names]
    with progress("looking at cells", len(names)) as advance:
        players: list[Player] = run_all(player_of, tasks, workers=workers, done=lambda: advance(1))
    page = _page(shapes, against, infos, players)
    if (size := len(page.encode())) > budget_bytes:
        raise InputError(
            f"the page would take {size / 1e6:.1f} MB instead of {budget_bytes / 1e6:.1f}; choose fewer --sequences"
        )
    return ViewPage(
        html=page,
        n_sequences=len(names),
        n_frames=sum(info.n_frames for info in infos),
        most_faces=max(p.most_faces for p in players),
        stride=max(p.stride for p in players),
        rounded_um=max(p.step_um for p in players) / 2,
    )


def _tracks(shapes: ShapeStore, names: list[str], workers: int, progress: Progress) -> dict[str, list[Track]]:
    """The protrusions of every sequence. Raises InputError where the cells are not bodies with protrusions."""
    remedy = "leave --protrusions out"
    _, parts = judged_and_taken_apart(shapes, names, remedy=remedy, workers=workers, progress=progress)
    return {each.name: each.tracks for each in parts}


def player_of(store: Path, against: Path | None, name: str, budget_bytes: int, tracks: Sequence[Track] = ()) -> Player:
    """A player of one sequence, alone or next to the sequence of the same name in another store.

    Protrusions are painted by their `tracks`.
    """
    shapes = ShapeStore.open(store)
    sequence, label = shapes[name], label_of(shapes)
    meshes = _meshes(sequence)
    if against is None:
        paint = _paint(meshes, tracks) if tracks else None
        actors = [PlayerActor(label, COLOURS[0 if label == "Original" else 1], meshes, paint=paint)]
    else:
        others = ShapeStore.open(against)
        beside = _meshes(others[name], centre_um=shapes.grid.half_extent_um)
        labels = distinct([label_of(others), label], [others, shapes])
        errors_um = _errors_um(meshes, beside) if len(meshes) == len(beside) else None
        actors = [PlayerActor(labels[0], COLOURS[0], beside), PlayerActor(labels[1], COLOURS[1], meshes, errors_um)]
    scene = PlayerScene(
        name,
        tuple(actors),
        shapes.grid.half_extent_um,
        sequence.info.time_step_s,
        # One scale for all cells of the page: the full colour is an error of one voxel.
        largest_error_um=round_up(shapes.grid.spacing_um),
        n_dims=shapes.grid.n_dims,
    )
    return player(scene, id=f"player-{_anchor(name)}", budget_bytes=budget_bytes)


def _refuse_strangers(names: Sequence[str], shapes: ShapeStore, others: ShapeStore) -> None:
    unknown = sorted(set(names) - set(others.names))
    if unknown:
        raise InputError(
            f"{others.path}: no sequence {unknown[0]!r}, which {shapes.path.name} has; "
            "--against needs the cells that these reconstruct, or choose --sequences"
        )


def _meshes(sequence: ShapeSequence, *, centre_um: float | None = None) -> tuple[Mesh | None, ...]:
    """Decimated surfaces of all frames, shifted so that the centre of the cube is at `centre_um` along each axis."""
    shift_um = 0.0 if centre_um is None else centre_um - sequence.grid.half_extent_um
    fine = (mesh and decimated(mesh, MOST_FACES) for mesh in sequence.meshes())
    return tuple(mesh and Mesh(mesh.vertices_xyz_um + shift_um, mesh.faces) for mesh in fine)


def _paint(meshes: Sequence[Mesh | None], tracks: Sequence[Track]) -> tuple[Paint | None, ...]:
    return tuple(None if mesh is None else painted(mesh, tracks, frame) for frame, mesh in enumerate(meshes))


def _errors_um(meshes: Sequence[Mesh | None], references: Sequence[Mesh | None]) -> tuple[Any, ...]:
    pairs = zip(meshes, references, strict=True)
    return tuple(signed_errors_um(mesh, other) if mesh and other else None for mesh, other in pairs)


def _anchor(name: str) -> str:
    """HTML id and URL fragment of a cell, percent-encoded."""
    return quote("_".join(name.split()), safe="")


def _page(shapes: ShapeStore, against: Path | None, infos: Sequence[SequenceInfo], players: Sequence[Player]) -> str:
    web = files("cytoform.pictures.player").joinpath("web")
    title = shapes.path.name + (f" against {against.name}" if against else "")
    body = Template(web.joinpath("view.html").read_text("utf-8")).substitute(
        title=html.escape(title),
        lead=html.escape(_lead(shapes, infos)),
        links="\n".join(f'<a href="#{_anchor(i.name)}">{html.escape(i.name)}</a>' for i in infos),
        sections="\n".join(_section(info, made) for info, made in zip(infos, players, strict=True)),
        footer=FOOTER,
        script=web.joinpath("view.js").read_text("utf-8"),
    )
    return shell(title, body, style=web.joinpath("view.css").read_text("utf-8"), head=player_head())


def _lead(shapes: ShapeStore, infos: Sequence[SequenceInfo]) -> str:
    frames = sum(info.n_frames for info in infos)
    return (
        f"{len(infos)} cell{'s' * (len(infos) != 1)}, {frames} frame{'s' * (frames != 1)} on a grid of "
        f"{shapes.grid.text}."
    )


def _section(info: SequenceInfo, made: Player) -> str:
    step = "an unknown time apart" if info.time_step_s is None else f"{info.time_step_s:g} s apart"
    said = [f"{info.n_frames} frame{'s' * (info.n_frames != 1)}" + f", {step}" * (info.n_frames > 1)]
    said += [f"every {made.stride}th of them shown"] * (made.stride > 1)
    said += [f"meshes of up to {made.most_faces} faces", f"points within {made.step_um / 2:.2g} µm per axis"]
    return (
        f'<section id="{_anchor(info.name)}"><h2>{html.escape(info.name)}</h2>\n{made.html}\n'
        f"<p>{html.escape('; '.join(said))}.</p></section>"
    )
