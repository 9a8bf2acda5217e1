"""The request of a preparation: sources and options, which --resume compares with those recorded."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cytoform.base.options import (
    FLAG,
    FRAMES,
    GRID,
    LENGTH_UM,
    NOT_AN_OPTION,
    SECONDS,
    check_ranges,
    option_names,
)
from cytoform.base.provenance import is_recorded_as, recorded_names
from cytoform.base.triples import Triple
from cytoform.base.unfinished import refuse_to_resume
from cytoform.errors import InputError
from cytoform.movies.families import FrameTreatment, Treatment

# Names and order in the attributes of a store.
RECORDED = ("voxel_size_zyx_um", "time_step_s", "frames", "half_extent_um", "keep_motion")
# Recorded only where it is not the default, as older stores do not have them.
RECORDED_IF_GIVEN = ("min_frames", "border", "gaps", "jumps", "axes", "link", "split")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Request:
    """Sources and options of a call."""

    sources: Annotated[tuple[Path, ...], NOT_AN_OPTION] = ()
    frames: Annotated[int | None, FRAMES] = None
    """Use at most this many frames of each family, from its first."""
    min_frames: Annotated[int, FRAMES] = 1
    """Leave out families with fewer frames than this; --border trim and --gaps trim shorten some."""
    grid_size: Annotated[int, Parameter("--grid"), GRID] = 128
    """Voxels along a side of the cube."""
    half_extent_um: Annotated[float | None, Parameter("--half-extent"), LENGTH_UM] = None
    """Half the side of the cube in µm; by default as small as the cells allow."""
    keep_motion: Annotated[bool, FLAG] = False
    """Centre each sequence as a whole instead of every frame on its own centroid."""
    voxel_size_zyx_um: Annotated[Triple | None, Parameter("--voxel-size"), LENGTH_UM] = None
    """Voxel size Z Y X in µm of label movies; replaces the recorded one."""
    time_step_s: Annotated[float | None, Parameter("--time-step"), SECONDS] = None
    """Seconds between frames of label movies; replaces the recorded step."""
    axes: str | None = None
    """Axes of the stored images, a letter for each from T Z C Y X, such as ZTYX; replaces their names in the files."""
    link: Annotated[bool, FLAG] = False
    """Link labels without a lineage to tracks, by their overlap in neighbouring frames."""
    split: Annotated[bool, FLAG] = False
    """Make every connected piece of a label without a lineage a cell of its own; --link then follows the pieces."""
    border: FrameTreatment = "leave-out"
    """Families that the border of the volume cuts: leave out, keep with cut faces as surface, or trim to the longest
    stretch of frames in which it does not cut them."""
    gaps: FrameTreatment = "leave-out"
    """Families with a member missing in a frame: leave out, keep with that frame empty, for 'cytoform fill', or trim to the
    longest stretch of frames that are there."""
    jumps: Treatment = "leave-out"
    """Labels without a lineage that jump to the place of another label: leave out, or keep."""
    strict: Annotated[bool, FLAG] = False
    """Refuse every movie with a notice, or with a family left out for another reason than the border."""
    seed: Annotated[int, NOT_AN_OPTION] = 0
    # Names of the sources in the store; if this call resumes an earlier one, the names of that call.
    names: Annotated[tuple[str, ...], NOT_AN_OPTION] = ()

    def __post_init__(self) -> None:
        if not self.names:
            object.__setattr__(self, "names", tuple(recorded_names(self.sources)))

    def arguments(self) -> dict[str, Any]:
        """The options as keyword arguments of `prepare`."""
        return {name: value for name, value in vars(self).items() if name != "names"}

    def check(self) -> None:
        """Refuse the impossible before the long work. Raises InputError."""
        from cytoform.movies.readers.axes import given_axes

        check_ranges(self)
        if self.axes is not None:
            given_axes(self.axes)

    def recorded(self, path: str) -> str:
        """Recorded name of a source, or of a movie in it."""
        whole = os.path.abspath(path)
        for source, name in zip(self.sources, self.names, strict=True):
            within = os.path.relpath(whole, source)
            if not within.startswith(os.pardir):
                return os.path.normpath(os.path.join(name, within))
        return recorded_names([path])[0]

    def without_folders(self, text: str) -> str:
        """A message with recorded names instead of the absolute paths of sources."""
        for source, name in sorted(zip(self.sources, self.names, strict=True), key=lambda pair: -len(str(pair[0]))):
            text = text.replace(os.path.abspath(source), name)
        return text

    def attributes(self) -> dict[str, Any]:
        """As a store records it."""
        given = [name for name in RECORDED_IF_GIVEN if getattr(self, name) != getattr(Request, name)]
        options = {name: getattr(self, name) for name in (*RECORDED, *given)}
        if self.voxel_size_zyx_um is not None:
            options["voxel_size_zyx_um"] = list(self.voxel_size_zyx_um)
        return {
            "command": "prepare",
            "grid": self.grid_size,
            "options": options,
            "sources": list(self.names),
            "seed": self.seed,
        }

    def resuming(self, recorded: dict[str, Any], place: Path) -> "Request":
        """This request with the source names that the store at `place` has recorded.

        Raises InputError naming the first difference if the store was made by another request.
        """
        if recorded.get("command") != "prepare":
            raise InputError(f"{place}: not from 'cytoform prepare', so nothing can be added; choose another --out")
        names = tuple(recorded["sources"])
        known = len(names) == len(self.sources) and all(map(is_recorded_as, self.sources, names))
        request = replace(self, names=names if known else self.names)
        refuse_to_resume(place, wanted=_flat(request.attributes()), recorded=_flat(recorded), options=OPTIONS)
        return request


OPTIONS = option_names(Request) | {"sources": "list of sources"}


def _flat(attributes: dict[str, Any]) -> dict[str, Any]:
    """The values that must not differ."""
    defaults = {name: getattr(Request, name) for name in RECORDED_IF_GIVEN}
    return {name: attributes[name] for name in ("sources", "grid", "seed")} | defaults | attributes["options"]
