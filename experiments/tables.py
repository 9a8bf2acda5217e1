"""Tables in docs/results.md; a rerun replaces only its own rows."""

from collections.abc import Sequence
from pathlib import Path

from cytoform.base.files import write_atomically
from cytoform.errors import InputError

Row = Sequence[str]


def update_table(docs: Path, name: str, columns: Row, rows: Sequence[Row]) -> None:
    """Write `rows` into the table between the markers of `name`, replacing rows with equal first two cells.

    Other rows are kept, unless the columns have changed. Raises InputError if the markers are missing.
    """
    begin, end = f"<!-- {name}: written by experiments/{name}.py -->", f"<!-- end of {name} -->"
    try:
        before, rest = docs.read_text().split(begin)
        table, after = rest.split(end)
    except (OSError, ValueError):
        raise InputError(
            f"{docs}: needs one line '{begin}' and below it one '{end}', between which the table goes; pass --no-docs"
        ) from None
    lines = [_cells(line) for line in table.splitlines() if line.startswith("|")]
    old = lines[2:] if lines and lines[0] == list(columns) else []
    written = [list(columns), ["---"] * len(columns), *_replaced(old, [list(row) for row in rows])]
    text = "\n".join("| " + " | ".join(cells) + " |" for cells in written)
    write_atomically(docs, f"{before}{begin}\n\n{text}\n\n{end}{after}".encode())


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _replaced(old: list[list[str]], new: list[list[str]]) -> list[list[str]]:
    """Old rows, with new rows at the place of the replaced ones of equal data set and source, or at the end."""
    result = old
    for key in dict.fromkeys((row[0], row[1]) for row in new):
        places = [n for n, row in enumerate(result) if (row[0], row[1]) == key]
        place = places[0] if places else len(result)
        kept = [row for n, row in enumerate(result) if n not in places]
        result = [*kept[:place], *(row for row in new if (row[0], row[1]) == key), *kept[place:]]
    return result


def mean_std(summary: dict[str, float | None]) -> str:
    """Mean and standard deviation as in the paper: 34.7 ± 12.5."""
    mean, std = summary["mean"], summary["std"]
    if mean is None or std is None:
        return "–"
    digits = 2 if mean < 10 else 1 if mean < 1000 else 0
    return f"{mean:.{digits}f} ± {std:.{digits}f}"


def share_std(summary: dict[str, float | None]) -> str:
    """A Jaccard index with standard deviation: 0.821 ± 0.029."""
    mean, std = summary["mean"], summary["std"]
    return "–" if mean is None or std is None else f"{mean:.3f} ± {std:.3f}"


def interval(estimate: dict[str, float]) -> str:
    """A value with its interval: 0.52 (0.41–0.63)."""
    return f"{estimate['value']:.2f} ({estimate['low']:.2f}–{estimate['high']:.2f})"


def difference(estimate: dict[str, float] | None) -> str:
    """A difference with its interval: +0.053 (+0.022 to +0.084)."""
    if estimate is None:
        return "–"
    return f"{estimate['value']:+.3f} ({estimate['low']:+.3f} to {estimate['high']:+.3f})"


def p_values(values: Sequence[float | None]) -> str:
    """p values of size, surface and sphericity."""
    return " / ".join("–" if p is None else f"{p:.3f}" if p >= 0.001 else "<0.001" for p in values)
