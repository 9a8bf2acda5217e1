"""Score a segmentation and tracking result on a data set of `cytoform benchmark`, as the leaderboards do.

python benchmarks/tracking_scores.py DATA_SET RESULT... [--json scores.json]

A RESULT is a folder in the format of the Cell Tracking Challenge: mask000.tif … and res_track.txt. The scores are SEG, DET and TRA
of py-ctcmetrics, and of traccuracy DET, TRA and LNK again, F1 of links, and F1 of divisions (in the right frame, and within one
frame). Both programs have to be there: pip install py-ctcmetrics traccuracy.
"""

import argparse
import contextlib
import io
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

MEASURES = ("SEG", "DET", "TRA")
COLUMNS = ("result", *MEASURES, "DET*", "TRA*", "LNK*", "links F1*", "divisions F1*", "within a frame*")


def scores(data_set: Path, result: Path, *, sequence: str = "01") -> dict[str, Any]:
    """All scores of a result folder. Raises SystemExit with one line where a folder is no data set or no valid result."""
    truth = data_set / f"{sequence}_GT"
    if not (truth / "TRA" / "man_track.txt").is_file():
        raise SystemExit(f"{data_set}: no {truth.name}/TRA/man_track.txt; give a data set of 'cytoform benchmark'")
    if not (result / "res_track.txt").is_file():
        raise SystemExit(f"{result}: no res_track.txt; give a folder with mask000.tif … and res_track.txt")
    with _quiet():
        ctc = _by_ctcmetrics(truth, result)
        return {"py-ctcmetrics": ctc, "traccuracy": _by_traccuracy(truth / "TRA", result)}


def _by_ctcmetrics(truth: Path, result: Path) -> dict[str, float]:
    from ctc_metrics.scripts.evaluate import evaluate_sequence

    found = evaluate_sequence(str(result), str(truth), ["Valid", *MEASURES], threads=1)
    if not found["Valid"]:
        raise SystemExit(f"{result}: py-ctcmetrics refuses it; 'ctc_validate --res {result}' says why")
    return {name: float(found[name]) for name in MEASURES}


def _by_traccuracy(truth: Path, result: Path) -> dict[str, float | None]:
    from traccuracy import run_metrics
    from traccuracy.loaders import load_ctc_data
    from traccuracy.matchers import CTCMatcher
    from traccuracy.metrics import BasicMetrics, CTCMetrics, DivisionMetrics

    with tempfile.TemporaryDirectory() as room:
        # It reads every file in the folder as a mask.
        for folder, to in ((truth, Path(room, "truth")), (result, Path(room, "result"))):
            to.mkdir()
            for path in folder.glob("*.tif"):
                shutil.copyfile(path, to / path.name)
        known = load_ctc_data(str(Path(room, "truth")), str(truth / "man_track.txt"), name="truth")
        given = load_ctc_data(str(Path(room, "result")), str(result / "res_track.txt"), name=result.name)
        measured, _ = run_metrics(known, given, CTCMatcher(), [CTCMetrics(), BasicMetrics(), DivisionMetrics(1)])
    ctc, basic, divisions = (one["results"] for one in measured)
    return {
        **{name: float(ctc[name]) for name in ("DET", "TRA", "LNK")},
        "links_f1": _number(basic["Edge F1"]),
        "divisions_f1": _number(divisions["Frame Buffer 0"]["Division F1"]),
        "divisions_f1_within_1": _number(divisions["Frame Buffer 1"]["Division F1"]),
    }


def _number(value: float) -> float | None:
    """A score, or None where it has no value: without a division in truth and result."""
    return None if value is None or value != value else float(value)


def table(found: dict[str, dict[str, Any]]) -> str:
    """Rows of Markdown, a result each; scores with a star are by traccuracy."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    for name, one in found.items():
        values = [*one["py-ctcmetrics"].values(), *one["traccuracy"].values()]
        lines.append(f"| {name} | {' | '.join('–' if v is None else f'{v:.3f}' for v in values)} |")
    return "\n".join(lines)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Both programs print progress."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)


def main(arguments: Sequence[str]) -> int:
    """Score all results, print a table, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_set", type=Path)
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    found = {result.name: scores(options.data_set, result) for result in options.results}
    print(table(found))
    if options.json is not None:
        made = {"scores": found, "versions": {name: version(name) for name in ("py-ctcmetrics", "traccuracy")}}
        options.json.write_text(json.dumps(made, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
