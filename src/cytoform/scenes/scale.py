"""Voxels and time step of a scene: as asked for, or as the sources have them."""

from dataclasses import dataclass

from cytoform.errors import InputError
from cytoform.scenes.actors import is_run, load_cells
from cytoform.scenes.request import SceneRequest, Triple
from cytoform.shapes.store import ShapeStore


@dataclass(frozen=True)
class Scale:
    """What a voxel and a frame are in a scene."""

    voxel_size_zyx_um: Triple
    time_step_s: float


def settle_scale(request: SceneRequest) -> Scale:
    """The scale of a scene: what is not asked for is that of the first source. Raises InputError where it has none."""
    first = request.sources[0]
    if is_run(first):
        learned = load_cells(first, request.device).run.learned
        spacing_um, time_step_s = 2 * learned.half_extent_um / learned.grid, learned.sequences[0].time_step_s
    else:
        store = ShapeStore.open(first)
        spacing_um = store.grid.spacing_um
        time_step_s = next((sequence.info.time_step_s for sequence in store), None)
    time_step_s = request.time_step_s or time_step_s
    if time_step_s is None:
        raise InputError(f"{first}: no time step is recorded; pass --time-step, in seconds")
    voxel_size = request.voxel_size_zyx_um or (spacing_um, spacing_um, spacing_um)
    if request.gap_um > 2 * min(voxel_size):
        raise InputError(f"--gap {request.gap_um:g}: at most two voxels, here {2 * min(voxel_size):g} µm; choose less")
    return Scale(voxel_size, time_step_s)
