"""Balls with tubes, discs with strips: protrusions that are known exactly. Points are in µm from the corner, z y x."""

from collections.abc import Sequence

import numpy as np

from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from cytoform.shapes.tubes import Tube, smooth_union, tubes_distance

GRID = Grid(56, 5.6)  # voxels of 0.2 µm
BODY_UM, THIN_UM, FILLET_UM, BAND_UM = 1.8, 0.3, 0.2, 1.6
RADIUS_UM = 0.6  # of a ball between the tubes and the body
MIDDLE = np.full(3, GRID.half_extent_um)
OFF = MIDDLE + np.array([0.03, 0.07, -0.05])  # no symmetry with the voxels


def direction(azimuth_deg: float, elevation_deg: float = 0.0) -> np.ndarray:
    """A unit vector, z y x: azimuth 0 is along x, elevation 90 along z."""
    azimuth, elevation = np.deg2rad([azimuth_deg, elevation_deg])
    return np.array([np.sin(elevation), np.cos(elevation) * np.sin(azimuth), np.cos(elevation) * np.cos(azimuth)])


def spike(
    out: np.ndarray,
    length_um: float,
    *,
    radius_um: float = THIN_UM,
    centre: np.ndarray = MIDDLE,
    body_um: float = BODY_UM,
) -> Tube:
    """A straight tube that starts inside a ball; its round tip is `length_um` outside the ball's surface."""
    return tube(centre + (body_um - 0.5) * out, centre + (body_um + length_um - radius_um) * out, radius_um=radius_um)


def tube(*corners: np.ndarray, radius_um: float = THIN_UM) -> Tube:
    """A tube of constant radius along a chain of points."""
    stops = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    fine = np.linspace(0, stops[-1], max(int(stops[-1] / 0.05), 2))
    line = np.stack([np.interp(fine, stops, np.array(corners)[:, axis]) for axis in range(corners[0].size)], axis=1)
    return Tube(line, np.full(len(line), radius_um))


def cell(
    tubes: Sequence[Tube],
    *,
    balls: Sequence[tuple[np.ndarray, float]] = ((MIDDLE, BODY_UM),),
    grid: Grid = GRID,
    fillet_um: float = FILLET_UM,
) -> np.ndarray:
    """Signed distance of a cell, on the whole grid: balls (centre, radius) and tubes with fillets."""
    points = grid.points_zyx_um()
    body = np.min([np.linalg.norm(points - centre, axis=1) - radius for centre, radius in balls], axis=0)
    if tubes:
        # Farther tubes change nothing, nor do distances beyond the band of a store.
        bound = np.minimum(body + fillet_um, 2.1)
        body = smooth_union(body, tubes_distance(tubes, points, bound=bound), fillet_um)
    return body.reshape(grid.shape).astype(np.float32)


def boxed(sdf_um: np.ndarray, grid: Grid = GRID, band_um: float = BAND_UM) -> BoxedField:
    """The cell's field as a store would give it."""
    return BoxedField(grid, (0,) * grid.n_dims, np.clip(sdf_um, -band_um, band_um), band_um)


def filopodial_frames(
    n_frames: int, *, radius_um: float = THIN_UM, body_um: float = BODY_UM, seed: int = 0
) -> list[np.ndarray]:
    """A ball with nine tubes that grow and withdraw at their own pace; the ball swells by 0.3 % a frame."""
    rng = np.random.default_rng(seed)
    turns = rng.uniform(0, 60) + np.arange(3) * 120
    outs = [direction(azimuth, elevation) for elevation in (-40, 0, 40) for azimuth in turns]
    lengths = rng.uniform(1.2, 1.6, 9) + rng.choice([-0.2, 0.2], 9) * np.arange(n_frames)[:, None]
    frames = []
    for frame, at in enumerate(lengths):
        body = body_um * (1 + 0.003 * frame)
        tubes = [
            spike(out, abs(length) + 0.2, radius_um=radius_um, centre=OFF, body_um=body)
            for out, length in zip(outs, at, strict=True)
        ]
        frames.append(cell(tubes, balls=((OFF, body),)))
    return frames
