"""`cytoform texture`: microscope images for masks; one command a module, imported when it is called."""

from cyclopts import App

COMMANDS = {
    "train": "Learn how images of masks look, from real ones.",
    "calibrate": "Estimate the parameters of the optics from real images and their masks.",
    "render": "Make images for masks: image and mask pairs in the Cell Tracking Challenge layout.",
    "evaluate": "Judge generated images against real ones: results.json, figures, report.html.",
}

texture = App(
    name="texture",
    help="Microscope images for masks: learn them from real ones, or take a microscope's optics.",
    help_format="plaintext",
)
for _name, _summary in COMMANDS.items():
    texture.command(f"cytoform.commands.texture_{_name}:{_name}", name=_name, help=_summary)
