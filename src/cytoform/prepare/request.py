"""The request of a preparation: sources and options, which --resume compares with those recorded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cytoform.base.options import FLAG, NOT_AN_OPTION, option_names
from cytoform.base.unfinished import refuse_to_resume
from cytoform.errors import InputError

# Names and order in the attributes of a store.
RECORDED = ("voxel_size_zyx_um", "time_step_s", "frames", "half_extent_um", "keep_motion")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Request:
    """Sources and options of a preparation."""

    sources: Annotated[tuple[Path, ...], NOT_AN_OPTION] = ()
    frames: int | None = None
    """Use at most this many frames of each family, from its first."""
    grid_size: Annotated[int, Parameter("--grid")] = 128
    """Voxels along a side of the cube."""
    half_extent_um: Annotated[float | None, Parameter("--half-extent")] = None
    """Half the side of the cube in µm; by default as small as the cells allow."""
    keep_motion: Annotated[bool, FLAG] = False
    """Centre each sequence as a whole instead of every frame on its own centroid."""
    voxel_size_zyx_um: Annotated[tuple[float, float, float] | None, Parameter("--voxel-size")] = None
    """Voxel size Z Y X in µm of label movies; replaces the recorded one."""
    time_step_s: Annotated[float | None, Parameter("--time-step")] = None
    """Seconds between frames of label movies; replaces the recorded step."""
    seed: Annotated[int, NOT_AN_OPTION] = 0

    def check(self) -> None:
        """Refuse the impossible before the long work. Raises InputError."""
        from cytoform.shapes.grid import Grid

        Grid(self.grid_size, 1.0 if self.half_extent_um is None else self.half_extent_um)
        if self.frames is not None and self.frames < 1:
            raise InputError(f"--frames {self.frames}: at least one is needed")

    def attributes(self) -> dict[str, Any]:
        """As a store records it."""
        options = {name: getattr(self, name) for name in RECORDED}
        if self.voxel_size_zyx_um is not None:
            options["voxel_size_zyx_um"] = list(self.voxel_size_zyx_um)
        return {
            "command": "prepare",
            "grid": self.grid_size,
            "options": options,
            "sources": [str(source) for source in self.sources],
            "seed": self.seed,
        }

    def refuse_to_resume(self, recorded: dict[str, Any], place: Path) -> None:
        """Raise InputError unless the recorded attributes of a store are those of this request."""
        if recorded.get("command") != "prepare":
            raise InputError(f"{place}: not from 'cytoform prepare', so nothing can be added; choose another --out")
        refuse_to_resume(place, wanted=_flat(self.attributes()), recorded=_flat(recorded), options=OPTIONS)


OPTIONS = option_names(Request) | {"sources": "list of sources"}


def _flat(attributes: dict[str, Any]) -> dict[str, Any]:
    """The values that must not differ."""
    return {name: attributes[name] for name in ("sources", "grid", "seed")} | attributes["options"]
