"""Tracks as a graph: a node is a cell in one frame, an edge leads to the same cell or to a daughter in a later frame."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Integer

from cytoform.errors import InputError
from cytoform.movies.lineage import MAX_LABEL, Lineage, Track


@dataclass(frozen=True)
class TrackGraph:
    """A graph of tracks. Nodes are known by a label of the label images or by a point, in voxels from voxel (0, 0, 0)."""

    source: str
    names: Sequence[str]
    frames: Int[np.ndarray, " nodes"]
    # Numbers of nodes, in any order.
    edges: Int[np.ndarray, "edges 2"]
    labels: Int[np.ndarray, " nodes"] | None = None
    points_zyx: Float[np.ndarray, "nodes 3"] | None = None


@dataclass(frozen=True)
class Tracklets:
    """The unbranched stretches of a graph as tracks, and the track of every node."""

    lineage: Lineage
    of_node: Int[np.ndarray, " nodes"]


def tracklets(graph: TrackGraph, labels: Integer[np.ndarray, " nodes"]) -> Tracklets:
    """Cut a graph at divisions. `labels` holds the value of every node in the label images.

    A track keeps the value of its nodes as its label if they share one that no other track has; else it gets a free
    number. Raises InputError for nodes with two mothers and for edges within a frame.
    """
    mother, daughters = _mothers(graph)
    stretch = np.zeros(len(graph.frames), np.int64)
    members: list[list[int]] = []
    for node in np.argsort(graph.frames, kind="stable"):
        before = mother[node]
        if before < 0 or daughters[before] > 1:
            stretch[node] = len(members)
            members.append([])
        else:
            stretch[node] = stretch[before]
        members[stretch[node]].append(int(node))
    numbers = _numbers([{int(labels[node]) for node in nodes} for nodes in members], graph.source)
    parents = [mother[nodes[0]] for nodes in members]
    tracks = tuple(
        Track(
            numbers[n],
            int(graph.frames[nodes[0]]),
            int(graph.frames[nodes[-1]]),
            numbers[stretch[parents[n]]] if parents[n] >= 0 else 0,
        )
        for n, nodes in enumerate(members)
    )
    return Tracklets(Lineage(tracks), np.array(numbers, np.int64)[stretch])


def _mothers(graph: TrackGraph) -> tuple[Int[np.ndarray, " nodes"], Counter[int]]:
    """The node before every node, -1 for none, and how many nodes follow each."""
    mother = np.full(len(graph.frames), -1, np.int64)
    daughters: Counter[int] = Counter()
    for one, other in graph.edges:
        if graph.frames[one] == graph.frames[other]:
            raise InputError(
                f"{graph.source}, frame {graph.frames[one]}: an edge from {graph.names[one]} to {graph.names[other]} in "
                "the same frame; edges lead to later frames, correct the tracks"
            )
        first, second = (one, other) if graph.frames[one] < graph.frames[other] else (other, one)
        if mother[second] >= 0:
            raise InputError(
                f"{graph.source}, frame {graph.frames[second]}: {graph.names[second]} has two mothers, "
                f"{graph.names[mother[second]]} and {graph.names[first]}; a cell has one, correct the tracks"
            )
        mother[second] = first
        daughters[int(first)] += 1
    return mother, daughters


def _numbers(values: Sequence[set[int]], source: str) -> list[int]:
    """A label for every track."""
    if len(values) > MAX_LABEL:
        raise InputError(f"{source}: {len(values)} tracks, but no more than {MAX_LABEL} are allowed; cut the movie")
    owners = Counter(value for several in values for value in several)
    own = [min(several) if len(several) == 1 else 0 for several in values]
    kept = [value if 0 < value <= MAX_LABEL and owners[value] == 1 else 0 for value in own]
    free = iter(sorted(set(range(1, MAX_LABEL + 1)) - set(kept)))
    return [value or next(free) for value in kept]
