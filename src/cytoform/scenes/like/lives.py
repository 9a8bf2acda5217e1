"""How cells of a real movie live: their cycles, and how often they divide and die."""

import math

import numpy as np

from cytoform.scenes.like.cells import CellTable, SeenTrack
from cytoform.scenes.like.words import Finding
from cytoform.scenes.request import SHORTEST_CYCLE
from cytoform.shapes.grid import ROOTS

FEWEST_DIVISIONS, FEWEST_LIVES, FEWEST_DEATHS = 3, 5, 3
# Where no cell divides, its cycle only sets its age.
LONG_CYCLE_MIN = 24 * 60.0
# A track that begins so many frames after another has ended, and within so many of its diameters, goes on with it.
BREAK_FRAMES, BREAK_DIAMETERS = 2, 2.0


def life_findings(cells: CellTable, step_s: float) -> list[Finding]:
    """Cell cycle, its spread, deaths and quiescent cells."""
    step_min, n = step_s / 60, len(cells.frame)
    divisions = sum(track.n_daughters > 1 for track in cells.tracks)
    return [
        *_cycle(divisions, n, step_min),
        _spread(cells),
        _quiescent(divisions),
        _deaths(cells, step_min),
    ]


def _cycle(divisions: int, n: int, step_min: float) -> list[Finding]:
    seen = f"{divisions} divisions in {n} cells and frames"
    if not divisions:
        return [Finding("cycle_min", LONG_CYCLE_MIN, f"{LONG_CYCLE_MIN:g} min, which counts for nothing, after {seen}")]
    # In a steadily growing population a cell divides at the rate ln 2 / cycle.
    cycle = max(math.log(2) * n / divisions, SHORTEST_CYCLE) * step_min
    few = "; a rough figure, of so few" if divisions < FEWEST_DIVISIONS else ""
    return [Finding("cycle_min", cycle, f"{cycle:.4g} min, from {seen}{few}")]


def _spread(cells: CellTable) -> Finding:
    whole = [track.last - track.first + 1 for track in cells.tracks if track.parent and track.n_daughters > 1]
    if len(whole) < FEWEST_LIVES:
        return Finding(
            "cycle_spread", None, f"only {len(whole)} lives from a division to the next; {FEWEST_LIVES} are needed"
        )
    spread = float(np.std(whole, ddof=1) / np.mean(whole))
    return Finding("cycle_spread", spread, f"{spread:.2g}, from {len(whole)} lives")


def _quiescent(divisions: int) -> Finding:
    if not divisions:
        return Finding("quiescent", 1.0, "1, since no cell divides")
    return Finding("quiescent", None, "a movie does not tell quiescent cells from slow ones")


def _deaths(cells: CellTable, step_min: float) -> Finding:
    """Tracks that end inside the field before the movie does, without daughters, and that no other goes on with."""
    dead = [track for track in cells.tracks if _ends(track, cells) and not _goes_on(track, cells)]
    said = f"{len(dead)} tracks end inside the field"
    if not dead:
        return Finding("deaths", 0.0, "0, since no track ends inside the field")
    if len(dead) < FEWEST_DEATHS:
        return Finding(
            "deaths",
            None,
            f"only {len(dead)} of the tracks ended inside the field, maybe by a fault of tracking; {FEWEST_DEATHS} are needed",
        )
    rate = len(dead) / (len(cells.frame) * step_min / 60)
    return Finding("deaths", rate, f"{rate:.3g} per cell and hour, since {said}")


def _ends(track: SeenTrack, cells: CellTable) -> bool:
    is_over = all(track.last != last for _, last in cells.movies)
    return is_over and not track.n_daughters and not track.ends_cut


def _goes_on(track: SeenTrack, cells: CellTable) -> bool:
    here = (cells.label == track.label) & (cells.frame == track.last)
    place, reach = cells.centroid_um[here][0], BREAK_DIAMETERS * float(ROOTS[cells.n_dims](cells.size[here][0]))
    for other in cells.tracks:
        if other.parent == 0 and 0 < other.first - track.last <= BREAK_FRAMES:
            there = (cells.label == other.label) & (cells.frame == other.first)
            if np.linalg.norm(cells.centroid_um[there][0] - place) < reach:
                return True
    return False
