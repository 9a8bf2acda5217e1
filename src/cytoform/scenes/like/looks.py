"""How cells of a real movie look: the optics of its images, where they are fluorescence."""

from collections.abc import Sequence

from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.movies.movie import LabelMovie
from cytoform.movies.pairs.pairs import open_pairs
from cytoform.scenes.like.words import Finding
from cytoform.scenes.request import SceneRequest

# Correlation of looks of mother and daughter: they share cytoplasm and stain.
RESEMBLANCE = 0.9


def look_findings(request: SceneRequest, movies: Sequence[LabelMovie]) -> list[Finding]:
    """Optics calibrated on the images of the folder, unless another texture is given."""
    if request.texture is not None:
        return [Finding("optics", None, f"since --texture {request.texture} is given"), _resemblance()]
    return [_optics(request, movies[0].spacing_zyx_um), _resemblance()]


def _resemblance() -> Finding:
    return Finding("resemblance", RESEMBLANCE, f"{RESEMBLANCE:g}, which is not measured")


def _optics(request: SceneRequest, spacing_zyx_um: Triple) -> Finding:
    from cytoform.imaging.optics.calibration import calibrate

    if request.like is None:
        raise ValueError("no folder")
    try:
        found = calibrate(open_pairs([request.like], planes="slices", spacing_zyx_um=spacing_zyx_um), seed=request.seed)
    except InputError as fault:
        return Finding("optics", None, str(fault))
    stain, light, camera = found.fluorophores, found.background, found.camera
    return Finding(
        "optics",
        found.to_toml(),
        f"{stain.photons_per_pixel:.0f} photons a pixel in cells, {100 * stain.brightness_variation:.0f} % more or less from "
        f"cell to cell, {light.photons_per_pixel:.0f} in the background, {camera.gain_electrons_per_adu:.3g} electrons a grey "
        "value",
    )
