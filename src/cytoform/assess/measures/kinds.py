"""The measures of a frame and of a sequence by the number of dimensions of space."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cytoform.assess.measures.descriptors import DESCRIPTORS, EMPTY, MAIN_DESCRIPTORS, Descriptor, Descriptors, describe
from cytoform.assess.measures.dynamics import DYNAMICS, FLAT_DYNAMICS
from cytoform.assess.measures.flat import (
    EMPTY_FLAT,
    FLAT_DESCRIPTORS,
    MAIN_FLAT_DESCRIPTORS,
    FlatDescriptors,
    describe_flat,
)
from cytoform.shapes.grid import worded

AnyDescriptors = Descriptors | FlatDescriptors


@dataclass(frozen=True)
class Measures:
    """Tables of measures, and the measuring of one frame from distances, boundary and spacing."""

    descriptors: Mapping[str, Descriptor]
    main: tuple[str, str, str]  # of size, of extent, of roundness
    dynamics: Mapping[str, Descriptor]
    empty: AnyDescriptors
    describe: Callable[..., AnyDescriptors]
    n_dims: int  # of space

    @property
    def all(self) -> dict[str, Descriptor]:
        """Descriptors of frames, and changes over a sequence."""
        return {**self.descriptors, **self.dynamics}

    def worded(self, text: str) -> str:
        """A sentence about cells in volumes, in the words for these dimensions."""
        return worded(text, self.n_dims)


MEASURES = {
    3: Measures(DESCRIPTORS, MAIN_DESCRIPTORS, DYNAMICS, EMPTY, describe, 3),
    2: Measures(FLAT_DESCRIPTORS, MAIN_FLAT_DESCRIPTORS, FLAT_DYNAMICS, EMPTY_FLAT, describe_flat, 2),
}
