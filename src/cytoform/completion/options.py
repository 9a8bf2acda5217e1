"""The options of `fill`."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from cytoform.base.options import FRAMES, check_ranges, whole


@Parameter(name="*")
@dataclass(frozen=True)
class FillOptions:
    """What is known, and what is wanted."""

    every_frame: Annotated[int, FRAMES] = 1
    """Use only every n-th frame."""
    every_plane: Annotated[int, whole(1, 1024)] = 1
    """Use only every n-th plane along z of the store's grid."""
    n_frames: Annotated[int | None, Parameter("--frames"), FRAMES] = None
    """Frames spread evenly over the sequence's time; by default as many as it has."""
    before: Annotated[int, whole(0, 1000)] = 0
    """Frames to add before the first one; how fast they become worthless is measured and said."""
    after: Annotated[int, whole(0, 1000)] = 0
    """Frames to add after the last one."""

    def check(self) -> None:
        """Raises InputError."""
        check_ranges(self)
