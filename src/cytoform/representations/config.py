"""Settings that every kind of representation has."""

from typing import ClassVar, Literal

from cytoform.base.settings import SettingsSection


class RepresentationConfig(SettingsSection):
    """The section `model` of a run's settings; each kind adds its own."""

    has_scales: ClassVar[bool] = False  # whether cells have a size of their own beside their codes

    kind: str  # the entry of representations.table.REPRESENTATIONS
    rotations: Literal["none", "learned"] = "none"  # learned: one for each sequence, beside its code
