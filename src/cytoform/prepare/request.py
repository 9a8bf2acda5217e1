"""The request of the user; --resume continues an equal request."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cytoform.base.provenance import is_recorded_as, recorded_names
from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.shapes.grid import Grid

OPTIONS = {
    "voxel_size_zyx_um": "--voxel-size",
    "time_step_s": "--time-step",
    "frames": "--frames",
    "half_extent_um": "--half-extent",
    "keep_motion": "--keep-motion",
}


@dataclass(frozen=True)
class Request:
    """Sources and options of a call."""

    sources: tuple[Path, ...]
    voxel_size_zyx_um: Triple | None
    time_step_s: float | None
    frames: int | None
    grid_size: int
    half_extent_um: float | None
    keep_motion: bool
    seed: int
    # Recorded names of the sources; when resuming, those of the earlier call.
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check all values before the long work."""
        Grid(self.grid_size, 1.0 if self.half_extent_um is None else self.half_extent_um)
        if self.frames is not None and self.frames < 1:
            raise InputError(f"--frames {self.frames}: at least one is needed")
        if not self.names:
            object.__setattr__(self, "names", tuple(recorded_names(self.sources)))

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
        """Attributes of the store."""
        options = {name: getattr(self, name) for name in OPTIONS}
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
        ours, theirs = _flat(request.attributes()), _flat(recorded)
        for option, value in ours.items():
            if theirs[option] != value:
                raise InputError(
                    f"{place}: --resume with another {option} ({_short(theirs[option])} before, {_short(value)} now); "
                    "give the same sources and options again, or leave --resume out to begin anew"
                )
        return request


def _flat(attributes: dict[str, Any]) -> dict[str, Any]:
    """The values that must be equal, by command-line name."""
    options = {flag: attributes["options"][name] for name, flag in OPTIONS.items()}
    return {
        "list of sources": attributes["sources"],
        "--grid": attributes["grid"],
        **options,
        "--seed": attributes["seed"],
    }


def _short(value: object) -> str:
    return f"{len(value)} of them" if isinstance(value, list) and len(value) > 3 else str(value)
