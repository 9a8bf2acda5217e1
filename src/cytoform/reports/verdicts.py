"""A verdict: graded sentences that follow from figures."""

import math
from dataclasses import dataclass

GRADES = ("good", "mixed", "poor")  # "open": nothing follows


@dataclass(frozen=True)
class Finding:
    """A sentence; `cell` is the sequence that it is about, if it is about one."""

    grade: str
    text: str
    cell: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What is said of one comparison."""

    label: str
    findings: tuple[Finding, ...]

    @property
    def grade(self) -> str:
        """The worst of the sentences; open where none says anything."""
        found = [GRADES.index(each.grade) for each in self.findings if each.grade in GRADES]
        return GRADES[max(found)] if found else "open"

    @property
    def sentence(self) -> str:
        """The whole in one line."""
        counted = [each for each in self.findings if each.grade in GRADES]
        if not counted:
            return f"{self.label}: nothing follows from so little."
        n_good = sum(each.grade == "good" for each in counted)
        n_open = len(self.findings) - len(counted)
        left = f"; {n_open} left open" if n_open else ""
        if n_good == len(counted):
            every = "each respect" if len(counted) > 1 else "the one respect"
            return f"{self.label}: good in {every} that can be judged{left}."
        n_worse = sum(each.grade == self.grade for each in counted)
        return f"{self.label}: good in {n_good} of {len(counted)} respects, {self.grade} in {n_worse}{left}."


def grade(value: float, limits: tuple[float, float], *, higher_is_better: bool = True) -> str:
    """Good or mixed up to the limits, else poor; open for NaN."""
    if math.isnan(value):
        return "open"
    sign = 1 if higher_is_better else -1
    return next((g for g, limit in zip(GRADES, limits, strict=False) if sign * value >= sign * limit), "poor")
