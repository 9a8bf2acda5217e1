"""What the cells of a store are called on a page."""

from cytoform.shapes.store import ShapeStore

# By the command that wrote the store.
LABELS = {
    "prepare": "Original",
    "reconstruct": "Reconstructed",
    "generate": "Generated",
    "interpolate": "Interpolated",
    "fit": "Fitted",
}


def label_of(store: ShapeStore) -> str:
    """ "Original", "Reconstructed", ...; "Cells" where nothing is known."""
    return LABELS.get(str(store.attributes.get("command", "")).removeprefix("cytoform "), "Cells")
