"""What the cells of a store are called on pages and in movies."""

from collections import Counter
from collections.abc import Sequence

from cytoform.shapes.store import ShapeStore

# By the command that wrote the store.
LABELS = {
    "prepare": "Original",
    "import": "Original",
    "reconstruct": "Reconstructed",
    "generate": "Generated",
    "interpolate": "Interpolated",
    "fit": "Fitted",
}


def label_of(store: ShapeStore) -> str:
    """ "Original", "Reconstructed", ...; the store's own name where nothing is known."""
    return LABELS.get(str(store.attributes.get("command", "")).removeprefix("cytoform "), store.path.stem)


def distinct(labels: Sequence[str], stores: Sequence[ShapeStore]) -> list[str]:
    """The labels of stores shown together: those that are the same get the stores' names too, and at worst a number."""
    counted = Counter(labels)
    named = [
        label if counted[label] == 1 else f"{label} ({store.path.stem})"
        for label, store in zip(labels, stores, strict=True)
    ]
    return [label if label not in named[:i] else f"{label} {i + 1}" for i, label in enumerate(named)]
