"""The pictures of one cell: for the gallery, of its worst frames, and its scene for the player."""

import html
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.assess.measures.sequences import MARGIN
from cytoform.assess.measures.signed_error import signed_errors_um
from cytoform.pictures.page import figure, image
from cytoform.pictures.painting import Paint, painted
from cytoform.pictures.player.element import PlayerActor, PlayerScene, player_element
from cytoform.pictures.rendering import Camera, Colour, render_mesh
from cytoform.pictures.sheets import common_camera
from cytoform.pictures.slices import outlines, plane_of_difference
from cytoform.reports.shapes.cells import Cell, Strand
from cytoform.reports.shapes.failures import Failure
from cytoform.shapes.mesh import Mesh
from cytoform.shapes.store import ShapeSequence, ShapeStore

TILE_PX, THUMBNAIL_PX = 220, 110
# Inside of the original, on it, outside (blue, grey, vermilion of Okabe and Ito).
ERROR_COLOURS: tuple[Colour, Colour, Colour] = ((0.00, 0.35, 0.75), (0.90, 0.90, 0.90), (0.84, 0.33, 0.00))


@dataclass(frozen=True)
class CellTask:
    """A cell to be drawn; colours of errors end at ± `limit_um`."""

    cell: Cell
    failures: tuple[Failure, ...]
    limit_um: float
    budget_bytes: int  # for the player


@dataclass(frozen=True)
class CellPictures:
    """Pieces of HTML."""

    thumbnails: str
    failures: tuple[str, ...]  # in the order of the task
    player: str


def draw_cell(task: CellTask) -> CellPictures:
    """Read the shapes of a cell and draw them."""
    shapes = [_Surfaces.read(strand) for strand in task.cell.strands]
    original = shapes[0] if task.cell.original is not None else None
    return CellPictures(
        thumbnails=_thumbnails(task.cell, shapes),
        failures=tuple(_failure_tiles(task, each, shapes, original) for each in task.failures),
        player=player_element(
            _scene(task, shapes, original),
            id=f"player-{task.cell.element_id}",
            budget_bytes=task.budget_bytes,
        ),
    )


@dataclass(frozen=True)
class _Surfaces:
    """The surfaces of all frames of a strand; None for an empty frame."""

    strand: Strand
    sequence: ShapeSequence
    meshes: tuple[Mesh | None, ...]

    @classmethod
    def read(cls, strand: Strand) -> "_Surfaces":
        sequence = ShapeStore.open(strand.store)[strand.sequence.name]
        # Meshed in the tight box, as for measuring: marching cubes takes as long as its volume is large.
        fields = (sequence.box(frame).tight(MARGIN) for frame in range(sequence.info.n_frames))
        return cls(strand, sequence, tuple(field.mesh() for field in fields))

    @property
    def half_extent_um(self) -> float:
        return self.sequence.grid.half_extent_um

    @property
    def n_dims(self) -> int:
        return self.sequence.grid.n_dims


def _scene(task: CellTask, shapes: Sequence[_Surfaces], original: _Surfaces | None) -> PlayerScene:
    first = shapes[0].sequence
    actors = tuple(
        PlayerActor(
            label=each.strand.side.label,
            colour=each.strand.side.colour,
            meshes=each.meshes,
            errors_um=_errors(each, original) if original is not None and each.strand.pairs is not None else None,
            paint=_paint(each),
        )
        for each in shapes
    )
    half_extent_um = max(each.half_extent_um for each in shapes)
    return PlayerScene(task.cell.name, actors, half_extent_um, first.info.time_step_s, task.limit_um, first.grid.n_dims)


def _paint(shapes: _Surfaces) -> tuple[Paint | None, ...] | None:
    """Each protrusion in its own colour, where cells are taken apart."""
    tracks = shapes.strand.tracks
    if not tracks:
        return None
    return tuple(None if mesh is None else painted(mesh, tracks, frame) for frame, mesh in enumerate(shapes.meshes))


def _errors(shapes: _Surfaces, original: _Surfaces) -> tuple[np.ndarray | None, ...]:
    pairs = zip(shapes.meshes, original.meshes, strict=True)
    return tuple(
        None if mesh is None or true_mesh is None else signed_errors_um(mesh, true_mesh) for mesh, true_mesh in pairs
    )


def _thumbnails(cell: Cell, shapes: Sequence[_Surfaces]) -> str:
    """The middle frame on every side, by one camera."""
    middle = [each.meshes[len(each.meshes) // 2] for each in shapes]
    camera = common_camera([mesh for mesh in middle if mesh is not None], shapes[0].half_extent_um, shapes[0].n_dims)
    tiles = [
        _picture(mesh, each, camera, each.strand.side.colour, THUMBNAIL_PX, each.strand.side.label)
        for mesh, each in zip(middle, shapes, strict=True)
    ]
    return f'<span class="pair">{"".join(tiles)}</span>'


def _failure_tiles(task: CellTask, failure: Failure, shapes: Sequence[_Surfaces], original: _Surfaces | None) -> str:
    """The original, its counterpart in the colours of its error, and both outlines in one plane."""
    other = shapes[failure.strand]
    mesh, when = other.meshes[failure.frame], f"frame {failure.frame + 1}"
    if original is None:
        camera = common_camera([mesh] if mesh is not None else [], other.half_extent_um, other.n_dims)
        label = other.strand.side.label
        return _tiles([(label, _picture(mesh, other, camera, other.strand.side.colour, TILE_PX, f"{label}, {when}"))])
    true_mesh = original.meshes[failure.frame]
    camera = common_camera([each for each in (true_mesh, mesh) if each is not None], other.half_extent_um, other.n_dims)
    colour: Colour | np.ndarray = other.strand.side.colour
    if mesh is not None and true_mesh is not None:
        colour = error_colours(signed_errors_um(mesh, true_mesh), task.limit_um)
    labels = [each.strand.side.label for each in (original, other)]
    volumes = [_planes(each.sequence.sdf_um(failure.frame)) for each in (original, other)]
    z = plane_of_difference(*volumes)
    plane = f", z {z + 1}" if len(volumes[0]) > 1 else ""
    lines = outlines(
        [volume[z] for volume in volumes],
        [each.strand.side.colour for each in (original, other)],
        alternative=f"outlines of {labels[0]} and {labels[1]}{plane}, {when}",
    )
    pictures = [
        _picture(true_mesh, original, camera, original.strand.side.colour, TILE_PX, f"{labels[0]}, {when}"),
        _picture(mesh, other, camera, colour, TILE_PX, f"{labels[1]}, {when}, coloured by error"),
    ]
    return _tiles([*zip(labels, pictures, strict=True), (f"outlines{plane}", lines)])


def _planes(sdf_um: Float[np.ndarray, "*zyx"]) -> Float[np.ndarray, "z y x"]:
    """The planes of a frame: one of an image."""
    return sdf_um.reshape((-1, *sdf_um.shape[-2:]))


def _tiles(tiles: Sequence[tuple[str, str]]) -> str:
    return f'<div class="tiles">{"".join(figure(drawn, title) for title, drawn in tiles)}</div>'


def _picture(
    mesh: Mesh | None,
    shapes: _Surfaces,
    camera: Camera,
    colour: Colour | Float[np.ndarray, "vertices 3"],
    size_px: int,
    alternative: str,
) -> str:
    if mesh is None:
        return (
            f'<svg viewBox="0 0 100 100" role="img" aria-label="{html.escape(alternative)}: empty">'
            '<text x="50" y="54" text-anchor="middle" font-size="13" fill="#64748b">empty</text></svg>'
        )
    rgba = render_mesh(mesh, size_px=size_px, half_extent_um=shapes.half_extent_um, camera=camera, colour=colour)
    return webp(rgba, alternative)


def webp(rgba: np.ndarray, alternative: str) -> str:
    """A square picture with transparency, a few kilobytes long."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(rgba).save(stream, format="webp", quality=80)
    return image("webp", stream.getvalue(), alternative, size_px=rgba.shape[0])


def error_colours(errors_um: Float[np.ndarray, " vertices"], limit_um: float) -> Float[np.ndarray, "vertices 3"]:
    """A colour for each signed error: blue inside the original, grey on it, vermilion outside."""
    share = np.clip(errors_um / limit_um, -1, 1)
    inside, on, outside = (np.array(colour) for colour in ERROR_COLOURS)
    weight = np.abs(share)[:, None]
    return on + weight * (np.where(share[:, None] < 0, inside, outside) - on)
