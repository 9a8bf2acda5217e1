"""The report: one file, everything in it."""

import base64
import re
from pathlib import Path

import pytest
from pages import assert_self_contained, assert_well_formed
from stores import ball, empty, write_store

from cytoform.assess.report import Comparison, write_report
from cytoform.assess.results import evaluate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with a paired and an unpaired comparison, an empty frame, and names that are not fit for HTML."""
    home = tmp_path_factory.mktemp("report")
    reference = write_store(home / "ref.zarr", {"a<b>": [ball(3.0), ball(3.5)], "b": [ball(4.0), empty()]})
    rebuilt = write_store(home / "rec.zarr", {"a<b>": [ball(3.1), ball(3.4)], "b": [ball(3.9), ball(2.0)]})
    new = write_store(home / "new.zarr", {"n": [ball(3.6)] * 3})
    out = home / "out"
    out.mkdir()
    write_report(
        out,
        title="Cells & <more>",
        reference=reference,
        comparisons=[
            Comparison("Reconstructed", rebuilt, evaluate(reference, rebuilt, paired=True)),
            Comparison("Generated", new, evaluate(reference, new, paired=False)),
        ],
        provenance={"command": "a test"},
    )
    return out


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text()


def test_needs_no_network_and_no_other_file(page: str) -> None:
    assert_self_contained(page)


def test_is_well_formed(page: str) -> None:
    assert_well_formed(page)
    assert "$" not in page


def test_holds_pictures_of_both_comparisons(page: str, folder: Path) -> None:
    images = re.findall(r'src="data:image/(png|svg\+xml);base64,([^"]+)"', page)
    assert [kind for kind, _ in images] == ["png", "svg+xml", "svg+xml", "svg+xml"]
    assert base64.b64decode(images[0][1]) == (folder / "figures" / "cells.png").read_bytes()
    written = {path.name for path in (folder / "figures").iterdir()}
    stems = {"cells.png"} | {
        f"{stem}.{kind}"
        for stem in ("reconstructed_jaccard", "reconstructed_descriptors", "generated_descriptors")
        for kind in ("png", "svg")
    }
    assert written == stems


def test_says_what_was_found(page: str) -> None:
    for text in ("Jaccard index", "Reconstructed against original", "Generated against original", "Topology", "sha256"):
        assert text in page
    assert "Cells &amp; &lt;more&gt;" in page
    assert "a<b>" not in page
    assert not re.search(r"\bnan\b", re.sub(r'src="[^"]+"', "", page))


def test_same_bytes_each_time(folder: Path, tmp_path: Path) -> None:
    reference, new = folder.parent / "ref.zarr", folder.parent / "new.zarr"
    comparison = Comparison("Generated", new, evaluate(reference, new, paired=False))
    pages = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        pages.append(
            write_report(tmp_path / name, title="t", reference=reference, comparisons=[comparison]).read_bytes()
        )
    assert pages[0] == pages[1]


def test_a_single_frame_and_a_store_of_empty_frames(tmp_path: Path) -> None:
    reference = write_store(tmp_path / "ref.zarr", {"a": [ball(3.0)]}, time_step_s=None)
    nothing = write_store(tmp_path / "none.zarr", {"a": [empty()]}, time_step_s=None)
    for paired in (True, False):
        out = tmp_path / str(paired)
        out.mkdir()
        comparison = Comparison("Reconstructed", nothing, evaluate(reference, nothing, paired=paired))
        page = write_report(out, title="t", reference=reference, comparisons=[comparison]).read_text()
        assert "not defined" in page
