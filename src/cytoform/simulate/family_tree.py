"""Random family trees of dividing cells."""

from dataclasses import replace

import numpy as np
from scipy.stats import norm

from cytoform.errors import InputError
from cytoform.simulate.mitosis import PARTING_DISTANCE, Division, FamilyMember, MitosisCell
from cytoform.simulate.parameters import MitosisParameters, ball_radius_um
from cytoform.simulate.profiles import Furrow, lobe_scale
from cytoform.simulate.randomness import Drift, Warp, perpendicular, random_direction


def draw_mitosis_cell(
    parameters: MitosisParameters,
    rng: np.random.Generator,
    *,
    n_frames: int,
    time_step_s: float,
    scores: tuple[float, float],
) -> MitosisCell:
    """Draw a random family; `scores` are the standard scores of its ln(volume) and of its first division time."""
    cycle = _cycle_frames(parameters, n_frames=n_frames, time_step_s=time_step_s)
    duration_s = max(n_frames - 1, 1) * time_step_s
    # An amplitude below 1 / maximum slope cannot fold the surface.
    n_dims = parameters.dims
    warp = Warp.draw(rng, modes=5, wavelengths=(3.0, 5.0), period_s=max(duration_s, 900.0), n_dims=n_dims)
    spread = parameters.size_spread
    volume_um3 = parameters.size_um3 * float(np.exp(spread * scores[0] - spread**2 / 2))
    cell = MitosisCell(
        n_frames=n_frames,
        time_step_s=time_step_s,
        volume_um3=volume_um3 if n_dims == 3 else np.pi * ball_radius_um(volume_um3) ** 2,
        cycle_frames=cycle,
        growth=parameters.growth,
        irregularity=min(parameters.irregularity, 0.9 / warp.max_slope()),
        members=(),
        warp=warp,
        drift=Drift.draw(
            rng, speed_um_per_s=parameters.drift_um_per_min / 60, swing_um=0.2, period_s=2 * duration_s, n_dims=n_dims
        ),
        n_dims=n_dims,
    )
    long_axis = random_direction(rng, n_dims)
    founder = FamilyMember(
        1,
        0,
        -cycle,
        1.0,
        np.zeros(n_dims),
        long_axis,
        _slenderness(parameters, rng),
        None,
        perpendicular(long_axis, rng),
    )
    first_division = cycle * (0.3 + 0.2 * float(norm.cdf(scores[1])))
    return replace(cell, members=tuple(_grow_tree(cell, founder, first_division, parameters, rng)))


def _cycle_frames(parameters: MitosisParameters, *, n_frames: int, time_step_s: float) -> float:
    if parameters.generations > 1 and n_frames < 4 * parameters.generations:
        raise InputError(
            f"--generations {parameters.generations}: needs at least {4 * parameters.generations} frames; "
            f"raise --frames {n_frames} or choose fewer generations"
        )
    if parameters.cycle_min is None:
        return max(n_frames - 1, 1) / max(parameters.generations, 1)
    cycle = parameters.cycle_min * 60 / time_step_s
    if cycle < 4:
        raise InputError(f"--cycle {parameters.cycle_min}: shorter than 4 frames; choose a shorter --time-step")
    return cycle


def _grow_tree(
    cell: MitosisCell,
    founder: FamilyMember,
    first_division: float,
    parameters: MitosisParameters,
    rng: np.random.Generator,
) -> list[FamilyMember]:
    """All members, mothers before daughters, labelled in order of birth."""
    done: list[FamilyMember] = []
    waiting = [(founder, first_division, 0)]
    while waiting:
        waiting.sort(key=lambda entry: (entry[0].birth, entry[0].parent))
        member, division_frame, generation = waiting.pop(0)
        # Divisions fall between two frames: the earlier shows the mother, the later the daughters.
        division_frame = max(np.round(division_frame), np.ceil(max(member.birth, 0)) + 1) - 0.5
        member = replace(member, label=len(done) + 1)
        if generation >= parameters.generations or division_frame > cell.n_frames - 1:
            done.append(member)
            continue
        larger = rng.uniform(0.5, parameters.daughter_share)
        furrow = Furrow.for_share(larger if rng.random() < 0.5 else 1 - larger, cell.n_dims)
        member = replace(member, division=Division(float(division_frame), furrow))
        done.append(member)
        for upper in (True, False):
            daughter = _daughter(cell, member, parameters, rng, upper=upper)
            life = cell.cycle_frames * rng.uniform(0.9, 1.1)
            waiting.append((daughter, daughter.birth + life, generation + 1))
    return done


def _daughter(
    cell: MitosisCell, mother: FamilyMember, parameters: MitosisParameters, rng: np.random.Generator, *, upper: bool
) -> FamilyMember:
    if mother.division is None:
        raise RuntimeError("a cell that does not divide has no daughters")
    furrow, axis = mother.division.furrow.side(upper), mother.long_axis * (1 if upper else -1)
    birth = mother.division.frame
    radius = ball_radius_um(mother.share * cell.volume_at(birth), cell.n_dims)
    share = furrow.share_above
    return FamilyMember(
        label=0,
        parent=mother.label,
        birth=birth,
        share=mother.share * share,
        centre_zyx_um=cell.centre_zyx_um(mother, birth) + lobe_scale(furrow)[1] * radius * axis,
        # Perpendicular to the axis between the sisters, so that they never overlap while growing.
        long_axis=perpendicular(axis, rng),
        slenderness=_slenderness(parameters, rng),
        division=None,
        axis=axis,
        furrow=furrow,
        # The lighter sister moves farther, so that their common centroid stays.
        parting_um=2 * PARTING_DISTANCE * radius * (1 - share),
    )


def _slenderness(parameters: MitosisParameters, rng: np.random.Generator) -> float:
    return 1 + (parameters.slenderness - 1) * rng.uniform(0.5, 1.5)
