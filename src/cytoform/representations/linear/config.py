"""Settings of components of distance grids."""

from typing import ClassVar, Literal

from pydantic import Field

from cytoform.representations.config import RepresentationConfig


class ComponentsConfig(RepresentationConfig):
    """Components of distances on a coarse grid, of cells in one frame and at one size."""

    has_scales: ClassVar[bool] = True

    nodes: int = Field(0, ge=0, le=96, multiple_of=2)  # a side of the grid; 0: the fewest that hold the cells
    components: int = Field(1024, ge=1, le=4096)  # at most; fewer where the frames have fewer
    # Of the splines in time, at most; fewer for shorter movies. 0: the fewest that hold the movies.
    knots: int = Field(0, ge=0, le=256)
    cut: float = Field(3.0, ge=1e-3, le=1e3)  # distances are cut off at so many nodes


class LinearConfig(ComponentsConfig):
    """Components alone, in closed form."""

    kind: Literal["linear"] = "linear"
