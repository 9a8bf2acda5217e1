"""An HTML element that shows cells in 3D, side by side, with rotation and playback; works offline.

A page contains `player_head()` once and any number of `player_element(scene, id=...)`.
"""

import base64
import html
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np
from jaxtyping import Float, Int

from cytoform.errors import InputError
from cytoform.pictures.decimation import decimated, nearest_values
from cytoform.pictures.painting import PALETTE
from cytoform.pictures.player.coding import Lattice, encode_frames
from cytoform.pictures.rendering import CAMERAS, Camera, Colour
from cytoform.shapes.mesh import Mesh

# 33 players of this size are 23 MB, and leave room on a page of 25 MB.
BUDGET_BYTES = 700_000
# Faces of a mesh: below the first, frames are left out instead; above the second, no difference is visible.
FEWEST_FACES, MOST_FACES = 500, 4000
# Size of a coded mesh with errors, measured on T cells (docs/LOG.md); the initial guess of the search for the number of faces.
BYTES_A_FACE, BYTES_A_MESH = 2.35, 460
LATTICE_STEPS = 2048  # across the largest extent of a scene's meshes
SCRIPTS = ("decoder.js", "stage.js", "player.js")


@dataclass(frozen=True)
class PlayerActor:
    """One cell of a scene; None is an empty frame.

    `errors_um` has a value per vertex, positive outside the reference; `paint` the place of the vertex's colour in the
    palette of painting.py.
    """

    label: str
    colour: Colour
    meshes: tuple[Mesh | None, ...]
    errors_um: tuple[Float[np.ndarray, " _"] | None, ...] | None = None
    paint: tuple[Int[np.ndarray, " _"] | None, ...] | None = None


@dataclass(frozen=True)
class PlayerScene:
    """Cells side by side with a common camera and clock.

    Sequences with fewer frames are stretched to the duration of the longest. `time_step_s` is the time step of the longest.
    Errors are coloured up to `largest_error_um`, by default the 99th percentile of the scene's errors, rounded up.
    """

    name: str
    actors: tuple[PlayerActor, ...]
    half_extent_um: float
    time_step_s: float | None = None
    largest_error_um: float | None = None
    n_dims: int = 3  # cells of images are seen from above


@dataclass(frozen=True)
class Player:
    """A player as HTML, and its precision: faces of the largest mesh, stride of the frames, quantisation step of points."""

    html: str
    most_faces: int
    stride: int
    step_um: float


def player_head() -> str:
    """Style sheet and script of all players on a page."""
    return f'<style>\n{player_style()}</style>\n<script type="module">\n{player_scripts()}</script>\n'


def player_style() -> str:
    """Style sheet of players, for a page with one of its own."""
    return _web().joinpath("player.css").read_text("utf-8")


def player_scripts() -> str:
    """Scripts of players, for a page with a module of its own."""
    return "\n".join(_web().joinpath(name).read_text("utf-8") for name in SCRIPTS)


def _web() -> Traversable:
    return files("cytoform.pictures.player").joinpath("web")


def player_element(scene: PlayerScene, *, id: str, budget_bytes: int = BUDGET_BYTES) -> str:
    """HTML of a player with its data, within `budget_bytes` (see `player`)."""
    return player(scene, id=id, budget_bytes=budget_bytes).html


def player(scene: PlayerScene, *, id: str, budget_bytes: int = BUDGET_BYTES) -> Player:
    """Build a player within `budget_bytes` by decimating meshes and, if necessary, leaving out frames.

    It exceeds the budget only if a single coarse frame of each cell does. Raises InputError for a scene without cells or
    a cell without frames.
    """
    if not scene.actors or not all(actor.meshes for actor in scene.actors):
        raise InputError(f"{scene.name}: a player needs at least one actor, and each actor a frame")
    n_meshes = max(sum(mesh is not None for actor in scene.actors for mesh in actor.meshes), 1)
    n_frames = max(len(actor.meshes) for actor in scene.actors)
    n_faces = int(np.clip((budget_bytes / n_meshes - BYTES_A_MESH) / BYTES_A_FACE, FEWEST_FACES, MOST_FACES))
    stride = 1
    while True:
        made = _made(scene, id, n_faces, stride)
        size = len(made.html.encode())
        if size <= budget_bytes or (n_faces == FEWEST_FACES and stride >= n_frames):
            return made
        if n_faces > FEWEST_FACES:
            n_faces = max(int(0.97 * n_faces * budget_bytes / size), FEWEST_FACES)
        else:
            stride = max(stride + 1, round(stride * size / budget_bytes))


def _view(camera: Camera) -> dict[str, float]:
    return {"azimuth": camera.azimuth_deg, "elevation": camera.elevation_deg}


def _made(scene: PlayerScene, id: str, n_faces: int, stride: int) -> Player:
    coarse = [_coarser(actor, n_faces, stride) for actor in scene.actors]
    lattice, reach_um = _lattice(coarse, scene)
    data = {
        "name": scene.name,
        "halfExtent": scene.half_extent_um,
        "origin": lattice.origin_um,
        "step": lattice.step_um,
        "largestError": lattice.largest_error_um,
        "radius": 1.04 * reach_um,
        "frames": max(len(actor.meshes) for actor in coarse),
        "stride": stride,
        "timeStep": scene.time_step_s,
        **({} if scene.n_dims == 3 else {"view": _view(CAMERAS[scene.n_dims])}),
        **({"palette": PALETTE} if any(actor.paint is not None for actor in coarse) else {}),
        "actors": [
            {
                "label": actor.label,
                "colour": list(actor.colour),
                "frames": len(actor.meshes),
                "errors": actor.errors_um is not None,
                "paint": actor.paint is not None,
                "data": _packed(encode_frames(actor.meshes, actor.errors_um, lattice, actor.paint)),
            }
            for actor in coarse
        ],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    element = (
        f'<cell-player id="{html.escape(id)}" role="region" aria-label="{html.escape(scene.name)}">'
        '<p class="fallback">The 3D view needs JavaScript.</p>'
        f'<script type="application/json">{text}</script></cell-player>'
    )
    most = max((len(mesh.faces) for actor in coarse for mesh in actor.meshes if mesh is not None), default=0)
    return Player(element, most, stride, lattice.step_um)


def _lattice(actors: Sequence[PlayerActor], scene: PlayerScene) -> tuple[Lattice, float]:
    """Quantisation of all points and errors of a scene, and the largest distance of a point from the cube's centre in µm."""
    points = [mesh.vertices_xyz_um for actor in actors for mesh in actor.meshes if mesh is not None]
    together = np.concatenate(points) if points else np.array([[0.0] * 3, [2 * scene.half_extent_um] * 3])
    low, high = float(together.min()), float(together.max())
    reach_um = float(np.linalg.norm(together - scene.half_extent_um, axis=1).max())
    return Lattice(low, (high - low) / LATTICE_STEPS, scene.largest_error_um or _most_error_um(scene)), reach_um


def _packed(streams: bytes) -> str:
    return base64.b64encode(zlib.compress(streams, 9)).decode()


def _coarser(actor: PlayerActor, n_faces: int, stride: int) -> PlayerActor:
    fine = actor.meshes[::stride]
    meshes = tuple(None if mesh is None else decimated(mesh, n_faces) for mesh in fine)

    def transferred(values: Sequence[np.ndarray | None] | None) -> tuple[np.ndarray | None, ...] | None:
        if values is None:
            return None
        return tuple(
            None if own is None or mesh is None or coarse is None else nearest_values(own, mesh, coarse)
            for own, mesh, coarse in zip(values[::stride], fine, meshes, strict=True)
        )

    return PlayerActor(actor.label, actor.colour, meshes, transferred(actor.errors_um), transferred(actor.paint))


def _most_error_um(scene: PlayerScene) -> float:
    """The 99th percentile of all errors, rounded up to 1, 2 or 5 times a power of ten."""
    known = [np.abs(e) for actor in scene.actors for e in actor.errors_um or () if e is not None and len(e)]
    share = float(np.percentile(np.concatenate(known), 99)) if known else 0.0
    return round_up(share) if share > 0 else 1.0


def round_up(value: float) -> float:
    """The smallest number of the form 1, 2 or 5 times a power of ten that is at least `value`."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(round(step * power, 12) for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9)))
