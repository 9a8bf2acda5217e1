"""A common view and scale that fits all cells in all frames and all viewing directions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.base.parallel import run_all
from cytoform.errors import InputError
from cytoform.pictures.film.cast import MovieCell
from cytoform.pictures.rendering import CAMERA, CAMERAS, Camera
from cytoform.shapes.boundary import in_space
from cytoform.shapes.store import ShapeStore

# A full turn. The fixed view is chosen from its first half; the other half shows the back.
AZIMUTHS_DEG = tuple(range(-90, 270, 15))
AIR = 1.05

Extents = Float[np.ndarray, "views 3"]


@dataclass(frozen=True)
class Framing:
    """Initial view, and half of the width and height in µm that fits all cells around the cube's centre."""

    camera: Camera
    half_width_um: float
    half_height_um: float


def frame_all(
    shown: Sequence[tuple[MovieCell, int]],
    *,
    view_deg: tuple[float, float] | None,
    turning: bool,
    workers: int,
    done: Callable[[], object],
) -> Framing:
    """Framing of these frames of cells. The default view maximises the extent of the cells across the picture."""
    azimuth, elevation = view_deg or (None, CAMERA.elevation_deg)
    n_dims = ShapeStore.open(shown[0][0].store).grid.n_dims
    if n_dims == 2 and view_deg is None:
        azimuth, elevation = CAMERAS[n_dims].azimuth_deg, CAMERAS[n_dims].elevation_deg
    views = [Camera(float(angle), elevation) for angle in AZIMUTHS_DEG]
    if azimuth is not None:
        # A turntable starts at the given view.
        views = [Camera(azimuth + angle - AZIMUTHS_DEG[0], elevation) for angle in AZIMUTHS_DEG]
    found = run_all(_extents, [(cell, frame, views) for cell, frame in shown], workers=workers, done=done)
    seen = np.array([extents for extents in found if extents is not None])
    if not len(seen):
        raise InputError(f"{shown[0][0].store}: all frames to be shown are empty; choose others")
    best = int(seen[:, : len(views) // 2, 0].sum(axis=0).argmax()) if azimuth is None else 0
    in_view = seen if turning else seen[:, best : best + 1]
    width, height = in_view[..., 1:].max(axis=(0, 1)) * AIR
    return Framing(views[best], float(width), float(height))


def _extents(cell: MovieCell, frame: int, views: Sequence[Camera]) -> Extents | None:
    """For each view: variance across it, half width and half height in µm; None for an empty frame."""
    sequence = ShapeStore.open(cell.store)[cell.name]
    field = sequence.box(frame)
    spacing_um = sequence.grid.spacing_um
    # Only inside voxels: outside, small distances of a reconstruction may be artefacts far from the surface.
    on_surface = np.argwhere(field.inside & (field.box_sdf_um > -2 * spacing_um))
    if not len(on_surface):
        return None
    points_xyz = in_space(((on_surface + field.corner_zyx + 0.5) * spacing_um - sequence.grid.half_extent_um)[:, ::-1])
    across, up = (points_xyz @ np.array([view.axes[axis] for view in views]).T for axis in (0, 1))
    half_width, half_height = (np.abs(seen).max(axis=0) + spacing_um / 2 for seen in (across, up))
    return np.stack([across.var(axis=0), half_width, half_height], axis=1)
