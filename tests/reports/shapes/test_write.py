"""The report: one file, everything in it."""

import base64
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, Tab, chromium, inked, opened
from pages import assert_self_contained, assert_well_formed
from stores import ball, empty, write_store

from cytoform.assess.results import evaluate
from cytoform.reports.shapes.code_map import CodeMap, CodeSet
from cytoform.reports.shapes.write import Comparison, write_report

NAME = 'a<b> "c"&d'  # not fit for HTML, nor for an address


@pytest.fixture(scope="module")
def comparisons(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Comparison]]:
    """A paired and an unpaired comparison, an empty frame, and names that are not fit for HTML."""
    home = tmp_path_factory.mktemp("report")
    reference = write_store(home / "ref.zarr", {NAME: [ball(3.0), ball(3.5)], "b": [ball(4.0), empty()]})
    rebuilt = write_store(home / "rec.zarr", {NAME: [ball(3.1), ball(3.4)], "b": [ball(3.9), ball(2.0)]})
    new = write_store(home / "new.zarr", {"n": [ball(3.6)] * 3, "b": [ball(3.0)]})
    return reference, [
        Comparison("Reconstructed", rebuilt, evaluate(reference, rebuilt, paired=True)),
        Comparison("Generated", new, evaluate(reference, new, paired=False)),
    ]


@pytest.fixture(scope="module")
def folder(comparisons: tuple[Path, list[Comparison]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    written(out, comparisons)
    return out


def written(out: Path, comparisons: tuple[Path, list[Comparison]]) -> Path:
    """The page of both comparisons."""
    learned = CodeSet("Learned", (NAME, "gone"), np.array([[0.0, 0.0], [1.0, 0.0]]))
    return write_report(
        out,
        title="Cells & <more>",
        reference=comparisons[0],
        comparisons=comparisons[1],
        provenance={"command": "a test"},
        code_map=CodeMap(("1", "2"), (learned, CodeSet("Generated", ("n",), np.array([[0.0, 1.0]])))),
    )


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text()


@pytest.fixture(scope="module")
def text(page: str) -> str:
    """What is said, without pictures, scripts and styles."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r'\b(src|d)="[^"]*"', "", bare)


def test_needs_no_network_and_no_other_file(page: str) -> None:
    assert_self_contained(page)


def test_is_well_formed_and_names_are_escaped(page: str, text: str) -> None:
    assert_well_formed(page)
    assert "$" not in text
    assert "Cells &amp; &lt;more&gt;" in text
    assert "a<b>" not in page
    assert "a&lt;b&gt;" in text


def test_ids_are_of_one_element_each_and_links_lead_to_them(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert links <= set(ids)
    assert {i for i in ids if i.startswith("cell=")} <= links
    assert [i for i in ids if i.startswith("cell=")] == [
        "cell=a%3Cb%3E%20%22c%22%26d",
        "cell=b",
        "cell=Generated%20b",
        "cell=n",
    ]


def test_pictures_are_the_files_beside_the_page(page: str, folder: Path) -> None:
    shown = {base64.b64decode(data) for data in re.findall(r'src="data:image/(?:png|svg\+xml);base64,([^"]+)"', page)}
    files = {path.name: path.read_bytes() for path in (folder / "figures").iterdir()}
    assert shown <= set(files.values())
    stems = {path.split(".")[0] for path in files}
    for stem in stems - {"cells"}:
        assert {f"{stem}.png", f"{stem}.svg"} <= set(files)
    expected = {"cells", "codes", "reconstructed_jaccard", "reconstructed_descriptors", "generated_descriptors"}
    assert expected | {"generated_size_um3", "reconstructed_sphericity"} <= stems


def test_figures_are_those_of_the_results(text: str, comparisons: tuple[Path, list[Comparison]], folder: Path) -> None:
    found = json.loads(json.dumps(comparisons[1][0].results.to_json()))
    jaccard = found["jaccard"]
    assert f"<b>{jaccard['mean']:.3f} <small>± {jaccard['std']:.3f}</small></b><span>Jaccard index" in text
    assert f"a mean Jaccard index of {jaccard['mean']:.3f} ± {jaccard['std']:.3f}" in text
    rows = list(csv.DictReader((folder / "tables" / "frames.csv").open()))
    assert len(rows) == 4 + 4 + 4
    frame = next(r for r in rows if (r["cells"], r["sequence"], r["frame"]) == ("Reconstructed", "b", "1"))
    assert float(frame["jaccard"]) == pytest.approx(jaccard["per_sequence"]["b"]["per_frame"][0])
    sizes = found["descriptors"]["size_um3"]
    means = {
        r["cells"]: float(r["mean"])
        for r in csv.DictReader((folder / "tables" / "descriptors.csv").open())
        if r["measure"] == "size_um3"
    }
    assert means["Original"] == pytest.approx(sizes["reference"]["mean"])
    assert means["Reconstructed"] == pytest.approx(sizes["other"]["mean"])
    tests = [r for r in csv.DictReader((folder / "tables" / "tests.csv").open()) if r["measure"] == "size_um3"]
    assert float(tests[0]["ks_p_sequences"]) == pytest.approx(sizes["ks_p_sequences"])
    overlap = list(csv.DictReader((folder / "tables" / "overlap.csv").open()))
    assert {r["measure"] for r in overlap} >= {"jaccard", "dice", "assd_um", "hd95_um"}


def test_failures_come_first_and_the_worst_of_them_first(text: str) -> None:
    order = [text.index(f'id="{part}"') for part in ("verdict", "failures", "cells", "descriptors", "glossary", "cite")]
    assert order == sorted(order)
    failures = text[order[1] : order[2]]
    assert failures.index(">b</a>, frame 2: Jaccard index 0.000, original is empty") < failures.index("a&lt;b&gt;")


def test_says_what_was_found_and_nothing_undefined_as_a_number(text: str) -> None:
    for part in ("Is it good?", "Generated: the frames least like any original", "Frames in one piece", "SHA-256"):
        assert part in text
    assert not re.search(r"\bnan\b", text)


def test_a_point_of_the_map_opens_its_cell_if_there_is_one(page: str) -> None:
    section = page[page.index('<section id="map">') : page.index('<section id="glossary">')]
    assert re.findall(r'href="#([^"]+)"', section) == ["cell=a%3Cb%3E%20%22c%22%26d", "cell=n"]
    assert ">gone<" in section


def test_citation_is_that_of_the_repository(page: str) -> None:
    cff = (Path(__file__).parents[3] / "CITATION.cff").read_text()
    block = page[page.index('<pre id="bibtex">') :].split("</pre>")[0]
    for key in ("title", "doi", "year"):
        for value in re.findall(rf'^\s*{key}: "?([^"\n]+)"?$', cff, re.MULTILINE):
            assert value in block, key
    for name in re.findall(r"family-names: ([^,}]+)", cff):
        assert name in block


def test_same_bytes_each_time(comparisons: tuple[Path, list[Comparison]], folder: Path, tmp_path: Path) -> None:
    assert written(tmp_path, comparisons).read_bytes() == (folder / "report.html").read_bytes()


def test_a_single_frame_and_a_store_of_empty_frames(tmp_path: Path, blank_figures: None) -> None:
    reference = write_store(tmp_path / "ref.zarr", {"a": [ball(3.0)]}, time_step_s=None)
    nothing = write_store(tmp_path / "none.zarr", {"a": [empty()]}, time_step_s=None)
    for paired in (True, False):
        out = tmp_path / str(paired)
        out.mkdir()
        comparison = Comparison("Reconstructed", nothing, evaluate(reference, nothing, paired=paired))
        page = write_report(out, title="t", reference=reference, comparisons=[comparison]).read_text()
        assert_well_formed(page)
        assert "not defined" in page
        assert "empty" in page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


class TestInBrowser:
    """Views, keys and paper in Chromium; whatever a page says on the console or asks of the network is a fault."""

    @pytest.fixture(params=["wide", "narrow"])
    def tab(self, browser: Browser, folder: Path, request: pytest.FixtureRequest) -> Iterator[Tab]:
        with opened(browser, folder / "report.html", size=request.param) as tab:
            yield tab
            assert tab.faults == []

    def test_one_view_at_a_time(self, tab: Tab) -> None:
        page = tab.page
        assert page.locator("#overview").is_visible()
        assert page.locator(".cell:visible").count() == 0
        assert not tab.overflows()
        tab.picture("#verdict", f"report-verdict-{page.viewport_size['width']}")
        page.locator(".gallery a").first.click()
        assert page.locator(".cell:visible").count() == 1
        assert not page.locator("#overview").is_visible()
        assert page.locator(".cell:visible h2").inner_text() == NAME
        page.wait_for_function("name => document.activeElement.textContent === name", arg=NAME)
        assert page.title().startswith(NAME)
        assert not tab.overflows()
        page.wait_for_function("() => document.querySelector('.cell:target cell-player').loaded")
        assert inked(tab.picture(".cell:target cell-player", f"report-cell-{page.viewport_size['width']}")) > 0.01
        page.locator(".cell:visible a[rel=next]").first.click()
        assert page.locator(".cell:visible h2").inner_text() == "b"
        page.go_back()
        assert page.locator(".cell:visible h2").inner_text() == NAME
        page.locator(".cell:visible .turn a", has_text="All cells").first.click()
        assert page.locator("#overview").is_visible()

    def test_a_point_of_the_map_opens_its_cell_by_keyboard(self, tab: Tab) -> None:
        tab.page.locator("#map svg a").last.focus()
        tab.page.keyboard.press("Enter")
        assert tab.page.locator(".cell:visible h2").inner_text() == "n"

    def test_keys_go_through_the_page_and_past_its_head(self, tab: Tab) -> None:
        tab.page.keyboard.press("Tab")
        assert tab.page.evaluate("() => document.activeElement.className") == "skip"
        seen = []
        for _ in range(40):
            tab.page.keyboard.press("Tab")
            seen.append(tab.page.evaluate("() => document.activeElement.outerHTML.slice(0, 400)"))
        assert len(set(seen)) > 30

    def test_the_address_of_a_cell_opens_it_and_skipping_stays_there(self, browser: Browser, folder: Path) -> None:
        with opened(browser, folder / "report.html", anchor="#cell=b") as tab:
            assert tab.page.locator(".cell:visible h2").inner_text() == "b"
            tab.page.locator(".skip").focus()
            tab.page.keyboard.press("Enter")
            assert tab.page.locator(".cell:visible h2").inner_text() == "b"
            assert tab.faults == []

    def test_citation_is_copied(self, tab: Tab) -> None:
        button = tab.page.locator("button[data-copies]")
        button.click()
        tab.page.wait_for_function("() => document.querySelector('button[data-copies]').textContent === 'Copied'")

    def test_paper_has_everything_open_and_nothing_to_click(self, tab: Tab) -> None:
        tab.page.emulate_media(media="print")
        assert not tab.page.locator(".contents").is_visible()
        tab.page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
        assert tab.page.locator("details:not([open])").count() == 0
        tab.page.evaluate("() => dispatchEvent(new Event('afterprint'))")
        assert tab.page.locator("details[open]").count() == 0

    def test_views_need_no_script(self, browser: Browser, folder: Path) -> None:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto((folder / "report.html").as_uri() + "#cell=n")
        assert page.locator(".cell:visible h2").inner_text() == "n"
        assert not page.locator("#overview").is_visible()
        context.close()
