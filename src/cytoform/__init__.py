"""Learns how living cells change shape, as continuous signed distances in space and time, and makes new ones."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# The public calls and where they live; imported when first used, since torch and its kin take seconds.
_PUBLIC = {
    "fetch": "cytoform.datasets.fetch",
    "simulate": "cytoform.simulate.population",
    "prepare": "cytoform.prepare",
    "load_config": "cytoform.runs.config",
    "train": "cytoform.runs.stage",
    "load": "cytoform.synthesis.cells",
    "reconstruct": "cytoform.synthesis.sequences",
    "generate": "cytoform.synthesis.sequences",
    "complete": "cytoform.synthesis.fitting.stage",
    "FitSettings": "cytoform.synthesis.fitting.fit",
    "interpolate": "cytoform.synthesis.interpolation",
    "write_latent_report": "cytoform.reports.latent.stage",
    "LatentView": "cytoform.reports.latent.stage",
    "Look": "cytoform.reports.latent.stage",  # earlier name of LatentView
    "Rendering": "cytoform.synthesis.sequences",
    "condition_on": "cytoform.synthesis.conditional.stage",
    "import_shapes": "cytoform.exchange.published_shapes",
    "import_run": "cytoform.exchange.import_run",
    "Assumptions": "cytoform.exchange.import_run",
    "Assumed": "cytoform.exchange.import_run",  # earlier name of Assumptions
    "evaluate": "cytoform.assess.results",
    "write_report": "cytoform.reports.shapes.write",
    "open_pairs": "cytoform.movies.pairs.pairs",
    "open_texture": "cytoform.imaging.texture",
    "render_pairs": "cytoform.imaging.rendering",
    "train_texture": "cytoform.imaging.networks.stage",
    "TextureConfig": "cytoform.imaging.networks.config",
    "TextureModel": "cytoform.imaging.networks.model",
    "write_movie": "cytoform.pictures.film",
    "MovieStyle": "cytoform.pictures.film",
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
