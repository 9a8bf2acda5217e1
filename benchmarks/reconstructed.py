"""How well a run holds cells: Jaccard index, surface area, and frames in as many pieces as the original.

    cytoform reconstruct run --out reconstructed.zarr
    python benchmarks/reconstructed.py shapes.zarr reconstructed.zarr [MORE.zarr ...]

Prints a row for each store. Stores of `cytoform fit` will do as well. `cytoform evaluate --paired` measures more, in ten
times the time.
"""

import argparse
from pathlib import Path

import numpy as np

from cytoform.assess.measures.masks import jaccard
from cytoform.shapes.components import components
from cytoform.shapes.store import ShapeSequence, ShapeStore


def compared(original: ShapeSequence, other: ShapeSequence) -> np.ndarray:
    """Of every frame: Jaccard index, area of both in µm², and whether both are in as many pieces."""
    rows = []
    for frame in range(original.info.n_frames):
        a, b = original.box(frame), other.box(frame)
        areas = [mesh.area_um2 if (mesh := box.mesh()) is not None else 0.0 for box in (a, b)]
        pieces = [int(components(box.inside).max(initial=0)) for box in (a, b)]
        rows.append((jaccard(a.mask(), b.mask()), *areas, pieces[0] == pieces[1]))
    return np.array(rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", type=Path)
    parser.add_argument("stores", type=Path, nargs="+")
    options = parser.parse_args()
    shapes = ShapeStore.open(options.shapes)
    print(
        "| store | sequences | frames | Jaccard index | worst frame | surface, µm² | original | pieces as the original |"
    )
    print("|---" * 8 + "|", flush=True)
    for path in options.stores:
        store = ShapeStore.open(path)
        found = np.concatenate([compared(shapes[name], store[name]) for name in store.names])
        indices, of_original, of_other, same = found.T
        change = of_other.mean() / of_original.mean() - 1
        print(
            f"| {path.stem} | {len(store)} | {len(found)} | {indices.mean():.3f} ± {indices.std():.3f} | {indices.min():.3f} "
            f"| {of_other.mean():.1f} ({change:+.1%}) | {of_original.mean():.1f} | {int(same.sum())} of {len(found)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
