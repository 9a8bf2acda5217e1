"""Graphs in space and time in GEFF (graph exchange file format); needs the package geff."""

import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from cytoform.errors import InputError


def write_geff(
    path: Path,
    values: Mapping[str, np.ndarray],
    edges: np.ndarray,
    *,
    time_step_s: float | None,
    tracks: dict[str, str],
    labels: tuple[str, str] | None = None,
) -> None:
    """Write a graph in space and time; nodes are numbered from 0 on, and `values` holds their properties.

    `t` is in frames; `z` (none for 2D), `y` and `x` are in µm. `tracks` names the properties that number tracklets and
    lineages, `labels` the path of the label images and the property with a node's label.
    """
    from geff.core_io import write_arrays
    from geff_spec import Axis, GeffMetadata

    scaled = {} if time_step_s is None else {"scale": time_step_s, "scaled_unit": "second"}
    space = [Axis(name=name, type="space", unit="micrometer") for name in "zyx" if name in values]
    related = [{"type": "labels", "path": labels[0], "node_prop": labels[1]}] if labels else None
    metadata = GeffMetadata(
        directed=True,
        axes=[Axis(name="t", type="time", unit="frame", **scaled), *space],
        node_props_metadata={},
        edge_props_metadata={},
        track_node_props=tracks,
        related_objects=related,
    )
    shutil.rmtree(path, ignore_errors=True)  # a killed process may have begun it, in the same unfinished output
    write_arrays(
        path,
        np.arange(len(values["t"]), dtype=np.uint64),
        {name: {"values": array, "missing": None} for name, array in values.items()},
        edges,
        {},
        metadata,
        zarr_format=3,
    )


NO_GRAPHS = "no GEFF graphs, which need the package geff: pip install 'cytoform[benchmark]'"


def has_geff() -> bool:
    """Whether the package is there."""
    return find_spec("geff") is not None


def refuse_without_geff() -> None:
    """Raise InputError before the long work if the package is missing."""
    if not has_geff():
        raise InputError("--geff needs the package geff: pip install 'cytoform[benchmark]', or pass --no-geff")
