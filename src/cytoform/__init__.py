"""Learns how living cells change shape, as continuous signed distances in space and time, and makes new ones."""

from cytoform.base.lazy import importer

__version__ = "0.1.0"

# The call behind each command.
_CALLS = {
    "demo": "cytoform.demo",
    "simulate": "cytoform.simulate.population",
    "fetch": "cytoform.datasets.fetch",
    "prepare": "cytoform.prepare.stage",
    "train": "cytoform.runs.stage",
    "reconstruct": "cytoform.synthesis.sequences",
    "fill": "cytoform.completion.stage",
    "complete": "cytoform.synthesis.fitting.stage",
    "generate": "cytoform.synthesis.sequences",
    "generate_coded": "cytoform.synthesis.sequences",
    "interpolate": "cytoform.synthesis.interpolation",
    "write_latent_report": "cytoform.reports.latent.stage",
    "evaluate": "cytoform.assess.results",
    "write_report": "cytoform.reports.shapes.write",
    "train_texture": "cytoform.imaging.networks.stage",
    "calibrate": "cytoform.imaging.optics.calibration",
    "render_pairs": "cytoform.imaging.rendering",
    "write_texture_report": "cytoform.reports.images.stage",
    "write_view": "cytoform.pictures.player.view",
    "write_studio": "cytoform.reports.studio.page",
    "track_protrusions": "cytoform.protrusions.stage",
    "export": "cytoform.exchange.export",
    "export_onnx": "cytoform.exchange.onnx_model",
    "export_training": "cytoform.exchange.trainers",
    "write_movie": "cytoform.pictures.film.write",
    "benchmark": "cytoform.scenes.stage",
    "import_shapes": "cytoform.exchange.published_shapes",
    "import_run": "cytoform.exchange.import_run",
    "models": "cytoform.zoo.find",
    "publish": "cytoform.reports.models.publish",
    "info": "cytoform.reports.contents",
}
# What they take and give.
_PUBLIC = _CALLS | {
    "About": "cytoform.reports.models.card",
    "Assumed": "cytoform.exchange.import_run",  # earlier name of Assumptions
    "Assumptions": "cytoform.exchange.import_run",
    "BlebsParameters": "cytoform.simulate.parameters",
    "Cells": "cytoform.synthesis.cells",
    "CodeMap": "cytoform.reports.shapes.code_map",
    "CellModel": "cytoform.completion.predictions",
    "Comparison": "cytoform.reports.shapes.write",
    "Condition": "cytoform.synthesis.conditional.search",
    "Config": "cytoform.runs.config",
    "DemoSize": "cytoform.demo",
    "FilopodiaParameters": "cytoform.simulate.parameters",
    "FillOptions": "cytoform.completion.options",
    "FittedModel": "cytoform.synthesis.fitting.model",
    "FitSettings": "cytoform.synthesis.options",
    "Grid": "cytoform.shapes.grid",
    "InputError": "cytoform.errors",
    "LatentView": "cytoform.reports.latent.stage",
    "Look": "cytoform.reports.latent.stage",  # earlier name of LatentView
    "Mesh": "cytoform.shapes.mesh",
    "MitosisParameters": "cytoform.simulate.parameters",
    "MovieStyle": "cytoform.pictures.film.style",
    "OpticsParameters": "cytoform.imaging.optics.parameters",
    "Pairs": "cytoform.movies.pairs.pairs",
    "Patience": "cytoform.datasets.download",
    "Progress": "cytoform.base.parallel",
    "Rendering": "cytoform.synthesis.options",
    "SceneRequest": "cytoform.scenes.request",
    "TrainingBudget": "cytoform.reports.images.stage",
    "ShapeStore": "cytoform.shapes.store",
    "Source": "cytoform.reports.images.stage",
    "TextureConfig": "cytoform.imaging.networks.config",
    "TextureModel": "cytoform.imaging.networks.model",
    "condition_on": "cytoform.synthesis.conditional.stage",
    "draw": "cytoform.synthesis.choice",
    "load": "cytoform.synthesis.cells",
    "load_config": "cytoform.runs.config",
    "open_pairs": "cytoform.movies.pairs.pairs",
    "open_texture": "cytoform.imaging.texture",
    "write_scene_report": "cytoform.reports.scenes.page",
}

__all__ = ["__version__", *sorted(_PUBLIC)]

# Imported when first used, since torch and its kin take seconds.
__getattr__ = importer(__name__, _PUBLIC)
