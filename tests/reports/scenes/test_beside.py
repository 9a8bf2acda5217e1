"""Statistics of a scene beside the real ones."""

import numpy as np

from cytoform.reports.scenes.beside import Beside, summary
from cytoform.scenes.like.statistics import Statistic

UNKNOWN = Statistic("size", np.nan, np.nan, np.nan)


def test_a_statistic_is_within_the_interval_of_the_real_one_or_not() -> None:
    real = Statistic("size", 3.0, 2.5, 3.5)
    inside, outside, unknown = (
        Beside(Statistic("size", 3.4, 1, 9), real),
        Beside(Statistic("size", 3.6, 1, 9), real),
        Beside(UNKNOWN, real),
    )
    assert inside.cells == ("size", "3.4", "3", "2.5 to 3.5", "yes")
    assert outside.cells[-1] == "no"
    assert unknown.cells == ("size", "–", "3", "–", "–")
    assert summary((inside, outside, unknown), "real") == "1 of 2 statistics lie within the 95 % intervals of real"
