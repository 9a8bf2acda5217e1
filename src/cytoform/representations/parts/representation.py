"""The kind "parts": a body that a code describes, with protrusions that have windows of time: tubes, and bulges."""

from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from cytoform.protrusions.bulges import Bulges, Moments
from cytoform.protrusions.swollen import Swelling, swollen_at
from cytoform.protrusions.tubes import grown_at
from cytoform.protrusions.units import Units
from cytoform.representations.global_code.representation import GlobalCode
from cytoform.representations.parts.frame import PartsFrame, PlacedFrame, distance_of, on_surface
from cytoform.representations.representation import NO_VARIABLES, Frame, Variables, at_share
from cytoform.shapes.tubes import Tube


class Parts(GlobalCode):
    """Training, codes and `distances` are those of the bodies; `frame` adds protrusions and sizes.

    `variables` of a cell: `protrusions`, rows of `Units`; `bulges`, rows of `Bulges`, whose distances are `moments`;
    `scale`, the body's size relative to its code at equal times over the movie; `offset`, the place of the cell in Ω at
    these times; `span`, the length of the movie in learned movies. A longer movie shows the body going back and forth.
    """

    variables = frozenset({"protrusions", "bulges", "scale", "offset", "span"})

    def __init__(self, *, fillet: float, **sizes: Any) -> None:
        super().__init__(**sizes)
        self.fillet = fillet  # half extents
        self.moments = Moments.none()  # of all learned bulges

    def frame(
        self,
        code: Float[Tensor, " code"],
        time: float,
        *,
        rotation: Float[Tensor, "dims dims"] | None = None,
        variables: Variables = NO_VARIABLES,
    ) -> Frame:
        if not variables:
            return super().frame(code, time, rotation=rotation)
        span = float(variables["span"]) if "span" in variables else 1.0
        moment = (time + 1) / 2 * span
        body_time = 2 * there_and_back(moment) - 1
        share = (time + 1) / 2
        scale = float(at_share(share, variables["scale"])) if "scale" in variables else 1.0
        offset = at_share(share, variables["offset"]) if "offset" in variables else np.zeros(self.n_dims)
        upright = PlacedFrame(super().frame(code, body_time), scale)
        surface = on_surface(upright)
        tubes: dict[int, Tube] = {}
        parents: list[int] = []
        if "protrusions" in variables:
            units = Units.from_rows(variables["protrusions"].cpu().numpy(), self.n_dims)
            grown = grown_at(units, moment, surface)
            tubes = {row: Tube(tube.line + offset, tube.radii) for row, tube in grown.items()}
            parents = units.parent[list(tubes)].tolist()
        swellings = [each.moved(offset) for each in self._swollen(variables, moment, upright)]
        if rotation is not None:
            turn = rotation.double().cpu().numpy()
            offset = offset @ turn
            tubes = {row: Tube(tube.line @ turn, tube.radii) for row, tube in tubes.items()}
            swellings = [each.turned(turn) for each in swellings]
        body = super().frame(code, body_time, rotation=rotation)
        placed = PlacedFrame(body, scale, tuple(offset))
        return PartsFrame(placed, list(tubes.values()), self.fillet, tuple(tubes), parents, swellings)

    def _swollen(self, variables: Variables, moment: float, body: Frame) -> list[Swelling]:
        if "bulges" not in variables:
            return []
        return swollen_at(
            Bulges.from_rows(variables["bulges"].cpu().numpy(), self.n_dims),
            self.moments,
            moment,
            on_surface(body),
            distance_of(body),
        )

    def describe(self) -> str:
        return f"bodies with protrusions, {super().describe()}"


def there_and_back(moment: float) -> float:
    """The place in a movie that is played forwards and backwards, for a moment in movies."""
    return 1 - abs(1 - moment % 2)
