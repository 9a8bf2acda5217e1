"""The studio of a run: one page that computes cells from codes in the browser, without a network."""

import base64
import html
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, cast

import numpy as np
from jaxtyping import Float

from cytoform.assess.measures.kinds import MEASURES
from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress
from cytoform.errors import InputError
from cytoform.pictures.figures import COLOURS
from cytoform.pictures.page import FOOTER, shell
from cytoform.pictures.player.element import player_scripts, player_style
from cytoform.pictures.rendering import CAMERAS
from cytoform.priors.prior import Prior
from cytoform.reports.latent.components import principal_components
from cytoform.reports.latent.snapshots import snapshots
from cytoform.reports.studio.gaussian import blocks_of, prior_of_page
from cytoform.reports.studio.model import PageModel, model_of
from cytoform.reports.studio.parts import MOMENTS, Detail, detail_of, parts_of, rounded_moments
from cytoform.representations.linear.representation import Linear
from cytoform.shapes.grid import frame_times
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.sized import WIDTH, Sized

SCRIPTS = (
    "network",
    "linear",
    "refined",
    "band",
    "cubes",
    "codes",
    "tubes",
    "bulges",
    "parts",
    "files",
    "gltf",
    "mp4",
    "video",
    "studio",
)
COMPONENTS = 6
MOST_FRAMES = 121  # a longer movie is shown at equal times
DETAIL = Detail(grid=64, live=48, times=5)
ROOM = 1.15  # of the view over the largest learned cell


@dataclass(frozen=True)
class StudioPage:
    """A page, its number of learned cells, and whether distances of their thick protrusions are rounded for its size."""

    html: str
    n_cells: int
    rounded: bool = False


@dataclass(frozen=True)
class _Learned:
    """Figures of the learned cells at equal times, and how far from the centre of the cube they reach, in µm."""

    values: Float[np.ndarray, "measures values"]
    reach_um: float


def write_studio(
    cells: Cells,
    out: Path,
    *,
    megabytes: float = 25.0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> StudioPage:
    """Write a page in which a run makes cells, one .html file of at most `megabytes` that needs no network.

    Distances around thick protrusions are rounded to multiples of 0.8 % of the side of their boxes where it gets too large.
    Raises InputError for a run whose cells a page cannot compute, or with too many weights for the size.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{out}: a page for the browser ends in .html")
    output = Output.at(out, inputs=[cells.run.path], overwrite=overwrite)
    output.check()
    if not 0.1 <= megabytes <= 2000:
        raise InputError(f"--megabytes {megabytes:g}: choose from 0.1 to 2000")
    model = model_of(cells)
    _refuse_large(cells, sum(array.size for array in model.arrays.values()) * 4 * 1.2, megabytes)
    detail = detail_of(cells) if cells.run.parts else DETAIL
    data, arrays = _data(cells, model, _measured(cells, detail, progress), detail)
    page, rounded = _page(cells, data | _packed(arrays)), False
    if len(page.encode()) > megabytes * 1e6 and MOMENTS in arrays:
        arrays[MOMENTS] = rounded_moments(arrays[MOMENTS])
        page, rounded = _page(cells, data | _packed(arrays)), True
    _refuse_large(cells, len(page.encode()), megabytes)
    with output.staged(folder=False) as partial:
        partial.write_text(page, "utf-8")
    return StudioPage(page, len(cells.names), rounded)


def _refuse_large(cells: Cells, size: float, megabytes: float) -> None:
    if size > megabytes * 1e6:
        raise InputError(
            f"{cells.run.path}: its page would take {size / 1e6:.1f} MB instead of {megabytes:g}; raise --megabytes, or train "
            "with fewer components or units"
        )


def _measured(cells: Cells, detail: Detail, progress: Progress) -> _Learned:
    """The learned cells in the canonical pose, at a few times."""
    seen, reach_um = [], 0.0
    half_um = cells.run.learned.half_extent_um
    with progress("looking at cells", len(cells.names)) as advance:
        for name, code in zip(cells.names, cells.codes, strict=True):
            field = cells.field(code, variables=cells.variables(name))
            frames = [field.render(float(time), detail.grid) for time in frame_times(detail.times)]
            seen.append(snapshots(frames))
            outlines = [
                outline.vertices_um for outline in (frame.boundary() for frame in frames) if outline is not None
            ]
            reach_um = max([reach_um, *(float(np.linalg.norm(each - half_um, axis=1).max()) for each in outlines)])
            advance(1)
    values = [np.concatenate([getattr(each, name) for each in seen]) for name in ("sizes", "extents", "roundness")]
    return _Learned(np.stack(values), reach_um or half_um)


def _page(cells: Cells, data: dict[str, Any]) -> str:
    web, here = files("cytoform.reports.studio").joinpath("web"), cells.run.path.name
    title = f"Studio of {here}"
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    body = Template(web.joinpath("studio.html").read_text("utf-8")).substitute(
        title=html.escape(title), lead=html.escape(_lead(cells)), data=text, footer=FOOTER
    )
    script = "\n".join([player_scripts(), *(web.joinpath(f"{name}.js").read_text("utf-8") for name in SCRIPTS)])
    style = player_style() + web.joinpath("studio.css").read_text("utf-8")
    return shell(title, body, style=style, head=f'<script type="module">\n{script}</script>\n')


def _lead(cells: Cells) -> str:
    n = len(cells.names)
    return (
        f"A model of {n} learned cell{'s' * (n != 1)} that makes new ones here, in the browser: move its code, draw at random, "
        "or go from one learned cell to another. Cells are in their canonical pose."
    )


def _data(
    cells: Cells, model: PageModel, learned: _Learned, detail: Detail
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """All that the script of the page takes: a header, and arrays."""
    arrays = dict(model.arrays)
    prior = None if cells.run.parts else prior_of_page(cells)
    sequences, dims = cells.run.learned.sequences, model.header["dims"]
    longest = max(sequences, key=lambda sequence: sequence.n_frames)
    n_frames = min(longest.n_frames, MOST_FRAMES)
    found = {
        "name": f"Studio of {cells.run.path.name}",
        "run": cells.run.path.name,
        "weights": cells.weights_sha256,
        "model": model.header,
        "cells": cells.names,
        "frames": n_frames,
        "timeStep": _time_step(longest.time_step_s, longest.n_frames, n_frames),
        **asdict(detail),
        "radius": ROOM * learned.reach_um,
        "colours": [list(COLOURS[1]), list(COLOURS[0])],
        "view": {} if dims == 3 else {"azimuth": CAMERAS[2].azimuth_deg, "elevation": CAMERAS[2].elevation_deg},
        "components": _components(cells, arrays),
        "apart": _apart(cells),
        "measures": _measures(dims, learned),
        "prior": None if prior is None else _prior(cells, prior, arrays),
    }
    if model.header["kind"] != "linear":
        kernel = files("cytoform.reports.studio").joinpath("web").joinpath("kernel.wasm").read_bytes()
        found["kernel"] = base64.b64encode(kernel).decode()
    if cells.run.parts:
        found |= parts_of(cells, arrays)
    return found, arrays


def _time_step(step_s: float | None, learned: int, shown: int) -> float | None:
    return None if step_s is None or shown == 1 else step_s * (learned - 1) / (shown - 1)


def _components(cells: Cells, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    found = principal_components(cells.flat_codes)
    arrays["centre"], arrays["directions"] = found.mean, found.directions[:COMPONENTS]
    return {"sigmas": found.sigmas[:COMPONENTS].tolist(), "shares": found.shares[:COMPONENTS].tolist()}


def _apart(cells: Cells) -> float | None:
    """Median distance of a learned code to its nearest neighbour, of the neighbour's mirror images the nearest."""
    codes = cells.flat_codes
    if len(codes) < 2:
        return None
    images = cells.run.decoder.images(cells.codes).reshape(len(codes), -1, codes.shape[1])
    distances = np.stack([np.linalg.norm(images - code, axis=2).min(axis=1) for code in codes])
    np.fill_diagonal(distances, np.inf)
    return float(np.median(distances.min(axis=1)))


def _measures(dims: int, learned: _Learned) -> list[dict[str, Any]]:
    descriptors = MEASURES[dims].descriptors
    return [
        {
            "title": descriptors[name].title,
            "unit": descriptors[name].unit,
            "meaning": descriptors[name].definition,
            "values": [float(f"{value:.5g}") for value in values if np.isfinite(value) and value > 0],
        }
        for name, values in zip(MEASURES[dims].main, learned.values, strict=True)
    ]


def _prior(cells: Cells, prior: Prior, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    blocks = blocks_of(cells, prior)
    for number, block in enumerate(blocks):
        arrays |= {
            f"entries{number}": block.entries,
            f"centre{number}": block.centre,
            f"weights{number}": block.weights,
        }
    if isinstance(prior, Sized):
        moments = np.linspace(-1, 1, prior.log_scales.shape[1])
        decoder, code = cast(Linear, cells.run.decoder), cells.run.codes[0]
        own = np.maximum(decoder.volumes(code, moments), 1e-2)
        arrays["volumes"] = own / prior.volumes_of(cells.flat_codes[0])
    return {"blocks": [{"axes": block.weights.shape[1]} for block in blocks], "smoothing": WIDTH}


def _packed(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Arrays one after the other, compressed: 32-bit floats, then those of whole numbers from -128 to 127 in a byte each.

    Each has a place: its name, its first byte, how many numbers, and 1 for bytes.
    """
    ordered = sorted(arrays.items(), key=lambda each: each[1].dtype == np.int8)
    stretches = [np.asarray(array, array.dtype if array.dtype == np.int8 else "<f4").tobytes() for _, array in ordered]
    starts = np.cumsum([0, *map(len, stretches)]).tolist()
    places = [
        [name, start, array.size, int(array.dtype == np.int8)]
        for (name, array), start in zip(ordered, starts, strict=False)
    ]
    return {"arrays": places, "packed": base64.b64encode(zlib.compress(b"".join(stretches), 9)).decode()}
