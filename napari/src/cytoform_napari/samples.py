"""Sample data that needs no network: simulated label movies, and the trained models that come with cytoform."""

from pathlib import Path
from typing import Any

import numpy as np

from cytoform.movies.lineage import Track
from cytoform.simulate.parameters import MitosisParameters
from cytoform.simulate.population import population
from cytoform.zoo.find import find_run
from cytoform_napari.following import OWN
from cytoform_napari.layers import LayerData, cell_layers
from cytoform_napari.movies import label_track_layers, placement
from cytoform_napari.sources import run_source

N_CELLS, N_FRAMES, VOXEL_UM, TIME_STEP_S = 6, 8, 0.5, 120.0


def dividing_cells() -> list[LayerData]:
    """Six simulated cells that divide, side by side in a volume, with their lineage."""
    return _movie(MitosisParameters(), "dividing cells")


def dividing_cells_2d() -> list[LayerData]:
    """Six simulated cells that divide, side by side in images, with their lineage."""
    return _movie(MitosisParameters(dims=2), "dividing cells 2D")


def learned_dividing_cells() -> list[LayerData]:
    """The learned cells of `zoo:mitosis`."""
    return _learned("zoo:mitosis")


def learned_dividing_cells_2d() -> list[LayerData]:
    """The learned cells of `zoo:mitosis-2d`."""
    return _learned("zoo:mitosis-2d")


def learned_filopodia() -> list[LayerData]:
    """The learned cells of `zoo:filopodia`."""
    return _learned("zoo:filopodia")


def _learned(name: str) -> list[LayerData]:
    return cell_layers(run_source(Path(find_run(name))))


def _movie(parameters: MitosisParameters, name: str) -> list[LayerData]:
    spacing_um = (VOXEL_UM,) * parameters.dims
    families = population(
        parameters,
        n_cells=N_CELLS,
        n_frames=N_FRAMES,
        seed=0,
        spacing_zyx_um=(VOXEL_UM,) * 3,
        time_step_s=TIME_STEP_S,
    )
    shape = np.max([family.shape_zyx for family in families], axis=0)
    frames = np.zeros((N_FRAMES, *shape[:-1], shape[-1] * N_CELLS), np.uint16)
    tracks: list[Track] = []
    for number, family in enumerate(families):
        first = len(tracks)
        low = number * shape[-1]
        place: tuple[Any, ...] = (*(slice(0, n) for n in family.shape_zyx[:-1]), slice(low, low + family.shape_zyx[-1]))
        for t in range(N_FRAMES):
            labels = family.labels(t)
            frames[t, *place] = np.where(labels > 0, labels + first, 0)
        tracks += [
            Track(each.label + first, each.first, each.last, each.parent + first if each.parent else 0)
            for each in family.lineage.tracks
        ]
    placed = placement(spacing_um)
    facts = {OWN: {"kind": "sample", "time_step_s": TIME_STEP_S}}
    return [
        (frames, {"name": name, **placed, "metadata": facts}, "labels"),
        *label_track_layers(name, list(frames), tracks, placed),
    ]
