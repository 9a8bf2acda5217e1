"""The manifest: every command can be imported, and sample data opens without a network."""

from importlib import import_module
from pathlib import Path

import yaml

import cytoform_napari
from cytoform_napari import samples


def test_every_command_is_there() -> None:
    manifest = yaml.safe_load((Path(cytoform_napari.__file__).parent / "napari.yaml").read_text("utf-8"))
    contributions = manifest["contributions"]
    known = {command["id"]: command["python_name"] for command in contributions["commands"]}
    used = [each["command"] for kind in ("readers", "widgets", "sample_data") for each in contributions[kind]]
    assert set(used) == set(known)
    for name in known.values():
        module, _, attribute = name.partition(":")
        assert callable(getattr(import_module(module), attribute))


def test_a_sample_has_cells_that_divide() -> None:
    (frames, shown, kind), (rows, about_tracks, _) = samples.dividing_cells_2d()
    assert (kind, frames.ndim) == ("labels", 3)
    assert shown["scale"] == (1.0, samples.VOXEL_UM, samples.VOXEL_UM)
    assert set(rows[:, 0].astype(int)) == set(range(1, frames.max() + 1))
    mothers = [mother for parents in about_tracks["graph"].values() for mother in parents]
    assert len(mothers) == 2 * samples.N_CELLS
