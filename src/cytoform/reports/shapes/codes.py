"""The map of codes for a report: those that its stores were rendered from, and those that a run has learned."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from cytoform.reports.shapes.code_map import CodeMap, CodeSet
from cytoform.shapes.store import ShapeStore

Labelled = tuple[str, Path]


def map_of_codes(stores: Sequence[Labelled], *, run: Path | None = None) -> CodeMap | None:
    """Codes along the first two principal components of the learned ones; None where there are fewer than two codes.

    A store takes part if its sequences say which codes they were rendered from, all by one run: the `run` if one is
    given, whose learned codes are shown too, else that of the first such store. Without a run the codes of the first
    store stand for the learned ones. Raises InputError for a `run` that cannot be read.
    """
    from cytoform.reports.latent.components import principal_components

    sets: list[tuple[str, list[str], np.ndarray]] = []
    fingerprint = None
    if run is not None:
        from cytoform.synthesis.cells import load

        cells = load(run, device="cpu")
        fingerprint = cells.weights_sha256
        sets.append(("Learned", cells.names, cells.flat_codes))
    for label, path in stores:
        store = ShapeStore.open(path)
        codes = _codes(store)
        made_by = store.attributes.get("weights_sha256")
        if codes is None or made_by is None or made_by != (fingerprint or made_by):
            continue
        fingerprint = made_by
        sets.append((label, store.names, codes))
    if sum(len(names) for _, names, _ in sets) < 2:
        return None
    components = principal_components(sets[0][2] if len(sets[0][1]) > 1 else np.concatenate([c for _, _, c in sets]))
    shares = [*components.shares[:2], 0.0, 0.0]
    return CodeMap(
        (f"component 1 ({100 * shares[0]:.0f} % of the variance)", f"component 2 ({100 * shares[1]:.0f} %)"),
        tuple(CodeSet(label, tuple(names), _flat(components.coordinates(codes))) for label, names, codes in sets),
    )


def _codes(store: ShapeStore) -> Float[np.ndarray, "n code"] | None:
    """The codes of all sequences of a store; None where one does not tell."""
    codes = [sequence.latent.get("code") for sequence in store]
    flat = [code.ravel() for code in codes if code is not None]
    return np.stack(flat) if flat and len(flat) == len(codes) and len({len(code) for code in flat}) == 1 else None


def _flat(coordinates: Float[np.ndarray, "n components"]) -> Float[np.ndarray, "n 2"]:
    """The first two coordinates, or as many as there are."""
    return np.pad(coordinates[:, :2], ((0, 0), (0, max(2 - coordinates.shape[1], 0))))
