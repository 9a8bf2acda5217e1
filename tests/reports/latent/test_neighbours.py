"""Nearest learned cells."""

import numpy as np

from cytoform.reports.latent.neighbours import Neighbour, from_others, nearest

LEARNED = ["a", "b", "c", "d"]


def test_the_three_nearest_in_order() -> None:
    found = nearest("generated", ["a"], LEARNED, np.array([[0.3, 0.1, 0.4, 0.2]]), "code")
    assert found == [
        Neighbour("generated", "a", "code", rank, name, distance)
        for rank, (name, distance) in enumerate([("b", 0.1), ("d", 0.2), ("a", 0.3)], start=1)
    ]


def test_a_learned_cell_is_not_near_to_itself_nor_a_lone_one_to_any() -> None:
    distances = np.array([[0.0, 0.5], [0.5, 0.0]])
    found = nearest("learned", ["a", "b"], ["a", "b"], from_others(distances), "shape")
    assert [(each.cell, each.name, each.distance) for each in found] == [("a", "b", 0.5), ("b", "a", 0.5)]
    assert nearest("learned", ["a"], ["a"], from_others(np.zeros((1, 1))), "shape") == []
