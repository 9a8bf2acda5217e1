"""Two measured stores, and how their measures are distributed on both sides."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from cytoform.assess.measures.kinds import Measures
from cytoform.assess.measures.masks import TopologyCounts
from cytoform.assess.measures.protrusion_tracks import FRAME_PROTRUSIONS, IN_TIME, PROTRUSION_MEASURES
from cytoform.assess.statistics.contrasts import Contrast, Sides, by_sequence, contrasts
from cytoform.assess.statistics.distributions import Values
from cytoform.assess.stores import MeasuredStore

Role = Literal["reference", "other"]
ROLES: tuple[Role, Role] = ("reference", "other")


@dataclass(frozen=True)
class StoreContrasts:
    """Two measured stores and the contrasts of their measures; `seed` is the seed of bootstrap draws and permutations."""

    reference: MeasuredStore
    other: MeasuredStore
    seed: int = field(default=0, kw_only=True)

    @property
    def measures(self) -> Measures:
        """The measures of both stores."""
        return self.reference.measures

    def store(self, side: Role) -> MeasuredStore:
        """The store of a side."""
        return self.reference if side == "reference" else self.other

    def descriptor(self, side: Role, name: str) -> list[Values]:
        """Values of one of the descriptors over the frames of each sequence of a side."""
        return [np.array([getattr(f.descriptors, name) for f in each.frames]) for each in self.store(side).sequences]

    def temporal(self, side: Role, name: str) -> Values:
        """Values of one measure of changes, one for each sequence of a side."""
        return np.array([getattr(sequence.dynamics, name) for sequence in self.store(side).sequences])

    def topology(self, side: Role) -> TopologyCounts:
        """Components and Euler numbers over the frames of a side."""
        return TopologyCounts.of([f.topology for sequence in self.store(side).sequences for f in sequence.frames])

    @cached_property
    def over_frames(self) -> dict[str, Contrast]:
        """Contrasts of each descriptor over the frames of both sides."""
        return contrasts(self._descriptors, seed=self.seed, permuted=True)

    @cached_property
    def over_sequences(self) -> dict[str, Contrast]:
        """Contrasts of the means of sequences: of each descriptor, then of each measure of changes."""
        temporal = {
            name: tuple([v[None] for v in self.temporal(side, name)] for side in ROLES)
            for name in self.measures.dynamics
        }
        return contrasts(by_sequence(self._descriptors) | temporal, seed=self.seed)  # type: ignore[arg-type]

    @property
    def taken_apart(self) -> bool:
        """Whether the cells of both sides are taken apart into body and protrusions, with one ball."""
        radius_um = self.reference.opening_radius_um
        return radius_um is not None and radius_um == self.other.opening_radius_um

    def protrusions(self, side: Role, name: str) -> list[Values]:
        """Values for each sequence of a side: one a frame for FRAME_PROTRUSIONS, a single one for the others."""
        found = [each.protrusions for each in self.store(side).sequences if each.protrusions is not None]
        if name in FRAME_PROTRUSIONS:
            return [np.array([getattr(frame, name) for frame in each.frames]) for each in found]
        return [np.array([getattr(each, name)]) for each in found]

    @cached_property
    def protrusions_over_frames(self) -> dict[str, Contrast]:
        """Contrasts of each of FRAME_PROTRUSIONS over the frames of both sides; empty where cells are not taken apart."""
        return contrasts(self._protrusions(FRAME_PROTRUSIONS), seed=self.seed, permuted=True)

    @cached_property
    def protrusions_over_sequences(self) -> dict[str, Contrast]:
        """Contrasts of PROTRUSION_MEASURES over the means of sequences, one family of tests; empty as above.

        A measure in frames is left out where the time step is known on both sides: the same in seconds or minutes is there.
        """
        tested = self._protrusions(PROTRUSION_MEASURES)
        for in_frames, in_time in IN_TIME.items() if tested else ():
            timed = all(np.isfinite(np.concatenate(side)).any() for side in tested[in_time])
            del tested[in_frames if timed else in_time]
        return contrasts(by_sequence(tested), seed=self.seed)

    def _protrusions(self, measures: Iterable[str]) -> dict[str, Sides]:
        if not self.taken_apart:
            return {}
        return {name: (self.protrusions("reference", name), self.protrusions("other", name)) for name in measures}

    @cached_property
    def _descriptors(self) -> dict[str, Sides]:
        return {
            name: (self.descriptor("reference", name), self.descriptor("other", name))
            for name in self.measures.descriptors
        }
