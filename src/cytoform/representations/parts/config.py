"""Settings of a body with protrusions."""

from typing import Literal

from pydantic import Field

from cytoform.representations.global_code.config import GlobalCodeConfig

FILLET_SHARE = 0.5  # of the opening radius


class PartsConfig(GlobalCodeConfig):
    """The decoder of the bodies, and how cells are taken apart."""

    kind: Literal["parts"] = "parts"  # type: ignore[assignment]
    # What the body is: the opening of the cell by a ball, or what lasts of the cell, where protrusions are thick.
    body: Literal["opening", "lasting"] = "opening"
    # Of the ball that separates protrusions from the body; 0: found from the data.
    opening_radius_um: float = Field(0.0, ge=0, le=1e6)
    # Width of the rounding at the roots of protrusions, in half extents; 0: half the radius of the opening.
    fillet: float = Field(0.0, ge=0, le=0.5)
