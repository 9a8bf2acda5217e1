"""Random births, sizes and places of blebs and ruffles."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from cytoform.simulate.blebs import Bleb, BlebsCell, Ruffle
from cytoform.simulate.parameters import BlebsParameters, ball_radius_um
from cytoform.simulate.randomness import Drift, Lobes, Warp, farthest_direction, perpendicular, random_direction

CANDIDATES = 8
NUMBER_SPREAD = 0.35  # standard deviation of the number of blebs between cells, relative to the mean
# How strongly blebs gather at one pole of the cell and ruffles at the other; 0 is uniform.
POLARITY = 0.6
MOST_BLEBS = 0.5  # of a cell's volume that its blebs would have if all were full-grown balls
HOLDING_S = 10.0  # a full-grown bleb stays, on average


def draw_blebs_cell(
    parameters: BlebsParameters,
    rng: np.random.Generator,
    *,
    n_frames: int,
    time_step_s: float,
    scores: tuple[float, float],
) -> BlebsCell:
    """Draw a random cell; `scores` are the standard scores of its size and of its number of blebs."""
    duration_s = max(n_frames - 1, 1) * time_step_s
    period_s = max(3 * duration_s, 1200.0)
    warp = Warp.draw(rng, modes=3, wavelengths=(3.0, 5.0), period_s=period_s)
    axis, pole = random_direction(rng), random_direction(rng)
    flat = rng.uniform(0.6, 0.85)
    volume_um3 = parameters.size_um3 * max(1 + parameters.size_spread * scores[0], 0.2)
    blebs = _draw_blebs(parameters, rng, duration_s, pole=pole, score=scores[1], cell_um3=volume_um3)
    return BlebsCell(
        n_frames=n_frames,
        time_step_s=time_step_s,
        volume_um3=volume_um3,
        irregularity=min(parameters.irregularity, 0.9 / warp.max_slope()),
        flatness=flat ** (-1 / 3) * (np.eye(3) + (flat - 1) * np.outer(axis, axis)),
        blebs=tuple(blebs),
        ruffles=tuple(
            _draw_ruffles(parameters, rng, duration_s, pole=-pole, blebs=blebs, radius_um=ball_radius_um(volume_um3))
        ),
        lobes=Lobes.draw(rng, lobes=int(rng.integers(3, 6)), heights=parameters.lobe_heights, period_s=period_s),
        warp=warp,
        drift=Drift.draw(rng, speed_um_per_s=parameters.drift_um_per_min / 60, swing_um=0.2, period_s=2 * duration_s),
    )


def _births(
    rng: np.random.Generator, *, number: float, life_s: float, duration_s: float
) -> Float[np.ndarray, " births"]:
    """A Poisson process with `number` alive on average, which begins before the movie."""
    before_s = 1.5 * life_s
    return np.sort(rng.uniform(-before_s, duration_s, rng.poisson(number * (duration_s + before_s) / life_s)))


def _draw_blebs(
    parameters: BlebsParameters,
    rng: np.random.Generator,
    duration_s: float,
    *,
    pole: Float[np.ndarray, " 3"],
    score: float,
    cell_um3: float,
) -> list[Bleb]:
    """Blebs in the order of their births; none is born while the cell has no volume left for it."""
    life_s = parameters.swelling_s + HOLDING_S + parameters.retraction_s
    number = parameters.blebs * max(1 + NUMBER_SPREAD * score, 0.2)
    found: list[Bleb] = []
    for birth_s in _births(rng, number=number, life_s=life_s, duration_s=duration_s):
        alive = [other for other in found if other.end_s > birth_s]
        root = _free_place(rng, pole, [other.root for other in alive])
        bleb = _draw_bleb(parameters, rng, birth_s=float(birth_s), root=root)
        if sum(one.full_um3 for one in (*alive, bleb)) < MOST_BLEBS * cell_um3:
            found.append(bleb)
    return found


def _draw_bleb(
    parameters: BlebsParameters, rng: np.random.Generator, *, birth_s: float, root: Float[np.ndarray, " 3"]
) -> Bleb:
    return Bleb(
        birth_s=birth_s,
        swelling_s=parameters.swelling_s * rng.uniform(0.6, 1.4),
        holding_s=HOLDING_S * rng.uniform(0.0, 2.0),
        retraction_s=parameters.retraction_s * rng.uniform(0.7, 1.3),
        radius_um=parameters.bleb_radius_um * float(np.clip(rng.lognormal(-0.03, 0.25), 0.6, 1.4)),
        neck=rng.uniform(0.55, 0.7),
        height=rng.uniform(0.45, 0.75),
        root=root,
        lean=perpendicular(root, rng) * rng.uniform(0, 0.3),
    )


def _draw_ruffles(
    parameters: BlebsParameters,
    rng: np.random.Generator,
    duration_s: float,
    *,
    pole: Float[np.ndarray, " 3"],
    blebs: Sequence[Bleb],
    radius_um: float,
) -> list[Ruffle]:
    life_s = parameters.ruffle_life_s
    found: list[Ruffle] = []
    for birth_s in _births(rng, number=parameters.ruffles, life_s=life_s, duration_s=duration_s):
        end_s = birth_s + life_s * rng.uniform(0.7, 1.3)
        others: tuple[Bleb | Ruffle, ...] = (*blebs, *found)
        neighbours = [other.root for other in others if other.end_s > birth_s and other.birth_s < end_s]
        root = _free_place(rng, pole, neighbours)
        along = perpendicular(root, rng)
        found.append(
            Ruffle(
                birth_s=float(birth_s),
                end_s=float(end_s),
                rising_s=float(end_s - birth_s) / 2.5,
                width_um=min(parameters.ruffle_width_um * rng.uniform(0.75, 1.25), 2.4 * radius_um),
                height_um=parameters.ruffle_height_um * rng.uniform(0.75, 1.25),
                thickness_um=parameters.thickness_um,
                speed_um_per_s=parameters.ruffle_speed_um_per_min / 60 * rng.uniform(0.5, 1.5),
                root=root,
                along=along,
                bow=rng.uniform(-0.5, 0.9),
                winding=rng.uniform(-0.3, 0.3),
                lean=rng.normal(0.1, 0.15),
                curl=rng.normal(0.5, 0.3),
                wave=rng.uniform(0.3, 0.6),
                wavelength_um=rng.uniform(2.0, 4.0),
                phase=rng.uniform(0, 2 * np.pi),
                sway_s=rng.uniform(60, 180) * rng.choice([-1, 1]),
            )
        )
    return found


def _free_place(
    rng: np.random.Generator, pole: Float[np.ndarray, " 3"], neighbours: list[Float[np.ndarray, " 3"]]
) -> Float[np.ndarray, " 3"]:
    """A direction near `pole` rather than away from it, far from all neighbours."""
    places = np.array([random_direction(rng) for _ in range(CANDIDATES)]) + POLARITY * pole
    return farthest_direction(places / np.linalg.norm(places, axis=1, keepdims=True), neighbours)
