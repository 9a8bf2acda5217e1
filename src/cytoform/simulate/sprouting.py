"""Random sprouting and branching of filopodia."""

from dataclasses import replace

import numpy as np

from cytoform.simulate.filopodia import BRANCH_RADIUS, FilopodiaCell, Filopodium
from cytoform.simulate.parameters import DEPTH, ROOT, TIP, FilopodiaParameters
from cytoform.simulate.randomness import Drift, Warp, farthest_direction, perpendicular, random_direction

MAX_ORDER = 2  # filopodia have branches, and these have branches, but no further
CANDIDATES = 12
NUMBER_SPREAD = 0.35  # standard deviation of the number of filopodia between cells, relative to the mean


def draw_filopodia_cell(
    parameters: FilopodiaParameters,
    rng: np.random.Generator,
    *,
    n_frames: int,
    time_step_s: float,
    scores: tuple[float, float],
) -> FilopodiaCell:
    """Draw a random cell; `scores` are the standard scores of its size and of its number of filopodia."""
    duration_s = max(n_frames - 1, 1) * time_step_s
    warp = Warp.draw(rng, modes=4, wavelengths=(3.0, 5.0), period_s=max(2 * duration_s, 600.0))
    axis = random_direction(rng)
    flat = rng.uniform(0.65, 0.9)
    return FilopodiaCell(
        n_frames=n_frames,
        time_step_s=time_step_s,
        volume_um3=parameters.size_um3 * max(1 + parameters.size_spread * scores[0], 0.2),
        irregularity=min(parameters.irregularity, 0.9 / warp.max_slope()),
        flatness=flat ** (-1 / 3) * (np.eye(3) + (flat - 1) * np.outer(axis, axis)),
        filopodia=tuple(_sprout(parameters, rng, duration_s, score=scores[1])),
        warp=warp,
        drift=Drift.draw(rng, speed_um_per_s=parameters.drift_um_per_min / 60, swing_um=0.2, period_s=2 * duration_s),
    )


def _sprout(
    parameters: FilopodiaParameters, rng: np.random.Generator, duration_s: float, *, score: float
) -> list[Filopodium]:
    """Sprouting as a Poisson process that starts before the movie."""
    life_s = parameters.lifetime_min * 60
    before_s = 1.5 * life_s
    mean = parameters.number * max(1 + NUMBER_SPREAD * score, 0.2)
    births = np.sort(rng.uniform(-before_s, duration_s, rng.poisson(mean * (duration_s + before_s) / life_s)))
    found: list[Filopodium] = []
    for birth_s in births:
        filopodium = _draw_filopodium(parameters, rng, float(birth_s))
        neighbours = [other.root for other in found if other.end_s > birth_s]
        places = np.array([random_direction(rng) for _ in range(CANDIDATES)])
        found.append(replace(filopodium, root=farthest_direction(places, neighbours)))
    return [_with_branches(filopodium, parameters, rng, order=1) for filopodium in found]


def _draw_filopodium(parameters: FilopodiaParameters, rng: np.random.Generator, birth_s: float) -> Filopodium:
    length = max(parameters.length_um * rng.lognormal(-0.03, 0.25), 4 * parameters.radius_um)
    radius = parameters.radius_um * rng.uniform(0.9, 1.1)
    growing_s = length / parameters.growth_um_per_min * 60
    lasting_s = max(parameters.lifetime_min * 60 * rng.uniform(0.6, 1.4), 2 * growing_s)
    root = random_direction(rng)
    return Filopodium(
        birth_s=birth_s,
        end_s=birth_s + lasting_s,
        growing_s=growing_s,
        length_um=length,
        radius_um=ROOT * radius,
        tip_radius_um=TIP * radius,
        across=random_direction(rng),
        bends=rng.normal(0, 0.45, 2),
        waves=rng.normal(0, 0.16, 2),
        wavelength_um=rng.uniform(2.5, 4.0),
        phases=rng.uniform(0, 2 * np.pi, 2),
        sway_s=rng.uniform(300, 900) * rng.choice([-1, 1]),
        root=root,
        lean=perpendicular(root, rng) * rng.uniform(0, 0.5),
    )


def _with_branches(
    filopodium: Filopodium, parameters: FilopodiaParameters, rng: np.random.Generator, *, order: int
) -> Filopodium:
    if order > MAX_ORDER:
        return filopodium
    lasting_s = filopodium.end_s - filopodium.birth_s
    n_branches = rng.poisson(parameters.branches_per_min * lasting_s / 60 / order)
    branches = [_draw_branch(filopodium, parameters, rng) for _ in range(n_branches)]
    return replace(
        filopodium, branches=tuple(_with_branches(branch, parameters, rng, order=order + 1) for branch in branches)
    )


def _draw_branch(mother: Filopodium, parameters: FilopodiaParameters, rng: np.random.Generator) -> Filopodium:
    branch = _draw_filopodium(parameters, rng, mother.birth_s + rng.uniform(0.3, 0.6) * (mother.end_s - mother.birth_s))
    at_um = mother.length_um * rng.uniform(0.25, 0.75)
    length_um = min(branch.length_um, mother.length_um) * rng.uniform(0.35, 0.65)
    there_um = mother.radius_um + (mother.tip_radius_um - mother.radius_um) * at_um / mother.length_um
    radius_um = BRANCH_RADIUS * there_um
    on_body = mother.at_um == 0
    return replace(
        branch,
        end_s=mother.end_s,
        growing_s=length_um / parameters.growth_um_per_min * 60,
        length_um=length_um,
        radius_um=radius_um,
        tip_radius_um=min(branch.tip_radius_um, radius_um),
        # Arc lengths along a filopodium on the body start below the body's surface.
        at_um=at_um + (DEPTH * mother.radius_um if on_body else 0.0),
        angle=rng.uniform(0.6, 1.1),
    )
