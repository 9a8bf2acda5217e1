"""Real cells that were not learned, beside the learned and the new ones: a good generator does as well as they do."""

from dataclasses import dataclass
from typing import Any

from cytoform.assess.measures.protrusion_tracks import PROTRUSION_MEASURES
from cytoform.assess.results_json import (
    contrasts_json,
    descriptor_json,
    protrusion_json,
    temporal_json,
    topology_json,
)
from cytoform.assess.statistics.held_out_sets import HeldOutSets
from cytoform.assess.store_contrasts import StoreContrasts
from cytoform.assess.stores import MeasuredStore
from cytoform.errors import InputError


@dataclass(frozen=True)
class HeldOut:
    """A comparison of new cells with held-out ones, and of held-out cells with the learned ones."""

    new: StoreContrasts  # the held-out store is its reference
    learned: StoreContrasts  # the held-out store is its other one
    sets: HeldOutSets

    @property
    def store(self) -> MeasuredStore:
        """The held-out cells."""
        return self.new.reference

    def to_json(self) -> dict[str, Any]:
        """The section `held_out` of results.json."""
        return {
            "descriptors": {
                name: descriptor_json(self.new, "reference", name) for name in self.new.measures.descriptors
            },
            "temporal": {name: temporal_json(self.new, "reference", name) for name in self.new.measures.dynamics},
            "protrusions": {name: protrusion_json(self.new, "reference", name) for name in PROTRUSION_MEASURES}
            if self.new.taken_apart
            else None,
            "topology": topology_json(self.store.sequences),
            "other_to_held_out": contrasts_json(self.new),
            "held_out_to_reference": contrasts_json(self.learned),
            "sets": self.sets.to_json(),
        }


def refuse_learned(learned: MeasuredStore, held_out: MeasuredStore) -> None:
    """Raise InputError where a held-out sequence is a learned one, under any name: all figures of all frames are equal."""
    known = {each.frames: each.name for each in learned.sequences if any(f.descriptors.size for f in each.frames)}
    for each in held_out.sequences:
        if each.frames in known:
            raise InputError(
                f"{held_out.path}: sequence {each.name!r} is {known[each.frames]!r} of {learned.path}, so it is not held "
                "out; give a store of cells that were not learned"
            )
