"""Units of every container become µm and s; what is not said stays unknown."""

import math

import pytest

from cytoform.movies.metadata import RecordedScale, from_imagej, from_ome_xml, from_ome_zarr

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def ome_xml(**attributes: object) -> str:
    listed = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f'<OME xmlns="{NAMESPACE}"><Image><Pixels {listed}/></Image><Image><Pixels PhysicalSizeX="9"/></Image></OME>'


@pytest.mark.parametrize(
    ("unit", "um"), [("µm", 1), ("μm", 1), ("nm", 1e-3), ("mm", 1e3), ("m", 1e6), ("Å", 1e-4), ("cm", 1e4)]
)
def test_lengths_of_ome_xml(unit, um):
    sizes = {f"PhysicalSize{axis}": size for axis, size in zip("ZYX", (208, 3.5, 2), strict=True)}
    units = {f"PhysicalSize{axis}Unit": unit for axis in "ZYX"}
    recorded = from_ome_xml(ome_xml(**sizes, **units))
    assert recorded.spacing_zyx_um == pytest.approx((208 * um, 3.5 * um, 2 * um), rel=1e-11)
    assert recorded.time_step_s is None


@pytest.mark.parametrize(("unit", "seconds"), [("s", 1), ("ms", 1e-3), ("min", 60), ("h", 3600), ("d", 86400)])
def test_times_of_ome_xml(unit, seconds):
    recorded = from_ome_xml(ome_xml(TimeIncrement=2.5, TimeIncrementUnit=unit))
    assert recorded.spacing_zyx_um is None
    assert recorded.time_step_s == pytest.approx(2.5 * seconds, rel=1e-11)


def test_defaults_of_the_ome_schema_and_no_rounding_of_what_needs_no_conversion():
    recorded = from_ome_xml(
        ome_xml(PhysicalSizeX=0.1, PhysicalSizeY=0.2, PhysicalSizeZ=0.3, TimeIncrement=8.33199977875)
    )
    assert recorded == RecordedScale((0.3, 0.2, 0.1), 8.33199977875)


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "<broken",
        "<OME/>",
        ome_xml(PhysicalSizeX=1, PhysicalSizeY=1),
        ome_xml(PhysicalSizeX="a", PhysicalSizeY=1, PhysicalSizeZ=1),
        ome_xml(PhysicalSizeX=1, PhysicalSizeXUnit="reference frame", PhysicalSizeY=1, PhysicalSizeZ=1),
    ],
)
def test_ome_xml_that_does_not_say_it(xml):
    assert from_ome_xml(xml) == RecordedScale()


def test_a_single_plane_that_says_no_depth_is_as_deep_as_wide():
    assert from_imagej({"unit": "um"}, [2.0, 4.0]).spacing_zyx_um == (0.25, 0.25, 0.5)
    xml = ome_xml(PhysicalSizeX=0.5, PhysicalSizeY=0.25, SizeZ=1)
    assert from_ome_xml(xml).spacing_zyx_um == (0.25, 0.25, 0.5)
    assert from_ome_xml(xml.replace('SizeZ="1"', 'SizeZ="2"')).spacing_zyx_um is None
    axes = [{"name": axis, "unit": "micrometer"} for axis in "yx"]
    scale = {"type": "scale", "scale": [0.25, 0.5]}
    multiscale = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": [scale]}]}
    assert from_ome_zarr(multiscale).spacing_zyx_um == (0.25, 0.25, 0.5)


@pytest.mark.parametrize("unit", ["micron", "um", "\\u00B5m", "µm"])
def test_imagej(unit):
    recorded = from_imagej({"unit": unit, "spacing": 2.0, "finterval": 1.5, "tunit": "min"}, [1 / 0.208, 1 / 0.104])
    assert recorded == RecordedScale((2.0, 0.104, 0.208), 90.0)


@pytest.mark.parametrize(
    "metadata", [{}, {"unit": "pixel", "spacing": 1.0}, {"unit": "um", "images": 9}, {"spacing": 1.0}]
)
def test_imagej_that_does_not_say_it(metadata):
    assert from_imagej(metadata, [1.0, 1.0]) == RecordedScale()


def test_imagej_without_resolution_is_no_voxel_size():
    recorded = from_imagej({"unit": "um", "spacing": 1.0}, [0.0, 0.0])
    assert recorded.spacing_zyx_um is not None
    assert math.isnan(recorded.spacing_zyx_um[1])


def test_ome_zarr_multiplies_the_scales_of_level_and_image():
    units = [("t", "millisecond"), ("c", None), ("z", "nanometer"), ("y", "micrometer"), ("x", "millimeter")]
    axes = [{"name": name, **({"unit": unit} if unit else {})} for name, unit in units]
    level = [{"type": "scale", "scale": [1, 1, 100, 2, 0.5]}, {"type": "translation", "translation": [0] * 5}]
    whole = [{"type": "scale", "scale": [500, 1, 2, 1, 1]}]
    multiscale = {"axes": axes, "datasets": [{"coordinateTransformations": level}], "coordinateTransformations": whole}
    assert from_ome_zarr(multiscale) == RecordedScale((0.2, 2.0, 500.0), 0.5)
    for axis in axes:
        axis.pop("unit", None)
    assert from_ome_zarr(multiscale) == RecordedScale()
