"""How many pieces, handles and cavities a shape has."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool


@dataclass(frozen=True)
class Topology:
    """Connected components (26 neighbours) and Euler number: components - handles + cavities, so 1 for a ball."""

    components: int
    euler: int


def topology(mask: Bool[np.ndarray, "z y x"]) -> Topology:
    """Topology of one frame; an empty one has 0 components."""
    import cc3d
    from skimage.measure import euler_number

    components = int(cc3d.connected_components(mask, connectivity=26, return_N=True)[1])
    return Topology(components, int(euler_number(mask, connectivity=3)))
