"""OME-Zarr 0.5 metadata of an image."""

from typing import Any

OME_VERSION = "0.5"


def multiscale(name: str, path: str, scale: list[float], time_step_s: float | None) -> dict[str, Any]:
    """OME-Zarr `multiscales` entry of an array with axes t z y x; `scale` in s and µm, voxel centres at + 0.5."""
    time: dict[str, str] = {"name": "t", "type": "time"}
    if time_step_s:
        time["unit"] = "second"
    space = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    centre = [0.0, *(s / 2 for s in scale[1:])]
    transformations = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": centre}]
    return {
        "name": name,
        "axes": [time, *space],
        "datasets": [{"path": path, "coordinateTransformations": transformations}],
    }
