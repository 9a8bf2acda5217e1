"""A call that contradicts a signature is a fault in every test, in its types and in the sizes of its axes."""

from typing import Any

import numpy as np
import pytest
from jaxtyping import Float, TypeCheckError
from runtime_types import _has_axes

from cytoform.movies.lineage import Track
from cytoform.movies.movie import safe_name
from cytoform.pictures.player.coding import _beyond_mean
from cytoform.shapes.mesh import Mesh

FAULTS: dict[str, Any] = {
    "an argument": lambda: safe_name(3),
    "a field": lambda: Track("first", 0, 0, 0),
    "the axes of a field": lambda: Mesh(np.zeros((4, 2)), np.zeros((1, 3), np.int64)),
    "axes of two sizes": lambda: _beyond_mean(np.zeros(3, np.int64), np.zeros((4, 3), np.int64)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_is_refused(fault: str) -> None:
    with pytest.raises(TypeCheckError):
        FAULTS[fault]()


def test_arrays_are_found_inside_other_types() -> None:
    array = Float[np.ndarray, "n 3"]
    assert all(map(_has_axes, (array, array | None, dict[str, list[array]], "Mesh", list["Mesh"])))
    assert not any(map(_has_axes, (int, np.ndarray, dict[str, list[int]], None)))
