"""Voxel size and time step recorded in image files, in µm and s. A plane without a depth is as deep as it is wide."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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


OME_XML, IMAGEJ, OME_ZARR = "OME-XML", "ImageJ tags", "OME-Zarr metadata"
# Sizes that differ by more than this share contradict each other; files round theirs.
TOLERANCE = 0.01


@dataclass(frozen=True)
class RecordedScale:
    """Scale recorded in a file; None where it is missing or unusable."""

    spacing_zyx_um: Triple | None = None
    time_step_s: float | None = None
    # Where it is recorded, for people.
    source: str = field(default="", compare=False)
    # The sizes Z Y X where only some are recorded.
    partial_zyx_um: tuple[float | None, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class GivenScale(RecordedScale):
    """Scale and axes given by the user. With `flat`, a folder of 2D images is a movie of them, whatever else it could be."""

    flat: bool = False
    axes: str | None = None


@dataclass(frozen=True)
class MovieScale:
    """Voxel size of a movie, and its time step where known; where they come from, and what contradicts them."""

    spacing_zyx_um: Triple
    time_step_s: float | None
    voxel_size_from: str = ""
    time_step_from: str = ""
    notices: tuple[str, ...] = ()


def resolve_scale(recorded: RecordedScale, given: RecordedScale, where: str) -> MovieScale:
    """Scale given by the user, else the recorded one. Raises InputError if neither has a valid voxel size."""
    spacing, spacing_from, spacing_notices = _spacing(recorded, given, where)
    step, step_from, step_notices = _time_step(recorded, given, where)
    return MovieScale(spacing, step, spacing_from, step_from, (*spacing_notices, *step_notices))


def of_plane(recorded: RecordedScale) -> RecordedScale:
    """The scale of images, whose depth does not count: it is that of a pixel where none is recorded."""
    depth, *across = recorded.partial_zyx_um or (None, None, None)
    sizes = (across[0] if depth is None else depth, *across)
    return replace(recorded, spacing_zyx_um=_triple(sizes), partial_zyx_um=sizes)


def _spacing(recorded: RecordedScale, given: RecordedScale, where: str) -> tuple[Triple, str, list[str]]:
    if given.spacing_zyx_um is None:
        if recorded.spacing_zyx_um is None:
            raise InputError(f"{where}: {_unrecorded(recorded)}")
        if not _usable(recorded.spacing_zyx_um):
            sizes = sizes_text(recorded.spacing_zyx_um)
            raise InputError(f"{where}: a recorded voxel size of {sizes} µm; pass --voxel-size Z Y X in micrometres")
        return recorded.spacing_zyx_um, recorded.source, []
    if not _usable(given.spacing_zyx_um):
        sizes = " ".join(str(size) for size in given.spacing_zyx_um)
        raise InputError(f"--voxel-size {sizes}: give three positive numbers of micrometres, Z Y X")
    known = recorded.spacing_zyx_um
    notices = []
    if known is not None and _usable(known) and contradict(known, given.spacing_zyx_um):
        swapped = not contradict(tuple(sorted(known)), tuple(sorted(given.spacing_zyx_um)))
        notices.append(
            f"{where}: --voxel-size {sizes_text(given.spacing_zyx_um)} replaces the recorded {sizes_text(known)} µm; "
            + ("the order is Z Y X" if swapped else "leave it out unless the file is wrong")
        )
    return given.spacing_zyx_um, "--voxel-size", notices


def _unrecorded(recorded: RecordedScale) -> str:
    """Which sizes are missing, and the remedy."""
    known = [size for size in recorded.partial_zyx_um if size is not None]
    if not known:
        return "the voxel size is nowhere recorded; pass --voxel-size Z Y X in micrometres"
    sizes = " ".join(
        axis if size is None else f"{size:g}" for axis, size in zip("ZYX", recorded.partial_zyx_um, strict=True)
    )
    missing = " and ".join(axis for axis, size in zip("ZYX", recorded.partial_zyx_um, strict=True) if size is None)
    fiji = " (Fiji leaves out a depth of 1)" if recorded.source == IMAGEJ and missing == "Z" else ""
    return f"the voxel size along {missing} is not recorded{fiji}; pass --voxel-size {sizes} in micrometres"


def _time_step(recorded: RecordedScale, given: RecordedScale, where: str) -> tuple[float | None, str, list[str]]:
    step = recorded.time_step_s
    # Programs write 0 for an unknown time step.
    known = step if step is not None and _usable([step]) else None
    if given.time_step_s is None:
        return known, recorded.source if known else "", []
    if not _usable([given.time_step_s]):
        raise InputError(f"--time-step {given.time_step_s}: give a positive number of seconds")
    notices = []
    if known is not None and contradict([known], [given.time_step_s]):
        notices.append(
            f"{where}: --time-step {given.time_step_s:g} replaces the recorded {known:g} s; "
            "leave it out unless the file is wrong"
        )
    return given.time_step_s, "--time-step", notices


def agreed_scale(recorded: Mapping[str, RecordedScale], given: RecordedScale) -> RecordedScale:
    """The one scale that all files of a movie record; files that record none agree with any.

    Raises InputError naming two files that contradict each other, unless the scale is given. Then a scale that
    contradicts it is returned, if there is one.
    """
    spacing = _agreed(
        {file: one.spacing_zyx_um for file, one in recorded.items()}, given.spacing_zyx_um, "--voxel-size Z Y X"
    )
    steps = {file: (one.time_step_s,) if one.time_step_s else None for file, one in recorded.items()}
    step = _agreed(steps, None if given.time_step_s is None else (given.time_step_s,), "--time-step")
    first = next(iter(recorded.values()))
    source = next((one.source for one in recorded.values() if one.source), "")
    z, y, x = spacing if spacing is not None else (None, None, None)
    agreed = None if z is None or y is None or x is None else (z, y, x)
    return RecordedScale(agreed, None if step is None else step[0], source, first.partial_zyx_um)


def _agreed(
    values: Mapping[str, Sequence[float] | None], given: Sequence[float] | None, option: str
) -> Sequence[float] | None:
    known = {file: value for file, value in values.items() if value is not None}
    for file, value in known.items():
        first = next(iter(known))
        if given is None and contradict(known[first], value):
            unit, name = ("µm", "voxels of") if len(value) == 3 else ("s", "a time step of")
            raise InputError(
                f"{file}: {name} {sizes_text(value)} {unit}, but {sizes_text(known[first])} {unit} in {first}; "
                f"correct the files or pass {option}"
            )
        if given is not None and contradict(given, value):
            return value
    return next(iter(known.values()), None)


def contradict(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two sizes differ by more than rounding."""
    return any(not math.isclose(a, b, rel_tol=TOLERANCE) for a, b in zip(one, other, strict=True))


def sizes_text(sizes: Sequence[float]) -> str:
    """Numbers for messages, as --voxel-size takes them."""
    return " ".join(f"{size:g}" for size in sizes)


def _usable(sizes: Sequence[float]) -> bool:
    return all(math.isfinite(size) and size > 0 for size in sizes)


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
    step = _number(pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", "s"), SECONDS)
    return RecordedScale(_triple(sizes), step, OME_XML, tuple(sizes))


def from_imagej(metadata: Mapping[str, Any], resolution_xy: Sequence[float]) -> RecordedScale:
    """Scale of an ImageJ TIFF; `resolution_xy` is its XResolution and YResolution in pixels per unit."""
    unit = metadata.get("unit")
    # The rational numbers of a TIFF hold nine digits: 0.208 instead of 0.20800000000000002.
    x, y = (float(f"{1 / resolution:.9g}") if resolution > 0 else math.nan for resolution in resolution_xy)
    z = metadata.get("spacing", y if metadata.get("images", 1) == 1 else None)
    # Fiji writes the depth of a reversed stack as a negative number.
    depth, *across = (_number(size, unit, MICROMETRES) for size in (z, y, x))
    sizes = [None if depth is None else abs(depth), *across]
    step = _number(metadata.get("finterval"), metadata.get("tunit", "s"), SECONDS)
    return RecordedScale(_triple(sizes), step, IMAGEJ, tuple(sizes))


def from_ome_zarr(multiscale: Mapping[str, Any]) -> RecordedScale:
    """Scale of the first level of an OME-Zarr 0.4 or 0.5 image. Axes without a unit or a scale count as unrecorded."""
    axes = multiscale["axes"]
    factors = [1.0] * len(axes)
    scaled = False
    for holder in (multiscale["datasets"][0], multiscale):
        for transformation in holder.get("coordinateTransformations") or ():
            if transformation["type"] == "scale":
                factors = [f * float(s) for f, s in zip(factors, transformation["scale"], strict=True)]
                scaled = True
    known: dict[str, tuple[float | None, str | None]] = {
        axis["name"]: (factor, axis.get("unit")) for axis, factor in zip(axes, factors, strict=True) if scaled
    }
    sizes = [_number(*known.get(axis, (None, None)), MICROMETRES) for axis in ("zyx" if "z" in known else "yyx")]
    return RecordedScale(_triple(sizes), _number(*known.get("t", (None, None)), SECONDS), OME_ZARR, tuple(sizes))


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
