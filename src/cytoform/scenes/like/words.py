"""A sentence about every option that a scene could have from a real movie."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Finding:
    """An option of a scene, and its value in a real movie with the figures behind it; None with the reason."""

    option: str
    value: Any
    why: str
    # The value that the user has given instead.
    given: Any = None

    def overridden(self, given: Any) -> "Finding":
        """The same with a value of the user."""
        return replace(self, given=given)

    def sentence(self, name: str) -> str:
        """Name of the option, and where its value is from."""
        if self.given is not None:
            shown = " ".join(f"{each:g}" if isinstance(each, float) else str(each) for each in _several(self.given))
            return f"{name} {shown} as given" + ("" if self.given == self.value else f"; the movie: {self.why}")
        return f"{name}: {self.why}" if self.value is not None else f"{name}: not taken, {self.why}"


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
