"""What the user has asked for: the same again is what --resume goes on with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytoform.base.triples import Triple
from cytoform.base.unfinished import refuse_to_resume
from cytoform.errors import InputError
from cytoform.shapes.grid import Grid

# Names on the command line.
OPTIONS = {
    "sources": "list of sources",
    "voxel_size_zyx_um": "--voxel-size",
    "time_step_s": "--time-step",
    "half_extent_um": "--half-extent",
}
RECORDED = ("voxel_size_zyx_um", "time_step_s", "frames", "half_extent_um", "keep_motion")


@dataclass(frozen=True)
class Request:
    """Sources and options of a preparation."""

    sources: tuple[Path, ...]
    voxel_size_zyx_um: Triple | None
    time_step_s: float | None
    frames: int | None
    grid_size: int
    half_extent_um: float | None
    keep_motion: bool
    seed: int

    def __post_init__(self) -> None:
        """Refuse the impossible before the long work."""
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


def _flat(attributes: dict[str, Any]) -> dict[str, Any]:
    """What must not differ."""
    return {name: attributes[name] for name in ("sources", "grid", "seed")} | attributes["options"]
