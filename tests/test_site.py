"""The documentation site: its pages, its reference, and its links."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import cytoform

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_site", ROOT / "docs" / "site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_table_of_contents(site: ModuleType, tmp_path: Path) -> None:
    site.write_pages(tmp_path / "pages", run=False)
    pages = {path.relative_to(tmp_path / "pages").as_posix() for path in (tmp_path / "pages").rglob("*.md")}
    assert set(re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)) == pages


def test_links_of_the_pages_stay_within_the_site(site: ModuleType, tmp_path: Path) -> None:
    site.write_pages(tmp_path / "pages", run=False)
    for path in (tmp_path / "pages").rglob("*.md"):
        for _, target, _ in site.LINK.findall(path.read_text("utf-8")):
            assert not target or (path.parent / target).is_file(), f"{path.name}: {target}"


def test_the_reference_has_every_public_name(site: ModuleType) -> None:
    found = set(re.findall(r"^::: cytoform\.(?:\w+\.)*(\w+)$", site.reference(), re.MULTILINE))
    assert found == set(cytoform._PUBLIC) - {"Assumed", "Look"}


def test_a_dead_link_is_found(site: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "index.html").write_text('<a href="a/#here">x</a> <a href="b/">y</a> <a href="a/#gone">z</a>', "utf-8")
    (tmp_path / "a" / "index.html").write_text('<h1 id="here">x</h1><img src="../none.png">', "utf-8")
    assert site.dead_links(tmp_path) == ["a/index.html: ../none.png", "index.html: a/#gone", "index.html: b/"]


def test_the_site_is_built_without_dead_links(tmp_path: Path) -> None:
    pytest.importorskip("zensical")
    done = subprocess.run(
        [sys.executable, "docs/site.py", "--without-running"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "was not run" in (ROOT / "out" / "site" / "tutorials" / "movie" / "index.html").read_text("utf-8")
    assert 'href="studio/mitosis.html"' in (ROOT / "out" / "site" / "index.html").read_text("utf-8")
    assert "cytoform.zoo.find.models" in (ROOT / "out" / "site" / "reference" / "index.html").read_text("utf-8")
