"""Comparison of priors: topology and size of their cells, and distance to the nearest learned cell.

    python benchmarks/priors.py RUN [-n 8] [--grid 64] [--seed 0]

Prints one table. "Nearest learned" is the distance of a code to the nearest learned code, and the Jaccard index with the
most overlapping learned sequence, mean over rendered frames; for learned cells, the nearest other one.
"""

import argparse

import numpy as np

import cytoform
from cytoform.assess.measures.masks import jaccard, topology
from cytoform.assess.measures.sequence_descriptors import describe_sequence
from cytoform.errors import InputError
from cytoform.priors.fitted import PRIORS, fit_prior
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import frame_times
from cytoform.synthesis.cells import Cells

Sequences = list[list[BoxedField]]


def rendered(cells: Cells, codes: np.ndarray, grid: int) -> Sequences:
    """Render all sequences, with the number of frames of the shortest learned one."""
    times = frame_times(min(like.n_frames for like in cells.run.learned.sequences))
    return [[cells.field(code).render(float(time), grid) for time in times] for code in codes]


def largest_overlap(sequence: list[BoxedField], others: Sequences) -> float:
    """Jaccard index with the most overlapping sequence, mean over frames."""
    return max(
        float(np.mean([jaccard(a.mask(), b.mask()) for a, b in zip(sequence, other, strict=True)])) for other in others
    )


def row(name: str, sequences: Sequences, code_distances: np.ndarray, overlaps: list[float]) -> str:
    """One line of the table."""
    frames = [frame for sequence in sequences for frame in sequence]
    whole = np.mean([topology(frame.inside).components == 1 for frame in frames])
    found = [describe_sequence([f.box_sdf_um for f in s], s[0].grid.spacing_um) for s in sequences]
    sizes, reaches = (np.array([d[key] for d in found]) for key in ("size_um3", "longest_protrusion_um"))
    return (
        f"| {name} | {whole:.0%} | {sizes.min():.0f}–{sizes.max():.0f} | {reaches.min():.1f}–{reaches.max():.1f} "
        f"| {code_distances.mean():.2f} | {np.mean(overlaps):.3f} | {max(overlaps):.3f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("-n", type=int, default=8)
    parser.add_argument("--grid", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    cells = cytoform.load(options.run)
    learned, codes = rendered(cells, cells.codes, options.grid), cells.codes
    print(
        "| prior | frames in one piece | mean size µm³ | longest protrusion µm | nearest learned: code | Jaccard | most |"
    )
    print("|---|---|---|---|---|---|---|")
    apart = np.linalg.norm(codes[:, None] - codes[None], axis=2) + np.diag([np.inf] * len(codes))
    overlaps = [largest_overlap(s, learned[:i] + learned[i + 1 :]) for i, s in enumerate(learned)]
    print(row("(learned)", learned, apart.min(axis=1), overlaps), flush=True)
    for name in PRIORS:
        try:
            drawn = fit_prior(name, codes).draw(options.n, np.random.default_rng(options.seed)).codes.astype(np.float32)
        except InputError as fault:
            print(f"| {name} | {fault} |")
            continue
        new = rendered(cells, drawn, options.grid)
        nearest = np.linalg.norm(drawn[:, None] - codes[None], axis=2).min(axis=1)
        print(row(name, new, nearest, [largest_overlap(sequence, learned) for sequence in new]), flush=True)


if __name__ == "__main__":
    main()
