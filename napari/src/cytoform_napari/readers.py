"""Readers of cytoform's folders: shape stores, single sequences of them, runs, data sets and tracked protrusions."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from napari.utils.notifications import show_error

from cytoform.base.kinds import Kind, kind_of, recorded_command
from cytoform.errors import InputError
from cytoform_napari.following import follow_opened
from cytoform_napari.layers import LayerData, cell_layers
from cytoform_napari.movies import movie_layers, protrusion_layers
from cytoform_napari.sources import run_source, store_source

PROTRUSIONS = "cytoform protrusions"
Reader = Callable[[str | list[str]], list[LayerData]]


def get_reader(path: str | list[str]) -> Reader | None:
    """A reader for a folder of cytoform, or for several; None for any other path."""
    paths = [path] if isinstance(path, str) else path
    return _read if paths and all(_reader_of(Path(each)) is not None for each in paths) else None


def read_folder(path: Path) -> list[LayerData]:
    """The layers of a folder of cytoform. Raises InputError for a damaged or any other folder."""
    reader = _reader_of(path)
    if reader is None:
        raise InputError(f"{path}: no shape store, run, data set or table of protrusions; give a folder of cytoform")
    return reader()


def _read(path: str | list[str]) -> list[LayerData]:
    """The layers of all paths. A fault becomes a notification of one line."""
    layers: list[LayerData] = []
    follow_opened()
    for each in [path] if isinstance(path, str) else path:
        try:
            layers += read_folder(Path(each))
        except InputError as fault:
            show_error(str(fault))
    return layers or [(None,)]  # type: ignore[list-item]  # napari's word for a path that was read but gives no layer


def _reader_of(path: Path) -> Callable[[], list[LayerData]] | None:
    kind = kind_of(path)
    if kind is Kind.SHAPE_STORE:
        return lambda: cell_layers(store_source(path))
    if kind is Kind.OME_ZARR and kind_of(path.parent) is Kind.SHAPE_STORE:
        return lambda: cell_layers(store_source(path.parent, path.name))
    if kind is Kind.RUN:
        return lambda: cell_layers(run_source(path))
    if kind is Kind.CHALLENGE:
        return partial(movie_layers, path)
    if recorded_command(path) == PROTRUSIONS:
        return partial(protrusion_layers, path)
    return None
