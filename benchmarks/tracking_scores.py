"""Score a segmentation and tracking result on a data set of `cytoform benchmark`, as the leaderboards do.

python benchmarks/tracking_scores.py DATA_SET RESULT... [--json scores.json]

A RESULT is a folder in the format of the Cell Tracking Challenge: mask000.tif … and res_track.txt. The scores are SEG, DET and
TRA of py-ctcmetrics; and DET, TRA and LNK of traccuracy, its F1 of links, and its F1 of divisions, in the right frame and
within one frame, between cells with a Jaccard index of at least 0.5. pip install py-ctcmetrics traccuracy; without traccuracy
its scores are left out.
"""

import argparse
import contextlib
import io
import json
import logging
import math
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

MEASURES = ("SEG", "DET", "TRA")
# Scores by traccuracy. The score of divisions is empty where the truth or the result has none.
OTHERS = ("DET", "TRA", "LNK", "links_f1", "divisions_f1", "divisions_f1_within_1")
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
    if find_spec("traccuracy") is None:
        print("traccuracy is not installed: its scores are left out", file=sys.stderr)
        return dict.fromkeys(OTHERS)
    from traccuracy import run_metrics
    from traccuracy.loaders import load_ctc_data
    from traccuracy.matchers import CTCMatcher, IOUMatcher
    from traccuracy.metrics import BasicMetrics, CTCMetrics, DivisionMetrics

    with tempfile.TemporaryDirectory() as room:
        # It reads every file in the folder as a mask.
        for folder, to in ((truth, Path(room, "truth")), (result, Path(room, "result"))):
            to.mkdir()
            for path in folder.glob("*.tif"):
                shutil.copyfile(path, to / path.name)
        known = load_ctc_data(str(Path(room, "truth")), str(truth / "man_track.txt"), name="truth")
        given = load_ctc_data(str(Path(room, "result")), str(result / "res_track.txt"), name=result.name)
        (ctc,), _ = run_metrics(known, given, CTCMatcher(), [CTCMetrics()])
        # Links and divisions need cells that match one to one, which two merged cells do not.
        matched = run_metrics(
            known, given, IOUMatcher(iou_threshold=0.5, one_to_one=True), [BasicMetrics(), DivisionMetrics(1)]
        )
    basic, divisions = (one["results"] for one in matched[0])
    frames = (divisions[f"Frame Buffer {n}"]["Division F1"] for n in (0, 1))
    values = (*(ctc["results"][name] for name in OTHERS[:3]), basic["Edge F1"], *frames)
    return {name: _number(value) for name, value in zip(OTHERS, values, strict=True)}


def _number(value: float | None) -> float | None:
    """A score, or None where it has no value."""
    return None if value is None or math.isnan(value) else float(value)


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
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
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
        used = ("py-ctcmetrics", *(["traccuracy"] if find_spec("traccuracy") else []))
        made = {"scores": found, "versions": {name: version(name) for name in used}}
        options.json.write_text(json.dumps(made, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
