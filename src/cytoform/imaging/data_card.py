"""The README of rendered pairs: what they are, what they were made of, and how to read them."""

from typing import Any


def data_card(about: dict[str, Any]) -> str:
    """Markdown made of what provenance.json records."""
    rows = [_row(number, sequence) for number, sequence in about["sequences"].items()]
    kind = "maximum projections" if about["projection"] else "images"
    versions = ", ".join(f"{package} {version}" for package, version in about["versions"].items())
    return f"""# Image and mask pairs

Made by `{about["command"]}`, not taken at a microscope: {kind} for given masks, pair by pair.

| | |
|---|---|
| images of | {_origin(about["texture"])} |
| masks of | {_origin(about["source"])} |
| seed | {about["seed"]} |
| versions | {versions} |

| folder | sequence | frames | size of the masks (z y x) | voxel in µm (z y x) | time step |
|---|---|---|---|---|---|
{chr(10).join(rows)}

Images are `NN/tTTT.tif`, masks `NN_GT/SEG/man_segTTT.tif` (every label an instance, 0 background), in the layout of the
Cell Tracking Challenge; voxel size and time step are in the files, as ImageJ writes them. A projection shows the brightest
voxel along z, its mask the label of the lowest plane that has one. `provenance.json` holds the same for machines.
"""


def _origin(origin: dict[str, str]) -> str:
    return f"`{origin['name']}`" + (f", SHA-256 {origin['sha256']}" if "sha256" in origin else "")


def _row(number: str, sequence: dict[str, Any]) -> str:
    first, last = sequence["frames"]
    size = "×".join(str(n) for n in sequence["shape_zyx"])
    voxel = "×".join(f"{um:.4g}" for um in sequence["spacing_zyx_um"])
    step = "unknown" if sequence["time_step_s"] is None else f"{sequence['time_step_s']:g} s"
    return f"| `{number}` | {sequence['name']} | {first}–{last} | {size} | {voxel} | {step} |"
