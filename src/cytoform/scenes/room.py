"""The room of a scene, and whether its cells can fit into it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.base.triples import Floats, Ints
from cytoform.errors import InputError
from cytoform.scenes.bodies import Body
from cytoform.shapes.grid import EXPONENTS, NAMES

# By number of dimensions: the densest random packing of ellipsoids (Donev et al. 2004, Science 303, 990), and the densest
# of equal discs (Fejes Tóth 1942, Math. Z. 48, 676), π/√12.
DENSEST = {3: 0.74, 2: 0.907}
# Of cells that change their shapes: some room must be left to solve for.
MOST_PRESSED = 0.95
Vector = Float[np.ndarray, " dims"]


@dataclass(frozen=True)
class Room:
    """The volume or image of the scene; cells enter and leave through the borders of `open_zyx` axes."""

    shape_zyx: Ints
    spacing_zyx_um: Floats
    open_zyx: tuple[bool, ...]
    # Smallest gap between cells.
    gap_um: float = 0.0
    # How far cells may be pressed into one another, as a share of their radius.
    pressed: float = 0.0

    @property
    def size_um(self) -> Vector:
        """Side lengths."""
        return np.array(self.shape_zyx) * np.array(self.spacing_zyx_um)

    @property
    def densest(self) -> float:
        """The largest share of it that cells can take; cells that give way to one another are packed by their cores."""
        return min(DENSEST[self.n_dims] / (1 - self.pressed) ** self.n_dims, MOST_PRESSED)

    @property
    def n_dims(self) -> int:
        """Dimensions of space."""
        return len(self.shape_zyx)


def too_crowded(n_families: int, room: Room, what: str) -> InputError:
    """The error for a scene without room for its cells."""
    shape = "×".join(str(n) for n in room.shape_zyx)
    return InputError(
        f"too crowded: {n_families} families in {shape} {NAMES[room.n_dims]}, {what}; choose fewer --cells or a larger --size"
    )


def refuse_overfull(n_families: int, drawn: Sequence[Body], room: Room, *, at_start: bool = False) -> None:
    """Raise InputError if `n_families` like the `drawn` ones would fill more of the room than a dense packing.

    With open borders about a tenth of the cells may be out of view; this is neglected. With `at_start` only their sizes in
    their first frame count, since later ones may leave.
    """
    largest: dict[int, dict[int, float]] = {}
    for body in drawn:
        for frame, shape in enumerate(body.shapes, body.first):
            sizes = largest.setdefault(body.family, {})
            sizes[frame] = sizes.get(frame, 0.0) + shape.size
    counted = [sizes[min(sizes)] if at_start else max(sizes.values()) for sizes in largest.values()]
    mean = float(np.mean(counted))
    n_fit = int(room.densest * float(np.prod(room.size_um)) / mean)
    if n_families > n_fit:
        unit = f"µm{EXPONENTS[room.n_dims]}"
        raise too_crowded(n_families, room, f"and of {mean:.3g} {unit} each at most {n_fit} fit")
