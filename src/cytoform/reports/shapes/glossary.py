"""What the measures of a report mean, and how they are estimated."""

from dataclasses import dataclass

from cytoform.assess.measures.descriptors import DESCRIPTORS, Descriptor, titled
from cytoform.assess.measures.dynamics import DYNAMICS
from cytoform.assess.measures.sequences import PAIR_MEASURES
from cytoform.assess.statistics.near_duplicates import SET_MEASURES

# Measures of frames that are whole numbers.
COUNTS = {"protrusions"}

GROUPS = {
    "A frame and its original": PAIR_MEASURES,
    "A frame": {
        **DESCRIPTORS,
        "pieces": Descriptor("Pieces", "", "bodies of voxels that touch by a face, an edge or a corner"),
        "euler": Descriptor("Euler number", "", "pieces − handles + cavities: 1 for a ball, 2 for two cells"),
        "signed_error": Descriptor(
            "Signed error",
            "µm",
            "distance of a point of the shown surface to the original one: + outside of it, − inside",
        ),
    },
    "A sequence": DYNAMICS,
    "Sets of sequences": {
        **SET_MEASURES,
        "ks": Descriptor(
            "Kolmogorov-Smirnov test", "", "p: how likely sets so unlike are, if both are drawn from one distribution"
        ),
        "corrected": Descriptor(
            "Corrected p",
            "",
            "Benjamini-Hochberg over all tests of a table: of those at most 0.05, at most 5 % are false",
        ),
        "wasserstein": Descriptor(
            "Wasserstein distance", "", "how far values have to be moved on average; unit as theirs"
        ),
    },
}


@dataclass(frozen=True)
class Term:
    """An entry of the glossary."""

    title: str
    meaning: str


def glossary() -> dict[str, list[Term]]:
    """Every measure of a report with its unit, by what it is measured on."""
    return {
        title: [Term(titled(each), _meaning(each)) for each in measures.values()] for title, measures in GROUPS.items()
    }


def _meaning(measure: Descriptor) -> str:
    return f"{measure.definition} ({measure.source})" if measure.source else measure.definition
