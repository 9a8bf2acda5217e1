"""Baselines without a network: how well a plain grid of distances, and the mean of two neighbouring frames, hold cells.

    python benchmarks/baselines.py STORE [--sequences NAME ...] [--nodes 16 24 32]

Distances on n³ nodes are exact distances to the surface of the stored frame, interpolated by cubic splines on the grid of
the store. The mean of neighbours predicts every second frame from the stored distances of the frames before and after.
"""

import argparse
from pathlib import Path

import igl
import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import map_coordinates

from cytoform.assess.measures.masks import jaccard
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import Mesh
from cytoform.shapes.store import ShapeSequence, ShapeStore


def distances_at_nodes(mesh: Mesh, nodes: Grid) -> Float[np.ndarray, "n n n"]:
    """Exact signed distance in µm at the nodes."""
    points_xyz = np.ascontiguousarray(nodes.points_zyx_um()[:, ::-1])
    found, *_ = igl.signed_distance(
        points_xyz,
        mesh.vertices_xyz_um.astype(float),
        mesh.faces.astype(np.int64),
        sign_type=igl.SIGNED_DISTANCE_TYPE_FAST_WINDING_NUMBER,
    )
    return np.asarray(found).reshape(nodes.shape)


def from_nodes(values: Float[np.ndarray, "n n n"], grid: Grid) -> Bool[np.ndarray, "z y x"]:
    """The mask on a grid, by cubic splines between the nodes."""
    index = (np.arange(grid.size) + 0.5) * len(values) / grid.size - 0.5
    where = np.meshgrid(index, index, index, indexing="ij")
    return np.asarray(map_coordinates(values, where, order=3, mode="nearest")) <= 0


def grid_scores(sequence: ShapeSequence, n_nodes: int) -> list[float]:
    """Jaccard index of every frame kept on n³ nodes."""
    scores = []
    for frame, mesh in enumerate(sequence.meshes()):
        if mesh is not None:
            kept = from_nodes(distances_at_nodes(mesh, Grid(n_nodes, sequence.grid.half_extent_um)), sequence.grid)
            scores.append(jaccard(kept, sequence.mask(frame)))
    return scores


def neighbour_scores(sequence: ShapeSequence) -> list[float]:
    """Jaccard index of every second frame as the mean of the distances of its neighbours."""
    between = range(1, sequence.info.n_frames - 1, 2)
    means = ((sequence.sdf_um(frame - 1) + sequence.sdf_um(frame + 1)) / 2 <= 0 for frame in between)
    return [jaccard(mean, sequence.mask(frame)) for mean, frame in zip(means, between, strict=True)]


def main() -> None:
    """Print a table: mean and standard deviation over frames, worst frame."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--sequences", nargs="*")
    parser.add_argument("--nodes", nargs="*", type=int, default=[16, 24, 32])
    options = parser.parse_args()
    store = ShapeStore.open(options.store)
    sequences = [store[name] for name in options.sequences or store.names]
    print(
        f"{len(sequences)} sequences at {store.grid.size}³\n\n| baseline | Jaccard index | worst frame |\n|---|---|---|"
    )
    for n_nodes in options.nodes:
        report(f"distances on {n_nodes}³ nodes", [score for s in sequences for score in grid_scores(s, n_nodes)])
    report("mean of both neighbours, every second frame", [score for s in sequences for score in neighbour_scores(s)])


def report(name: str, scores: list[float]) -> None:
    """Print a row."""
    if scores:
        print(f"| {name} | {np.mean(scores):.3f} ± {np.std(scores):.3f} | {min(scores):.3f} |", flush=True)


if __name__ == "__main__":
    main()
