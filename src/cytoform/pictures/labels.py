"""Labels of shape stores on pages and in movies."""

from collections import Counter
from collections.abc import Sequence

from cytoform.base.lines import printable
from cytoform.shapes.store import ShapeStore

# Keyed by the command that wrote the store.
STORE_LABELS = {
    "prepare": "Original",
    "import": "Original",
    "reconstruct": "Reconstructed",
    "generate": "Generated",
    "interpolate": "Interpolated",
    "fit": "Fitted",
}


def label_of(store: ShapeStore) -> str:
    """ "Original", "Reconstructed", ...; the file name of the store for an unknown command."""
    return STORE_LABELS.get(str(store.attributes.get("command", "")).removeprefix("cytoform "), _stem(store))


def distinct(labels: Sequence[str], stores: Sequence[ShapeStore]) -> list[str]:
    """Make labels of stores unique: equal labels get the file names of the stores, and numbers if these are equal too."""
    counted = Counter(labels)
    named = [
        label if counted[label] == 1 else f"{label} ({_stem(store)})"
        for label, store in zip(labels, stores, strict=True)
    ]
    return [label if label not in named[:i] else f"{label} {i + 1}" for i, label in enumerate(named)]


def _stem(store: ShapeStore) -> str:
    return printable(store.path.stem)  # the name of a file need not be text
