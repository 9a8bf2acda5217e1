"""Voxel size and time step recorded in image files, in µm and s. A plane without a depth is as deep as it is wide."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from cytoform.base.triples import Triple
from cytoform.errors import InputError

MICROMETRES = {
    **dict.fromkeys(("µm", "μm", "\\u00B5m", "um", "micron", "microns", "micrometer", "micrometre"), 1.0),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-3),
    **dict.fromkeys(("å", "Å", "angstrom"), 1e-4),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e4),
    **dict.fromkeys(("m", "meter", "metre"), 1e6),
}
SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("µs", "μs", "us", "microsecond"), 1e-6),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}


@dataclass(frozen=True)
class RecordedScale:
    """Scale recorded in a file; None where it is missing or unusable."""

    spacing_zyx_um: Triple | None = None
    time_step_s: float | None = None


@dataclass(frozen=True)
class GivenScale(RecordedScale):
    """Scale given by the user. With `flat`, 2D frames are accepted as volumes of one plane."""

    flat: bool = False


@dataclass(frozen=True)
class MovieScale:
    """Voxel size of a movie, and its time step where known."""

    spacing_zyx_um: Triple
    time_step_s: float | None


def resolve_scale(recorded: RecordedScale, given: RecordedScale, where: str) -> MovieScale:
    """Scale given by the user, else the recorded one. Raises InputError if neither has a valid voxel size."""
    if given.spacing_zyx_um is not None:
        if not all(math.isfinite(size) and size > 0 for size in given.spacing_zyx_um):
            sizes = " ".join(str(size) for size in given.spacing_zyx_um)
            raise InputError(f"--voxel-size {sizes}: give three positive numbers of micrometres, Z Y X")
        spacing = given.spacing_zyx_um
    elif recorded.spacing_zyx_um is None:
        raise InputError(f"{where}: the voxel size is nowhere recorded; pass --voxel-size Z Y X in micrometres")
    else:
        spacing = recorded.spacing_zyx_um
        if not all(math.isfinite(size) and size > 0 for size in spacing):
            sizes = " ".join(f"{size:g}" for size in spacing)
            raise InputError(f"{where}: a recorded voxel size of {sizes} µm; pass --voxel-size Z Y X in micrometres")
    return MovieScale(spacing, _time_step(recorded, given))


def _time_step(recorded: RecordedScale, given: RecordedScale) -> float | None:
    if given.time_step_s is not None:
        if not (math.isfinite(given.time_step_s) and given.time_step_s > 0):
            raise InputError(f"--time-step {given.time_step_s}: give a positive number of seconds")
        return given.time_step_s
    step = recorded.time_step_s
    # Programs write 0 for an unknown time step.
    return step if step is not None and math.isfinite(step) and step > 0 else None


def from_ome_xml(xml: str) -> RecordedScale:
    """Pixel size and time increment of the first image of OME-XML (defaults of OME 2016-06: µm and s)."""
    try:
        pixels = next((node for node in ElementTree.fromstring(xml).iter() if node.tag.endswith("}Pixels")), None)
    except ElementTree.ParseError:
        return RecordedScale()
    if pixels is None:
        return RecordedScale()
    axes = "YYX" if pixels.get("PhysicalSizeZ") is None and pixels.get("SizeZ") == "1" else "ZYX"
    sizes = [
        _number(pixels.get(f"PhysicalSize{a}"), pixels.get(f"PhysicalSize{a}Unit", "µm"), MICROMETRES) for a in axes
    ]
    return RecordedScale(
        _triple(sizes), _number(pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", "s"), SECONDS)
    )


def from_imagej(metadata: Mapping[str, Any], resolution_xy: Sequence[float]) -> RecordedScale:
    """Scale of an ImageJ TIFF; `resolution_xy` is its XResolution and YResolution in pixels per unit."""
    unit = metadata.get("unit")
    # The rational numbers of a TIFF hold nine digits: 0.208 instead of 0.20800000000000002.
    x, y = (float(f"{1 / resolution:.9g}") if resolution > 0 else math.nan for resolution in resolution_xy)
    z = metadata.get("spacing", y if metadata.get("images", 1) == 1 else None)
    sizes = [_number(size, unit, MICROMETRES) for size in (z, y, x)]
    return RecordedScale(_triple(sizes), _number(metadata.get("finterval"), metadata.get("tunit", "s"), SECONDS))


def from_ome_zarr(multiscale: Mapping[str, Any]) -> RecordedScale:
    """Scale of the first level of an OME-Zarr 0.4 or 0.5 image. Axes without a unit count as unrecorded."""
    axes = multiscale["axes"]
    factors = [1.0] * len(axes)
    for holder in (multiscale["datasets"][0], multiscale):
        for transformation in holder.get("coordinateTransformations", ()):
            if transformation["type"] == "scale":
                factors = [f * float(s) for f, s in zip(factors, transformation["scale"], strict=True)]
    known: dict[str, tuple[float | None, str | None]] = {
        axis["name"]: (factor, axis.get("unit")) for axis, factor in zip(axes, factors, strict=True)
    }
    return RecordedScale(
        _triple([_number(*known.get(axis, (None, None)), MICROMETRES) for axis in ("zyx" if "z" in known else "yyx")]),
        _number(*known.get("t", (None, None)), SECONDS),
    )


def _triple(sizes: Sequence[float | None]) -> Triple | None:
    z, y, x = sizes
    return None if z is None or y is None or x is None else (z, y, x)


def _number(value: object, unit: object, units: Mapping[str, float]) -> float | None:
    factor = units.get(str(unit).strip()) or units.get(str(unit).strip().lower())
    if value is None or factor is None:
        return None
    try:
        number = float(str(value))
        # 208 nm is 0.208 µm, not 0.20800000000000002.
        return number if factor == 1 else float(f"{number * factor:.12g}")
    except ValueError:
        return None
