"""Section 3.1 of the paper: reconstruction of training cells from their codes, with sine and ReLU activations.

python experiments/reconstruction.py --size cpu      # or paper; --help for more

At sizes that take the default of `cytoform train`, there is one model, named after its kind.
"""

import sys
from collections.abc import Sequence
from typing import Any

from cytoform.assess.measures.descriptors import MAIN_DESCRIPTORS
from data_sets import Name
from experiment import DEFAULT, DataSet, Experiment, main
from tables import Row, mean_std, p_values, share_std

COLUMNS = ("data set", "size", "cells", "Jaccard index", "size, µm³", "surface, µm²", "sphericity", "KS p, frames")
ACTIVATIONS = ("sine", "relu")
# Jaccard indices, and originals of table 1.
PUBLISHED: dict[Name, Sequence[Row]] = {
    "mitosis": (
        ("C. elegans, original", "", "34.7 ± 12.5", "62.8 ± 16.1", "1.54 ± 0.09", ""),
        ("C. elegans, sine", "0.821 ± 0.029", "", "", "", ""),
        ("C. elegans, relu", "0.782 ± 0.033", "", "", "", ""),
    ),
    "filopodia": (
        ("filopodial, original", "", "50.8 ± 3.1", "117.8 ± 19.9", "2.64 ± 0.51", ""),
        ("filopodial, sine", "0.880 ± 0.022", "", "", "", ""),
        ("filopodial, relu", "0.833 ± 0.051", "", "", "", ""),
    ),
}


def measure(data: DataSet) -> dict[str, Any]:
    """Compare each model with the originals as `cytoform evaluate --paired`."""
    found = {}
    for run in (DEFAULT,) if data.by_default else ACTIVATIONS:
        cells = data.learned(run, *(() if data.by_default else (f"model.activation={run}",)))
        title = cells.run.config.model.kind if data.by_default else run
        data.say(f"measuring {title}")
        found[title] = data.compared(data.reconstructed(cells, f"reconstruction-{run}"))
    return found


def published(name: Name) -> list[Row]:
    """Results of the paper."""
    return [(name, "published", *row) for row in PUBLISHED.get(name, ())]


def rows(name: Name, size: str, results: dict[str, Any]) -> list[Row]:
    """Rows for the originals and for each model's reconstruction."""
    found = []
    default = [title for title in results if title not in (*ACTIVATIONS, "provenance")]
    for title in default or ACTIVATIONS:
        descriptors = [results[title]["descriptors"][key] for key in MAIN_DESCRIPTORS]
        if not found:
            found.append((name, size, "original", "", *(mean_std(d["reference"]) for d in descriptors), ""))
        jaccard, ks = share_std(results[title]["jaccard"]), p_values([d["ks_p"] for d in descriptors])
        found.append((name, size, title, jaccard, *(mean_std(d["other"]) for d in descriptors), ks))
    return found


EXPERIMENT = Experiment("reconstruction", COLUMNS, measure, published, rows)

if __name__ == "__main__":
    sys.exit(main(EXPERIMENT, sys.argv[1:]))
