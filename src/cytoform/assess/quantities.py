"""How measures are called on a page, and what they mean."""

from dataclasses import dataclass, fields

from cytoform.assess.descriptors import DESCRIPTORS
from cytoform.assess.measures import Pair
from cytoform.assess.results import ESTIMATORS


@dataclass(frozen=True)
class Quantity:
    """A measure as a page names it."""

    title: str
    unit: str
    counts: bool = False  # whole numbers

    @property
    def axis_title(self) -> str:
        """With its unit, if it has one."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title


_PAIR_TITLES = {"jaccard": "Jaccard index", "dice": "Dice coefficient", "assd_um": "ASSD", "hd95_um": "HD95"}


def _of_pair(name: str) -> Quantity:
    words = name.removesuffix("_um").removesuffix("_deg").replace("_", " ")
    unit = "µm" if name.endswith("_um") else "°" if name.endswith("_deg") else ""
    return Quantity(_PAIR_TITLES.get(name, words[:1].upper() + words[1:]), unit)


# All that is measured on a pair of frames.
PAIR_QUANTITIES = {field.name: _of_pair(field.name) for field in fields(Pair)}

_MEANINGS = {
    "jaccard": "voxels in both cells, of those in either: 1 is the same, 0 apart",
    "dice": "twice the voxels in both, of those of each added: 2 J / (1 + J) for a Jaccard index J",
    "size_um3": "volume of the cell",
    "surface_um2": "area of its surface",
    "sphericity": "how far from round: 1 for a ball, larger the less round (as DIPlib's P2A)",
    "signed error": "distance of a point of the shown surface to the original one: + outside of it, − inside",
    "KS test": "two-sample Kolmogorov-Smirnov: p is how likely sets so unlike are if both are drawn from one distribution",
    "pieces": "bodies of voxels that touch, by a face, an edge or a corner",
    "Euler number": "pieces − handles + cavities: 1 for a ball, 2 for two cells",
}


@dataclass(frozen=True)
class Term:
    """An entry of the glossary."""

    title: str
    unit: str
    meaning: str


def glossary() -> list[Term]:
    """Every measure of a report with its unit, and how it is estimated."""
    named = {**PAIR_QUANTITIES, **{name: Quantity(d.title, d.unit) for name, d in DESCRIPTORS.items()}}
    terms = [Term(quantity.title, quantity.unit, _meaning(name)) for name, quantity in named.items()]
    units = {"signed error": "µm"}
    return terms + [
        Term(name[:1].upper() + name[1:], units.get(name, ""), text)
        for name, text in _MEANINGS.items()
        if name not in named
    ]


def _meaning(name: str) -> str:
    parts = [text for text in (_MEANINGS.get(name), ESTIMATORS.get(name)) if text]
    return "; measured as ".join(parts) if len(parts) == 2 else "".join(parts)
