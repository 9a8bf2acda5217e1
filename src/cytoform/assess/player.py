"""A 3D player inside a page: cells side by side that can be turned, played and scrubbed, without a network.

Pages take `player_head()` once and `player_element(scene, id=...)` any number of times.
"""

import base64
import html
import json
import zlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from jaxtyping import Float

from cytoform.assess.decimation import carried_over, decimated
from cytoform.assess.player_coding import Lattice, encode_frames
from cytoform.assess.rendering import Colour
from cytoform.shapes.mesh import Mesh

# 33 players of this size, 24 MB in all, and a page of less than 25 MB.
BUDGET_BYTES = 700_000
# Faces of a mesh: below the first, frames are left out instead; above the second, nobody sees a difference.
FEWEST_FACES, MOST_FACES = 500, 4000
BYTES_A_FACE = 2.6  # measured on T cells, with errors (docs/LOG.md); only where the search for the number begins
STEPS = 2048  # across the largest extent of a scene's meshes
SCRIPTS = ("decoder.js", "stage.js", "player.js")


@dataclass(frozen=True)
class Actor:
    """One cell of a scene; a mesh of None is an empty frame. `errors_um` has a value a vertex, + outside the reference."""

    label: str
    colour: Colour
    meshes: tuple[Mesh | None, ...]
    errors_um: tuple[Float[np.ndarray, " _"] | None, ...] | None = None


@dataclass(frozen=True)
class Scene:
    """Actors that stand side by side under one camera and one clock.

    Actors with fewer frames than others are spread over the same duration. `time_step_s` is between the frames of the one
    with the most. Errors are coloured up to `largest_error_um`; by default what 99 % of the scene's keep below, rounded up.
    """

    name: str
    actors: tuple[Actor, ...]
    half_extent_um: float
    time_step_s: float | None = None
    largest_error_um: float | None = None


def player_head() -> str:
    """The style and the script of all players of a page."""
    here = files("cytoform.assess").joinpath("player_web")
    style = here.joinpath("player.css").read_text("utf-8")
    script = "\n".join(here.joinpath(name).read_text("utf-8") for name in SCRIPTS)
    return f'<style>\n{style}</style>\n<script type="module">\n{script}</script>\n'


def player_element(scene: Scene, *, id: str, budget_bytes: int = BUDGET_BYTES) -> str:
    """A player with its data, of at most about `budget_bytes`: meshes get fewer faces, and if need be frames are left out."""
    data = json.dumps(_data(scene, budget_bytes), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<cell-player id="{html.escape(id)}" role="region" aria-label="{html.escape(scene.name)}">'
        '<p class="fallback">The 3D view needs JavaScript.</p>'
        f'<script type="application/json">{data}</script></cell-player>'
    )


def _data(scene: Scene, budget_bytes: int) -> dict[str, Any]:
    """What the player reads: the finest of a falling series that keeps to the budget, or else the coarsest."""
    n_meshes = sum(mesh is not None for actor in scene.actors for mesh in actor.meshes)
    n_faces = int(np.clip(budget_bytes / (max(n_meshes, 1) * BYTES_A_FACE), FEWEST_FACES, MOST_FACES))
    stride = 1
    most_frames = max(len(actor.meshes) for actor in scene.actors)
    while True:
        data = _encoded(scene, n_faces, stride)
        size = sum(len(actor["data"]) for actor in data["actors"])
        if size <= budget_bytes or (n_faces <= FEWEST_FACES and stride >= most_frames):
            return data
        if n_faces > FEWEST_FACES:
            n_faces = max(int(0.95 * n_faces * budget_bytes / size), FEWEST_FACES)
        else:
            stride += 1


def _encoded(scene: Scene, n_faces: int, stride: int) -> dict[str, Any]:
    coarse = [_coarser(actor, n_faces, stride) for actor in scene.actors]
    points = [mesh.vertices_xyz_um for actor in coarse for mesh in actor.meshes if mesh is not None]
    low = min((float(p.min()) for p in points), default=0.0)
    high = max((float(p.max()) for p in points), default=2 * scene.half_extent_um)
    reach = max((float(np.linalg.norm(p - scene.half_extent_um, axis=1).max()) for p in points), default=high)
    lattice = Lattice(low, max(high - low, 1e-6) / STEPS, scene.largest_error_um or _most_error_um(scene))
    return {
        "name": scene.name,
        "halfExtent": scene.half_extent_um,
        "origin": lattice.origin_um,
        "step": lattice.step_um,
        "largestError": lattice.largest_error_um,
        "radius": 1.04 * reach,
        "frames": max(len(actor.meshes) for actor in coarse),
        "stride": stride,
        "timeStep": scene.time_step_s,
        "actors": [
            {
                "label": actor.label,
                "colour": list(actor.colour),
                "frames": len(actor.meshes),
                "errors": actor.errors_um is not None,
                "data": _packed(encode_frames(actor.meshes, actor.errors_um, lattice)),
            }
            for actor in coarse
        ],
    }


def _packed(streams: bytes) -> str:
    return base64.b64encode(zlib.compress(streams, 9)).decode()


def _coarser(actor: Actor, n_faces: int, stride: int) -> Actor:
    fine = actor.meshes[::stride]
    meshes = tuple(None if mesh is None else decimated(mesh, n_faces) for mesh in fine)
    if actor.errors_um is None:
        return Actor(actor.label, actor.colour, meshes)
    errors_um = tuple(
        None if values is None or mesh is None or coarse is None else carried_over(values, mesh, coarse)
        for values, mesh, coarse in zip(actor.errors_um[::stride], fine, meshes, strict=True)
    )
    return Actor(actor.label, actor.colour, meshes, errors_um)


def _most_error_um(scene: Scene) -> float:
    """The 99th percentile of all errors, rounded up to 1, 2 or 5 times a power of ten."""
    known = [np.abs(e) for actor in scene.actors for e in actor.errors_um or () if e is not None and len(e)]
    share = float(np.percentile(np.concatenate(known), 99)) if known else 0.0
    if share <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(share))
    return float(next(round(step * power, 12) for step in (1, 2, 5, 10) if step * power >= share * (1 - 1e-9)))
