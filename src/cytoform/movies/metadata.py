"""Voxel size and time step as the containers record them, in µm and s. A plane that says no depth is as deep as wide."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from cytoform.base.triples import Triple
from cytoform.errors import InputError

UM = {
    **dict.fromkeys(("µm", "μm", "\\u00B5m", "um", "micron", "microns", "micrometer", "micrometre"), 1.0),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-3),
    **dict.fromkeys(("å", "Å", "angstrom"), 1e-4),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e4),
    **dict.fromkeys(("m", "meter", "metre"), 1e6),
}
S = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("µs", "μs", "us", "microsecond"), 1e-6),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}


@dataclass(frozen=True)
class Recorded:
    """What a container says about its scale; None where it says nothing that can be used."""

    spacing_zyx_um: Triple | None = None
    time_step_s: float | None = None


@dataclass(frozen=True)
class Given(Recorded):
    """What the user says of a movie; with `flat`, 2D will do and is taken as volumes of one plane."""

    flat: bool = False


@dataclass(frozen=True)
class Scale:
    """The voxel size of a movie, and its time step if anybody knows it."""

    spacing_zyx_um: Triple
    time_step_s: float | None


def settle(recorded: Recorded, given: Recorded, where: str) -> Scale:
    """What the user has given, else what the container records. Raises InputError where there is no voxel size."""
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
    return Scale(spacing, _time_step(recorded, given))


def _time_step(recorded: Recorded, given: Recorded) -> float | None:
    if given.time_step_s is not None:
        if not (math.isfinite(given.time_step_s) and given.time_step_s > 0):
            raise InputError(f"--time-step {given.time_step_s}: give a positive number of seconds")
        return given.time_step_s
    step = recorded.time_step_s
    # Programs write 0 where they do not know the time step.
    return step if step is not None and math.isfinite(step) and step > 0 else None


def from_ome_xml(xml: str) -> Recorded:
    """Physical sizes and time increment of the first image (OME 2016-06: µm and s where no unit stands)."""
    try:
        pixels = next((node for node in ElementTree.fromstring(xml).iter() if node.tag.endswith("}Pixels")), None)
    except ElementTree.ParseError:
        return Recorded()
    if pixels is None:
        return Recorded()
    axes = "YYX" if pixels.get("PhysicalSizeZ") is None and pixels.get("SizeZ") == "1" else "ZYX"
    sizes = [_number(pixels.get(f"PhysicalSize{a}"), pixels.get(f"PhysicalSize{a}Unit", "µm"), UM) for a in axes]
    return Recorded(_triple(sizes), _number(pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", "s"), S))


def from_imagej(metadata: Mapping[str, Any], resolution_xy: Sequence[float]) -> Recorded:
    """Scale of an ImageJ TIFF; `resolution_xy` is its XResolution and YResolution in pixels a unit."""
    unit = metadata.get("unit")
    # Nine digits are what the rational numbers of a TIFF hold: 0.208 and not 0.20800000000000002.
    x, y = (float(f"{1 / resolution:.9g}") if resolution > 0 else math.nan for resolution in resolution_xy)
    z = metadata.get("spacing", y if metadata.get("images", 1) == 1 else None)
    sizes = [_number(size, unit, UM) for size in (z, y, x)]
    return Recorded(_triple(sizes), _number(metadata.get("finterval"), metadata.get("tunit", "s"), S))


def from_ome_zarr(multiscale: Mapping[str, Any]) -> Recorded:
    """Scale of the first level of an OME-Zarr 0.4 or 0.5 image. Axes without a unit count as not recorded."""
    axes = multiscale["axes"]
    factors = [1.0] * len(axes)
    for holder in (multiscale["datasets"][0], multiscale):
        for transformation in holder.get("coordinateTransformations", ()):
            if transformation["type"] == "scale":
                factors = [f * float(s) for f, s in zip(factors, transformation["scale"], strict=True)]
    known: dict[str, tuple[float | None, str | None]] = {
        axis["name"]: (factor, axis.get("unit")) for axis, factor in zip(axes, factors, strict=True)
    }
    return Recorded(
        _triple([_number(*known.get(axis, (None, None)), UM) for axis in ("zyx" if "z" in known else "yyx")]),
        _number(*known.get("t", (None, None)), S),
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
        # 208 nm is 0.208 µm and not 0.20800000000000002.
        return number if factor == 1 else float(f"{number * factor:.12g}")
    except ValueError:
        return None
