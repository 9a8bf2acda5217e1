"""Pages in a real browser: the system's Chromium, offline, with errors on the console counted."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

__all__ = ["SIZES", "Browser", "Tab", "changed", "chromium", "inked", "opened"]

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")
# WebGL without a graphics card; tests may run as root, where Chromium has no sandbox.
ARGUMENTS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage")
# Folder of screenshots.
ARTEFACTS = Path(os.environ.get("CYTOFORM_TEST_ARTEFACTS", Path(__file__).parents[2] / "out" / "test-artefacts"))
# A busy machine may take long to draw a page.
PATIENCE_MS = 120_000
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; without Chromium, tests fail in CI and are skipped elsewhere."""
    found = next((path for name in EXECUTABLES if (path := shutil.which(name))), None)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no chromium on this machine; .ci/run installs it")
        pytest.skip("no chromium on this machine; install Debian's package 'chromium'")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Tab:
    """An open page and its console errors."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def settle(self) -> None:
        """Wait until the page is drawn."""
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
        )

    def picture(self, selector: str, name: str = "") -> np.ndarray:
        """Screenshot of an element, (rows, columns, 3); saved as an artefact if it has a name."""
        self.settle()
        png = self.page.locator(selector).first.screenshot(animations="disabled")
        if name:
            ARTEFACTS.mkdir(parents=True, exist_ok=True)
            (ARTEFACTS / f"{name}.png").write_bytes(png)
        return imageio.imread(png)[..., :3].astype(int)

    def overflows(self) -> bool:
        """Whether the page is wider than the screen."""
        return self.page.evaluate("() => document.documentElement.scrollWidth > innerWidth")


@contextlib.contextmanager
def opened(browser: Browser, path: Path, *, size: str = "wide", before: str = "", anchor: str = "") -> Iterator[Tab]:
    """Open a page from disk and run the script `before` first. Requests to the network count as errors."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True, reduced_motion="reduce")
    if before:
        context.add_init_script(before)
    context.set_default_timeout(PATIENCE_MS)
    tab = Tab(context.new_page())
    tab.page.on("console", lambda said: tab.faults.append(said.text) if said.type in ("error", "warning") else None)
    tab.page.on("pageerror", lambda fault: tab.faults.append(str(fault)))
    tab.page.on("request", lambda request: request.url.startswith("file:") or tab.faults.append(request.url))
    tab.page.goto(path.absolute().as_uri() + anchor)
    try:
        yield tab
    finally:
        context.close()


def inked(picture: np.ndarray) -> float:
    """Share of coloured pixels: neither grey, white nor black."""
    return float((picture.max(axis=2) - picture.min(axis=2) > 40).mean())


def changed(one: np.ndarray, other: np.ndarray) -> float:
    """Share of visibly different pixels."""
    return float((np.abs(one - other).max(axis=2) > 12).mean())
