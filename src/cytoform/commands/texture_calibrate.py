"""`cytoform texture calibrate`: the optics of real images."""

from pathlib import Path
from typing import Annotated

from cytoform.base.options import FIRST_LAST
from cytoform.commands.common import Common, ScaleOptions


def calibrate(
    *sources: Path,
    out: Path,
    parameters: str | None = None,
    frames: Annotated[tuple[int, int] | None, FIRST_LAST] = None,
    scale: ScaleOptions = ScaleOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Estimate the parameters of the optics from real images and their masks; writes a parameter file.

    Parameters
    ----------
    sources
        Cell Tracking Challenge folders with images and masks, or IMAGE.zarr:LABELS.zarr.
    out
        Parameter file to write (.toml).
    parameters
        Preset or parameter file for quantities that images do not show: objective, wavelengths, quantum efficiency, read noise.
    frames
        First and last frame to use; by default all.
    """
    from cytoform.base.kinds import paths_of
    from cytoform.base.output import Output
    from cytoform.errors import InputError
    from cytoform.imaging.optics.calibration import calibrate as estimate
    from cytoform.imaging.optics.parameters import OpticsParameters, read_parameters
    from cytoform.movies.pairs.pairs import open_pairs

    if not sources:
        raise InputError("no SOURCE given; name a folder with images and masks")
    inputs = [path for source in sources for path in paths_of(source)]
    output = Output.at(out, inputs=[*inputs, parameters], overwrite=common.overwrite)
    output.check()
    if out.is_dir():
        raise InputError(f"{out}: a folder; give --out the name of a file, for example optics.toml")
    start = OpticsParameters() if parameters is None else read_parameters(parameters)
    pairs = open_pairs(sources, planes="slices", spacing_zyx_um=scale.voxel_size)
    chosen = pairs if frames is None else pairs.frames(*frames)
    if not len(chosen):
        raise InputError(f"--frames {frames}: the sources have no such frames")
    found = estimate(chosen, start, seed=common.seed)
    with output.staged(folder=False) as partial:
        partial.write_text(found.to_toml(), "utf-8")
    camera = found.camera
    common.say(
        f"{found.fluorophores.photons_per_pixel:.0f} photons a pixel in cells (± {found.fluorophores.brightness_variation:.0%}"
        f" from cell to cell), {found.background.photons_per_pixel:.0f} in the background; {camera.gain_electrons_per_adu:.3g}"
        f" electrons a grey value, offset {camera.offset_adu:.0f}"
    )
    common.say(
        "taken as given: objective, wavelengths, quantum efficiency; read noise, at most the noise of the background"
    )
    common.done(out, "texture", "render", out, "MASKS", "--out", "rendered")
