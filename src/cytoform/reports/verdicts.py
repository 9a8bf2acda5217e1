"""A verdict: graded sentences that follow from measures by stated rules, and the box that shows them on a page."""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cytoform.pictures.page import details, listed, verdict_box

GRADES = ("good", "mixed", "poor")  # a fourth, "open", means that nothing follows


@dataclass(frozen=True)
class Finding:
    """A graded sentence; `cell` names the sequence that it is about, if it is about a single one."""

    grade: str
    text: str
    cell: str | None = None


@dataclass(frozen=True)
class Verdict:
    """All findings on one comparison."""

    label: str
    findings: tuple[Finding, ...]

    @property
    def grade(self) -> str:
        """The worst grade of the findings; "open" where all are open."""
        return worst(each.grade for each in self.findings)

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

    def html(self, links: Mapping[str, str] | None = None) -> str:
        """The box on a page; a finding about a cell has a link where `links` knows the name of the cell."""
        return verdict_box(self.sentence, [(each.grade, _linked(each, links or {})) for each in self.findings])


def grade(value: float, limits: tuple[float, float], *, higher_is_better: bool = True) -> str:
    """Good or mixed up to the two limits, else poor; open for NaN."""
    if math.isnan(value):
        return "open"
    sign = 1 if higher_is_better else -1
    return next((g for g, limit in zip(GRADES, limits, strict=False) if sign * value >= sign * limit), "poor")


def worst(grades: Iterable[str]) -> str:
    """The worst grade; open ones do not count, unless all are."""
    counted = [each for each in grades if each in GRADES]
    return max(counted, key=GRADES.index) if counted else "open"


def rules_html(rules: Sequence[str]) -> str:
    """The rules behind a verdict, folded away."""
    return details("The rules behind these sentences", listed(rules))


def _linked(finding: Finding, links: Mapping[str, str]) -> str:
    link = links.get(finding.cell or "")
    return html.escape(finding.text) + (f' <a href="{link}">Look at it</a>' if link else "")
