"""The network of a run as an ONNX model: a function of points, a time and a code, for programs without PyTorch.

inputs    points_zyx_um (n, 3) from the corner of the cube, time () from -1 to 1, code (code), as the run keeps it
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
    if not isinstance(loaded.decoder, GlobalCode) or loaded.decoder.code_knots > 1:
        raise InputError(f"{run}: only networks with one code a cell can be written as ONNX; train with --preset quick")
    model = build(loaded, loaded.decoder)
    difference_um = _difference_um(model, loaded, loaded.decoder)
    if difference_um > TOLERANCE * loaded.learned.half_extent_um:
        raise RuntimeError(f"the ONNX model differs from the run by {difference_um} µm")
    with output.staged(folder=False) as place:
        place.write_bytes(model.SerializeToString(deterministic=True))
    return difference_um


def build(run: Run, decoder: GlobalCode) -> Any:
    """The ONNX model of a decoder."""
    from onnx import TensorProto, checker, helper, numpy_helper

    constants: dict[str, np.ndarray] = {
        "half_um": np.array(run.learned.half_extent_um, np.float32),
        "one": np.array(1, np.float32),
        "omega": np.array(decoder.activation.omega, np.float32),
        "xyz": np.array([2, 1, 0], np.int64),
        "flat": np.array([-1], np.int64),
        "row": np.array([1, -1], np.int64),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["points_zyx_um", "xyz"], ["points_xyz_um"], axis=1),
        node("Div", ["points_xyz_um", "half_um"], ["scaled"]),
        node("Sub", ["scaled", "one"], ["points"]),
        node("Reshape", ["time", "row"], ["time_row"]),
        node("Reshape", ["code", "row"], ["code_row"]),
    ]
    activation = "Sin" if isinstance(decoder.activation, Sine) else "Relu"
    hidden = ""
    for number, layer in enumerate(decoder.layers):
        weight, last = layer.weight.detach().cpu().numpy(), layer.n_hidden + 3
        parts = {"points": weight[:, last - 3 : last], "time_row": weight[:, last : last + 1]}
        parts |= {hidden: weight[:, : last - 3]} if hidden else {}
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
            value("points_zyx_um", TensorProto.FLOAT, ["n", 3]),
            value("time", TensorProto.FLOAT, []),
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


def _difference_um(model: Any, run: Run, decoder: GlobalCode) -> float:
    """The largest difference between the model and the run, at random points and a few times of the first cell."""
    from onnx.reference import ReferenceEvaluator

    rng = np.random.default_rng(0)
    half_um = run.learned.half_extent_um
    points_um = rng.uniform(0, 2 * half_um, (CHECKED_POINTS, 3)).astype(np.float32)
    points = torch.tensor(points_um[:, ::-1] / half_um - 1)[None]
    evaluator, code, worst = ReferenceEvaluator(model), run.codes[:1].cpu(), 0.0
    for time in (-1.0, -0.3, 0.5, 1.0):
        inputs = {"points_zyx_um": points_um, "time": np.array(time, np.float32), "code": code[0].numpy()}
        (found,) = evaluator.run(None, inputs)
        expected = decoder.distances(code, torch.tensor([time]), points)[0].numpy() * half_um
        worst = max(worst, float(np.abs(np.asarray(found, np.float32) - expected).max()))
    return worst
