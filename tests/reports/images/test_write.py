"""The page on images: one file, everything in it."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from fields import frames_of
from pages import assert_self_contained, assert_well_formed
from scipy.ndimage import gaussian_filter

from cytoform.assess.images import bootstrap
from cytoform.assess.images.frames import ImageFrame
from cytoform.assess.images.usefulness import Usefulness, UsefulnessComparison
from cytoform.errors import InputError
from cytoform.reports.images.data import measure_images
from cytoform.reports.images.pictures import Column, contrast, enlarged, side_by_side
from cytoform.reports.images.write import write_image_report

REAL = frames_of(4, size=192)
SAME_MASKS = [
    ImageFrame(gaussian_filter(f.image_yx.astype(np.float32), 1.5).astype(np.uint16), f.labels_yx, "b", f.number)
    for f in REAL
]
NAME = "a<b> & c"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "REPLICATES", 20)
        others = {NAME: SAME_MASKS, "Elsewhere": frames_of(2, size=160, seed=3)}
        report = measure_images(REAL, others, training=None, title="Images & <more>", provenance={"seed": 0})
        four = np.ones(4)
        usefulness = [Usefulness(label, 0.7 * four, four, four, four, four) for label in ("Real", NAME, "Elsewhere")]
        report = report.with_usefulness(UsefulnessComparison.of("unet", usefulness, REAL, np.random.default_rng(0)))
    write_image_report(out, report)
    return out


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text()


def test_page_is_whole(page: str) -> None:
    assert_self_contained(page)
    assert_well_formed(page)
    assert "a<b>" not in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    text = re.sub(r'<(script|style)\b.*?</\1>|src="[^"]*"', "", page, flags=re.DOTALL)
    assert "$" not in text
    assert "nan" not in re.findall(r"\w+", text)


def test_every_part_is_there(page: str) -> None:
    for words in (
        "Real, second half",
        "Side by side",
        "Do they fool?",
        "unet",
        "SEG against real",
        "Gabor",
        "Immerkaer",
    ):
        assert words in page
    assert page.count('<span class="grade') == 16
    assert "on masks of real frames: a&lt;b&gt; &amp; c." in page


def test_files(folder: Path) -> None:
    results = json.loads((folder / "results.json").read_text())
    assert set(results["images"]) == {NAME, "Elsewhere"}
    assert results["images"]["Elsewhere"]["figures"]["ssim"]["value"] is None
    assert len(results["images"][NAME]["figures"]["spectrum_db"]["per_frame"]) == 4
    with (folder / "tables" / "figures.csv").open() as file:
        rows = list(csv.DictReader(file))
    (row,) = (r for r in rows if r["images"] == NAME and r["measure"] == "spectrum_db")
    assert float(row["value"]) == pytest.approx(results["images"][NAME]["figures"]["spectrum_db"]["value"], rel=1e-6)
    names = {path.stem for path in (folder / "figures").iterdir()}
    assert names == {"distances", "spectra", "noise", "histograms", "fooling", "flicker", "segmenter"}
    assert sorted(path.name for path in (folder / "tables").iterdir()) == ["figures.csv", "frames.csv", "segmenter.csv"]


def test_pictures_of_one_contrast_and_of_the_same_frames() -> None:
    dark = [ImageFrame(f.image_yx // 2, f.labels_yx, "d", f.number) for f in REAL]
    columns = [Column("Real", REAL), Column("Dark", dark)]
    low, high = contrast(REAL)
    assert low < 130
    assert 500 < high < 800
    for drawn, per_row in ((side_by_side(columns), 1), (enlarged(columns), 2)):
        captions = re.findall(r"<figcaption>(\w+), frame (\d)", drawn)
        pairs = list(zip(captions[::2], captions[1::2], strict=True))
        assert all(a[0] == "Real" and b[0] == "Dark" and a[1] == b[1] for a, b in pairs)
        assert drawn.count("<img") == 2 * len(pairs) * per_row


def test_one_real_image_is_too_few() -> None:
    with pytest.raises(InputError, match="at least 2"):
        measure_images(REAL[:1], {"x": REAL}, training=None, title="", provenance={})
