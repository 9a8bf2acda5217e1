"""Statistics of a scene beside the real movie that it resembles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cytoform.movies.readers import open_movies
from cytoform.scenes.like.cells import images_beside, read_cells
from cytoform.scenes.like.statistics import Statistic, statistics

if TYPE_CHECKING:
    from cytoform.scenes.scene import Scene
    from cytoform.scenes.stage import Made

HEAD = ("statistic", "here", "real", "95 % interval of the real one", "within")


@dataclass(frozen=True)
class Beside:
    """A statistic of a data set, and of the real movie."""

    here: Statistic
    real: Statistic

    @property
    def is_within(self) -> bool | None:
        """Whether it lies within the interval of the real one; None where one of them could not be measured."""
        if np.isnan(self.here.value) or np.isnan(self.real.value):
            return None
        return self.real.holds(self.here.value)

    @property
    def cells(self) -> tuple[str, ...]:
        """A row of a table."""
        if self.is_within is None:
            return self.here.name, _number(self.here.value), _number(self.real.value), "–", "–"
        interval = f"{self.real.low:.3g} to {self.real.high:.3g}"
        verdict = "yes" if self.is_within else "no"
        return self.here.name, _number(self.here.value), _number(self.real.value), interval, verdict


def compare(scene: "Scene", made: "Made") -> tuple[Beside, ...]:
    """All statistics that both have, here of what was written; empty where the scene resembles no movie."""
    if scene.likeness is None:
        return ()
    folder = made.dataset.folder
    movies = open_movies(folder)
    here = {each.name: each for each in statistics(read_cells(movies, images_beside(folder, movies)))}
    return tuple(Beside(here[real.name], real) for real in scene.likeness.statistics if real.name in here)


def summary(rows: Sequence[Beside], name: str) -> str:
    """How many statistics lie within, in a sentence."""
    known = [row for row in rows if row.is_within is not None]
    n_within = sum(bool(row.is_within) for row in known)
    return f"{n_within} of {len(known)} statistics lie within the 95 % intervals of {name}"


def note_of_frames(scene: "Scene", made: "Made") -> str:
    """A remark where frames of both are not equally far apart; else empty."""
    real_s = 0.0 if scene.likeness is None else scene.likeness.time_step_s
    here_s = made.dataset.time_step_s
    if not real_s or np.isclose(real_s, here_s):
        return ""
    return f" A frame here lasts {here_s:g} s, there {real_s:g} s: figures per frame differ for that alone."


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3g}"
