"""Learns how living cells change shape, as continuous signed distances in space and time, and makes new ones."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# The public calls and where they live; imported when first used, since torch and its kin take seconds.
_PUBLIC = {
    "fetch": "cytoform.datasets.fetch",
    "simulate": "cytoform.movies.simulate.population",
    "prepare": "cytoform.movies.prepare",
    "load_config": "cytoform.config",
    "train": "cytoform.model.train",
    "load": "cytoform.synthesis.cells",
    "reconstruct": "cytoform.synthesis.sequences",
    "generate": "cytoform.synthesis.sequences",
    "complete": "cytoform.synthesis.completion",
    "FitSettings": "cytoform.synthesis.fit",
    "interpolate": "cytoform.synthesis.interpolation",
    "write_latent_report": "cytoform.latent_report",
    "Look": "cytoform.latent_report",
    "Rendering": "cytoform.synthesis.sequences",
    "condition_on": "cytoform.conditioning",
    "import_shapes": "cytoform.shapes.published",
    "import_run": "cytoform.model.adopt",
    "Assumed": "cytoform.model.adopt",
    "evaluate": "cytoform.assess.results",
    "write_report": "cytoform.assess.report.write",
    "open_pairs": "cytoform.imaging.pairs",
    "open_texture": "cytoform.imaging.texture",
    "render_pairs": "cytoform.imaging.rendering",
    "train_texture": "cytoform.imaging.training",
    "TextureConfig": "cytoform.imaging.config",
    "TextureModel": "cytoform.imaging.model",
    "write_movie": "cytoform.assess.film",
    "MovieStyle": "cytoform.assess.film",
    "ShapeStore": "cytoform.shapes.store",
    "Grid": "cytoform.shapes.grid",
    "Mesh": "cytoform.shapes.mesh",
    "InputError": "cytoform.errors",
}

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'cytoform' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
