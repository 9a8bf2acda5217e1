"""Two measured stores, and how their measures are distributed on both sides."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from cytoform.assess.measures.descriptors import DESCRIPTORS
from cytoform.assess.measures.dynamics import DYNAMICS
from cytoform.assess.measures.masks import TopologyCounts
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

    def store(self, side: Role) -> MeasuredStore:
        """The store of a side."""
        return self.reference if side == "reference" else self.other

    def descriptor(self, side: Role, name: str) -> list[Values]:
        """Values of one of DESCRIPTORS over the frames of each sequence of a side."""
        return [np.array([getattr(f.descriptors, name) for f in each.frames]) for each in self.store(side).sequences]

    def temporal(self, side: Role, name: str) -> Values:
        """Values of one of DYNAMICS, one for each sequence of a side."""
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
        """Contrasts of the means of sequences: of each descriptor, then of each of DYNAMICS."""
        temporal = {name: tuple([v[None] for v in self.temporal(side, name)] for side in ROLES) for name in DYNAMICS}
        return contrasts(by_sequence(self._descriptors) | temporal, seed=self.seed)  # type: ignore[arg-type]

    @cached_property
    def _descriptors(self) -> dict[str, Sides]:
        return {name: (self.descriptor("reference", name), self.descriptor("other", name)) for name in DESCRIPTORS}
