"""The numbers of a run as a page takes them: a header for JSON, and arrays in one stretch of 32-bit floats."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from cytoform.errors import InputError
from cytoform.representations.global_code.decoder import Decoder, ReLU
from cytoform.representations.linear.representation import Linear
from cytoform.representations.parts.representation import Parts
from cytoform.representations.refined.representation import Refined
from cytoform.representations.representation import SCALE, Representation
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.options import SAFETY


@dataclass(frozen=True)
class PageModel:
    """`header` describes the representation; `arrays` are its weights, by the names that the page knows."""

    header: dict[str, Any]
    arrays: dict[str, Float[np.ndarray, "..."]]


def model_of(cells: Cells) -> PageModel:
    """The representation of a run for a page. Raises InputError for a kind that pages do not know."""
    learned = cells.run.learned
    header, arrays = _described(cells.run.decoder)
    bounds = learned.bounds.times(SAFETY)
    common = {
        "dims": cells.run.decoder.n_dims,
        "halfExtent": learned.half_extent_um,
        "bounds": asdict(bounds),
        "codeLength": cells.flat_codes.shape[1],
    }
    return PageModel(common | header, arrays | {"codes": cells.flat_codes} | _sizes(cells))


def _described(decoder: Representation) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    if isinstance(decoder, Refined):
        network, arrays = _described(decoder.network)
        header, _ = _of_components(decoder)
        return header | {"kind": "refined", "network": network}, arrays
    if isinstance(decoder, Linear):
        return _of_components(decoder)
    if isinstance(decoder, Decoder):
        layers = list(decoder.layers)
        parts: dict[str, Any] = {"fillet": decoder.fillet} if isinstance(decoder, Parts) else {}
        header = {**parts, "kind": "global", "width": decoder.width, "knots": decoder.code_knots,
                  "codes": [layer.n_code for layer in layers], "omega": decoder.activation.omega,
                  "sine": not isinstance(decoder.activation, ReLU)}  # fmt: skip
        arrays = {f"weight{n}": _array(layer.weight) for n, layer in enumerate(layers)}
        arrays |= {f"bias{n}": _array(layer.bias) for n, layer in enumerate(layers)}
        return header, arrays | {"output": _array(decoder.output.weight), "offset": _array(decoder.output.bias)}
    raise InputError(f"the studio knows no representation {type(decoder).__name__}")


def _of_components(decoder: Linear) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    knots, components = decoder.code_shape
    header = {"kind": "linear", "nodes": decoder.nodes, "knots": knots, "components": components,
              "extent": float(decoder.extent), "odd": decoder.odd.cpu().numpy()[:, ::-1].tolist()}  # fmt: skip
    return header, {"mean": _array(decoder.mean), "components": _array(decoder.components)}


def _sizes(cells: Cells) -> dict[str, np.ndarray]:
    """Of cells with a size beside their code: the sizes over time."""
    if not cells.run.has_scales:
        return {}
    return {"scales": np.stack([cells.variables(name)[SCALE] for name in cells.names])}


def _array(tensor: Any) -> np.ndarray:
    return np.asarray(tensor.detach().cpu().numpy())
