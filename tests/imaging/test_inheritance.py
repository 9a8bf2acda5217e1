"""Daughters look like their mother, by as much as is asked for."""

import numpy as np
import pytest

from cytoform.imaging.cell_noise import cell_noise
from cytoform.imaging.inheritance import ALONE, Inheritance
from cytoform.imaging.networks.brightness import random_scores
from cytoform.imaging.optics.fluorophores import brightness

# Cell 2 is a daughter of 1 and the mother of 3; so on for 200 lines.
LINE = Inheritance({label: label - 1 for label in range(1, 601) if label % 3 != 1}, 0.8)


def test_weights_of_a_line() -> None:
    assert ALONE.line(7) == [(7, 1.0)]
    assert LINE.line(1) == [(1, 1.0)]
    line = LINE.line(3)
    assert [label for label, _ in line] == [3, 2, 1]
    assert sum(weight**2 for _, weight in line) == pytest.approx(1)
    assert line[-1][1] == pytest.approx(0.64)


def test_brightness_and_texture_correlate() -> None:
    labels = np.arange(1, 601, dtype=np.uint16).reshape(1, 20, 30)
    for values in (
        np.log(brightness(labels, 0.3, seed=1, inherited=LINE)).ravel(),
        random_scores(labels, seed=1, inherited=LINE)[1:],
        cell_noise(labels, spacing_zyx_um=(1.0, 1.0, 1.0), correlation_um=2.0, seed=1, inherited=LINE).ravel(),
    ):
        mothers, daughters, granddaughters = values[0::3], values[1::3], values[2::3]
        assert np.corrcoef(mothers, daughters)[0, 1] == pytest.approx(0.8, abs=0.07)
        assert np.corrcoef(mothers, granddaughters)[0, 1] == pytest.approx(0.64, abs=0.1)
        assert daughters.std() == pytest.approx(mothers.std(), rel=0.2)
