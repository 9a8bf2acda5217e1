"""The network of a run as an ONNX model: a function of points, a time and a code, for programs without PyTorch.

inputs    points_zyx_um (n, 3), of images points_yx_um (n, 2), from the corner of the cube, time () from -1 to 1, code (code),
          as the run keeps it
output    distance_um (n), negative inside, in the canonical pose
metadata  "code NAME" for every learned sequence: its code, numbers with spaces between them
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

import cytoform
from cytoform.base.output import Output
from cytoform.errors import InputError
from cytoform.representations.global_code.decoder import Sine
from cytoform.representations.global_code.representation import GlobalCode
from cytoform.runs.run import Run, load_run
from cytoform.zoo.find import find_run

OPSET, IR_VERSION = 17, 8
CHECKED_POINTS = 500
TOLERANCE = 1e-4  # of the half extent


def export_onnx(run: str | Path, out: Path, *, overwrite: bool = False) -> float:
    """Write the network of a run as the ONNX model `out`, and check it against the run.

    Returns the largest difference in µm, at random points and times of a learned cell. Raises InputError for a run of
    components or parts, and where onnx is missing.
    """
    if find_spec("onnx") is None:
        raise InputError("--to onnx: needs onnx; install it with: pip install 'cytoform[onnx]'")
    path = find_run(run)
    output = Output.at(out, inputs=[path], overwrite=overwrite)
    output.check()
    loaded = load_run(path)
    decoder = network_of(loaded, run)
    model = build(loaded, decoder)
    difference_um = _difference_um(model, loaded, decoder)
    if difference_um > TOLERANCE * loaded.learned.half_extent_um:
        raise RuntimeError(f"the ONNX model differs from the run by {difference_um} µm")
    with output.staged(folder=False) as place:
        place.write_bytes(model.SerializeToString(deterministic=True))
    return difference_um


def network_of(run: Run, source: str | Path) -> GlobalCode:
    """The network of the run that was read from `source`. Raises InputError for a run of components or parts."""
    if not isinstance(run.decoder, GlobalCode) or run.decoder.code_knots > 1:
        raise InputError(
            f"{source}: only networks with one code a cell can be written as ONNX; train with --preset quick"
        )
    return run.decoder


def build(run: Run, decoder: GlobalCode, *, scalar_time: bool = True) -> Any:
    """The ONNX model of a decoder; without `scalar_time`, the time has one axis of length 1."""
    from onnx import TensorProto, checker, helper, numpy_helper

    n_dims, place = decoder.n_dims, _name_of_points(run)
    constants: dict[str, np.ndarray] = {
        "half_um": np.array(run.learned.half_extent_um, np.float32),
        "one": np.array(1, np.float32),
        "omega": np.array(decoder.activation.omega, np.float32),
        "xyz": np.arange(n_dims)[::-1].astype(np.int64),
        "flat": np.array([-1], np.int64),
        "row": np.array([1, -1], np.int64),
    }
    node = helper.make_node
    nodes = [
        node("Gather", [place, "xyz"], ["points_xyz_um"], axis=1),
        node("Div", ["points_xyz_um", "half_um"], ["scaled"]),
        node("Sub", ["scaled", "one"], ["points"]),
        node("Reshape", ["time", "row"], ["time_row"]),
        node("Reshape", ["code", "row"], ["code_row"]),
    ]
    hidden = _add_layers(decoder, nodes, constants)
    constants["weight"] = decoder.output.weight.detach().cpu().numpy().T
    constants["bias"] = decoder.output.bias.detach().cpu().numpy()
    nodes += [
        node("MatMul", [hidden, "weight"], ["product"]),
        node("Add", ["product", "bias"], ["column"]),
        node("Reshape", ["column", "flat"], ["distance"]),
        node("Mul", ["distance", "half_um"], ["distance_um"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "cytoform",
        [
            value(place, TensorProto.FLOAT, ["n", n_dims]),
            value("time", TensorProto.FLOAT, [] if scalar_time else [1]),
            value("code", TensorProto.FLOAT, [decoder.code_dim]),
        ],
        [value("distance_um", TensorProto.FLOAT, ["n"])],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in constants.items()],
    )
    model = helper.make_model(
        graph,
        producer_name="cytoform",
        producer_version=cytoform.__version__,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    codes = zip(run.names, run.codes.cpu().numpy(), strict=True)
    helper.set_model_props(model, {f"code {name}": " ".join(f"{v:.9g}" for v in code) for name, code in codes})
    checker.check_model(model)
    return model


def _name_of_points(run: Run) -> str:
    return f"points_{run.learned.cube.axes}_um"


def _add_layers(decoder: GlobalCode, nodes: list[Any], constants: dict[str, np.ndarray]) -> str:
    """Add the nodes and weights of all hidden layers; returns the name of the last one's values."""
    from onnx.helper import make_node as node

    activation = "Sin" if isinstance(decoder.activation, Sine) else "Relu"
    hidden = ""
    for number, layer in enumerate(decoder.layers):
        weight, last = layer.weight.detach().cpu().numpy(), layer.n_from_point
        parts = {"points": weight[:, layer.n_hidden : last], "time_row": weight[:, last : last + 1]}
        parts |= {hidden: weight[:, : layer.n_hidden]} if hidden else {}
        parts |= {"code_row": weight[:, last + 1 :]} if layer.n_code else {}
        total = f"bias{number}"
        constants[total] = layer.bias.detach().cpu().numpy()
        for source, part in parts.items():
            constants[f"{source}_weight{number}"] = np.ascontiguousarray(part.T)
            nodes.append(node("MatMul", [source, f"{source}_weight{number}"], [f"{source}_product{number}"]))
            nodes.append(node("Add", [total, f"{source}_product{number}"], [f"{source}_sum{number}"]))
            total = f"{source}_sum{number}"
        nodes.append(node("Mul", [total, "omega"], [f"stretched{number}"]))
        hidden = f"hidden{number}"
        nodes.append(node(activation, [f"stretched{number}"], [hidden]))
    return hidden


def _difference_um(model: Any, run: Run, decoder: GlobalCode) -> float:
    """The largest difference between the model and the run, at random points and a few times of the first cell."""
    from onnx.reference import ReferenceEvaluator

    rng = np.random.default_rng(0)
    half_um = run.learned.half_extent_um
    points_um = rng.uniform(0, 2 * half_um, (CHECKED_POINTS, decoder.n_dims)).astype(np.float32)
    points = torch.tensor(points_um[:, ::-1] / half_um - 1)[None]
    evaluator, code, worst = ReferenceEvaluator(model), run.codes[:1].cpu(), 0.0
    for time in (-1.0, -0.3, 0.5, 1.0):
        inputs = {_name_of_points(run): points_um, "time": np.array(time, np.float32), "code": code[0].numpy()}
        (found,) = evaluator.run(None, inputs)
        expected = decoder.distances(code, torch.tensor([time]), points)[0].numpy() * half_um
        worst = max(worst, float(np.abs(np.asarray(found, np.float32) - expected).max()))
    return worst
