"""Cells of a chosen size: how much longer than drawn each family is."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from cytoform.base.parallel import run_all
from cytoform.scenes.families import FamilySettings, read_bodies
from cytoform.scenes.lineages import LineageDraw
from cytoform.scenes.posing import FamilyDraw
from cytoform.scenes.request import SettledRequest

# Families that show how large the cells of a scene are, and whether all have room.
FIRST = 8
# A stream of random numbers.
SIZES = 4
Drawn = FamilyDraw | LineageDraw


def sized(
    draws: Sequence[Drawn],
    render: Callable[..., None],
    request: SettledRequest,
    settings: FamilySettings,
    *,
    workers: int,
) -> Sequence[Drawn]:
    """The families of a scene, enlarged so that sizes of cells have the median and the spread that the request asks for.

    All families are rendered as they are drawn, to measure both. Each gets the median that is asked for, times a random
    factor with the part of the spread that its own cells and frames do not have; a lineage keeps its factor.
    """
    if request.cell_size is None and request.cell_size_spread is None:
        return draws
    trial = replace(settings, folder=settings.folder / "trial", depth_um=None)
    trial.folder.mkdir(exist_ok=True)
    run_all(render, [(drawn, trial) for drawn in draws], workers=workers, done=lambda: None)
    sizes: dict[int, list[float]] = {}
    bodies = read_bodies(trial, len(draws))
    for body in bodies:
        sizes.setdefault(body.family, []).extend(shape.size for shape in body.shapes)
    medians = {family: float(np.median(each)) for family, each in sizes.items()}
    wanted = request.cell_size or float(np.median(list(medians.values())))
    within = float(np.mean([np.log(each).var() for each in sizes.values()]))
    between = float(np.sqrt(max(0.0, (request.cell_size_spread or 0.0) ** 2 - within)))
    n_dims = len(bodies[0].shapes[0].centroid_zyx_um)
    # Evenly spaced quantiles in random order: few families would miss the median by chance.
    order = np.random.default_rng([request.seed, SIZES]).permutation(len(draws))
    larger = np.exp(between * ndtri((order + 0.5) / len(draws)))
    return [
        _enlarged(drawn, wanted / medians[drawn.family] * float(larger[n]), n_dims) for n, drawn in enumerate(draws)
    ]


def _enlarged(drawn: Drawn, larger: float, n_dims: int) -> Drawn:
    factor = float(larger ** (1 / n_dims))
    if isinstance(drawn, FamilyDraw):
        return replace(drawn, factor=factor)
    return replace(drawn, families=tuple(replace(each, factor=factor) for each in drawn.families))
