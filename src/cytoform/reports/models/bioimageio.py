"""A run as a package of bioimage.io: its network as ONNX, described by rdf.yaml, with tensors to test it.

rdf.yaml          what the tensors mean, licence, authors; JSON, which is YAML too
model.onnx        distance_um = network(points in µm, time, code)
points_zyx_um.npy, time.npy, code.npy, distance_um.npy
                  inputs of the test, and the distances that the run itself gives for them
codes.csv         the code of every learned cell
MODEL_CARD.md     the card

Points have no raster, so their axis is an index; a time and a code are channels.
"""

import csv
import hashlib
import io
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

import cytoform
from cytoform.base.lines import one_line
from cytoform.errors import InputError
from cytoform.exchange.onnx_model import OPSET, build, network_of
from cytoform.reports.models.card import About
from cytoform.runs.run import Run, load_run
from cytoform.zoo.archive import CARD

FORMAT = "0.5.4"
TEST_POINTS = 200
TEST_TIME = 0.5
USE = """Distances of any points in µm, at a time from -1 to 1, for a code of codes.csv or a new one (rdf.yaml says more):

    import numpy as np, onnxruntime

    code = np.loadtxt("codes.csv", np.float32, delimiter=",", skiprows=1, usecols=range(1, 1 + N_CODE), ndmin=2)[0]
    points = np.load("POINTS.npy")
    session = onnxruntime.InferenceSession("model.onnx")
    (distance_um,) = session.run(None, {"POINTS": points, "time": np.float32([0.5]), "code": code})

## Validation

rdf.yaml names a test: random points of the first learned cell, and the distances that the run itself gives for them.
`bioimageio.core.test_model` compares the network with these."""
PAPER = {
    "text": "Wiesner, Suk, Dummer, Svoboda, Wolterink: Implicit Neural Representations for Generative Modeling of Living Cell "
    "Shapes. MICCAI 2022",
    "doi": "10.1007/978-3-031-16440-8_6",
}


def use_of(run: Path) -> str:
    """How the network of a run is used without cytoform."""
    loaded = load_run(run)
    axes, n_code = loaded.learned.cube.axes, loaded.codes.shape[-1]
    return USE.replace("POINTS", f"points_{axes}_um").replace("N_CODE", str(n_code))


def package(run: Path, about: About, card: str) -> dict[str, bytes]:
    """The files of the package, by name. Raises InputError for a run of components or parts, and without an author."""
    if find_spec("onnx") is None:
        raise InputError("--bioimageio: needs onnx; install it with: pip install 'cytoform[onnx]'")
    if not about.authors:
        raise InputError("--author: bioimage.io asks for an author; give at least one")
    loaded = load_run(run)
    decoder = network_of(loaded, run)
    tensors = _test(loaded)
    files = {f"{name}.npy": _npy(values) for name, values in tensors.items()}
    files["model.onnx"] = build(loaded, decoder, scalar_time=False).SerializeToString(deterministic=True)
    files["codes.csv"] = _codes(loaded)
    files[CARD] = card.encode(errors="backslashreplace")
    description = _description(loaded, about, tensors, files)
    return files | {"rdf.yaml": (json.dumps(description, indent=2) + "\n").encode()}


def _test(run: Run) -> dict[str, np.ndarray]:
    """Inputs and the output of a test: random points of the first cell."""
    half_um, axes = run.learned.half_extent_um, run.learned.cube.axes
    rng = np.random.default_rng(0)
    points_um = rng.uniform(0, 2 * half_um, (TEST_POINTS, len(axes))).astype(np.float32)
    code = run.codes[:1].cpu()
    place = torch.tensor(points_um[:, ::-1] / half_um - 1)[None]
    with torch.no_grad():
        distance = run.decoder.cpu().distances(code, torch.tensor([TEST_TIME]), place)[0].numpy() * half_um
    return {
        f"points_{axes}_um": points_um,
        "time": np.array([TEST_TIME], np.float32),
        "code": code[0].numpy(),
        "distance_um": distance.astype(np.float32),
    }


def _description(run: Run, about: About, tensors: dict[str, np.ndarray], files: dict[str, bytes]) -> dict[str, Any]:
    inputs, outputs = _tensors(run, tensors, files)
    return {
        "type": "model",
        "format_version": FORMAT,
        "name": one_line(about.title)[:128],
        "description": "Signed distance from points to the surface of a cell, at a time, for a code that says which cell. "
        "A generative model of cell shapes, not a model of images.",
        "authors": [{"name": one_line(name)} for name in about.authors],
        "license": about.licence,
        "documentation": _source(CARD, files),
        "attachments": [_source("codes.csv", files)],
        "cite": [PAPER],
        "tags": [
            "cell-shape",
            "generative-model",
            "implicit-neural-representation",
            f"{run.learned.dimensions}d",
            "cytoform",
        ],
        "inputs": inputs,
        "outputs": outputs,
        "weights": {"onnx": _source("model.onnx", files) | {"opset_version": OPSET}},
        "config": {"cytoform": {"version": cytoform.__version__}},
    }


def _tensors(
    run: Run, tensors: dict[str, np.ndarray], files: dict[str, bytes]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The inputs and the output, with their axes, units and test tensors."""
    points, axes = next(iter(tensors)), run.learned.cube.axes
    side_um = round(2 * run.learned.half_extent_um, 3)
    index, channels = {"type": "index", "id": "index"}, {"type": "channel", "id": "channel"}

    def tensor(name: str, description: str, axes: list[dict[str, Any]], **data: Any) -> dict[str, Any]:
        return {
            "id": name,
            "description": description,
            "axes": axes,
            "test_tensor": _source(f"{name}.npy", files),
            "data": {"type": "float32"} | data,
        }

    inputs = [
        tensor(
            points,
            f"Points in µm, from the corner of a region of {side_um} µm a side.",
            [index | {"size": {"min": 1, "step": 1}}, channels | {"channel_names": list(axes)}],
            unit="µm",
            range=[0.0, side_um],
        ),
        tensor(
            "time",
            "Time, from -1 (first frame) to 1 (last frame).",
            [channels | {"channel_names": ["time"]}],
            range=[-1.0, 1.0],
        ),
        tensor(
            "code",
            "Which cell: a row of codes.csv, or a new code.",
            [channels | {"channel_names": [f"code{n}" for n in range(len(tensors["code"]))]}],
        ),
    ]
    output = tensor(
        "distance_um",
        "Signed distance to the surface in µm, negative inside the cell.",
        [index | {"size": {"tensor_id": points, "axis_id": "index"}}],
        unit="µm",
    )
    return inputs, [output]


def _source(name: str, files: dict[str, bytes]) -> dict[str, str]:
    return {"source": name, "sha256": hashlib.sha256(files[name]).hexdigest()}


def _npy(values: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.save(data, np.ascontiguousarray(values), allow_pickle=False)
    return data.getvalue()


def _codes(run: Run) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["cell", *(f"code{n}" for n in range(run.codes.shape[1]))])
    for name, code in zip(run.names, run.codes.cpu().numpy(), strict=True):
        rows.writerow([name, *(f"{value:.9g}" for value in code)])
    return text.getvalue().encode()
