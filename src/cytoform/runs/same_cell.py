"""Which sequences are of one cell, as their names say: a store does not know it of movies that were cut by hand."""

import re
from collections.abc import Sequence

from cytoform.errors import InputError


def cells_of(names: Sequence[str], expression: str) -> list[list[int]]:
    """Rows of the sequences of each cell, cells and rows in the order of `names`.

    Sequences in whose names the regular expression finds the same text are of one cell; a name without it is a cell of
    its own, and so is every name without an expression. Raises InputError for an expression that no name has.
    """
    found = [re.search(expression, name) if expression else None for name in names]
    if expression and not any(found):
        raise InputError(
            f"data.same_cell = {expression!r}: found in no name, such as {names[0]}; it is a regular expression"
        )
    rows: dict[tuple[str, str], list[int]] = {}
    for row, (name, match) in enumerate(zip(names, found, strict=True)):
        rows.setdefault(("cell", match[0]) if match else ("name", name), []).append(row)
    return list(rows.values())
