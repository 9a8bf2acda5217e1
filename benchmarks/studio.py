"""The studio of a run in the system's Chromium against Python: agreement, time of a frame, first picture, memory.

    python benchmarks/studio.py RUN [--cells 200]
    python benchmarks/studio.py RUN --minutes 10

A frame is all from a code to a surface ready for the graphics card: the median by the clock, and the mean CPU time of the
page's process, which other programs do not lengthen. The first picture is counted from opening the page; memory is that of
JavaScript after collecting garbage, before and after so many random cells. With --minutes, only random cells are drawn, about
one a second, while the movie plays, and memory is printed every minute, also of the page's process.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from playwright.sync_api import Page, sync_playwright
from scipy.spatial import cKDTree

from cytoform.reports.studio.page import write_studio
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.field import CodeField

ARGUMENTS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--js-flags=--expose-gc",
             "--enable-precise-memory-info")  # fmt: skip
STUDIO = "document.querySelector('cell-studio')"
POINTS, TIMES, REPEATS, PAUSE_MS = 10_000, (-1.0, 0.3), 31, 4000
FIRST = f"() => {STUDIO}?.figures?.size > 0 && performance.now()"
FRAMES = f"""([grid, n]) => {{
  const s = {STUDIO}, took = [];
  for (let i = 0; i < n; i++) {{
    const cell = s.codes.moved(s.codes.learned(i % s.codes.n), 0, 0.3), began = performance.now();
    s.vertices(cell, i % s.data.frames, grid);
    took.push(performance.now() - began);
  }}
  return took;
}}"""
RANDOM = f"""async n => {{
  const s = {STUDIO}, used = () => {{ gc(); return performance.memory.usedJSHeapSize / 1e6; }}, before = used();
  for (let i = 0; i < n; i++) {{
    s.draws ? s.random() : s.show(s.codes.learned(i % s.codes.n), "cell");
    await new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)));
  }}
  return [before, used()];
}}"""


def endure(page: Page, minutes: int) -> None:
    """Draw random cells for so many minutes, and print the memory of every minute."""
    page.wait_for_function(FIRST)
    page.evaluate(f"() => {{ {STUDIO}.player.play(true); }}")
    began, drawn, used = monotonic(), 0, float("nan")
    for minute in range(minutes + 1):
        while monotonic() < began + 60 * minute:
            used = page.evaluate(RANDOM, 5)[1]
            drawn += 5
            page.wait_for_timeout(PAUSE_MS)
        print(f"minute {minute}: {drawn} cells, JavaScript {used:.1f} MB, process {renderer()[0]:.0f} MB", flush=True)


def renderer() -> tuple[float, float]:
    """Memory in MB, and CPU time in seconds, of the largest of our processes that draw pages."""
    facts = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            status = (folder / "status").read_text()
            parent, kb = (
                int(found[1]) if (found := re.search(rf"{key}:\s+(\d+)", status)) else 0 for key in ("PPid", "VmRSS")
            )
            facts[int(folder.name)] = parent, kb, b"--type=renderer" in (folder / "cmdline").read_bytes()

    def is_ours(pid: int) -> bool:
        return pid == os.getpid() or (pid in facts and is_ours(facts[pid][0]))

    kb, pid = max((kb, pid) for pid, (_, kb, draws) in facts.items() if draws and is_ours(pid))
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return kb / 1024, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def frame_ms(page: Page, grid: int, n: int) -> tuple[float, float]:
    """Median time of a frame by the clock, and its mean CPU time."""
    page.evaluate(FRAMES, [grid, 3])  # compiled by then
    _, before_s = renderer()
    took = page.evaluate(FRAMES, [grid, n])
    return float(np.median(took)), 1000 * (renderer()[1] - before_s) / n


def shown(page: Page, cells: Cells) -> CodeField:
    """The field of the cell that the page shows."""
    code = json.loads(page.evaluate(f"() => {STUDIO}.json"))
    variables = {name: np.array(code[name]) for name in ("scale", "protrusions", "bulges", "offset") if code.get(name)}
    return cells.field(np.array(code["code"]), variables=variables)


def agreement(page: Page, cells: Cells) -> tuple[float, float]:
    """Largest difference of distances, in half extents, and of vertices at 64³, in voxels."""
    field, rng = shown(page, cells), np.random.default_rng(0)
    points = rng.uniform(-1, 1, (POINTS, field.n_dims)).astype(np.float32)
    script = f"([p, n, t]) => [...{STUDIO}.field.frame({STUDIO}.cell, t).distances(Float32Array.from(p), n)]"
    far, apart = 0.0, 0.0
    for time in TIMES:
        found = np.array(page.evaluate(script, [points.T.ravel().tolist(), POINTS, time]))
        far = max(far, float(np.abs(found - field.at(time)(torch.tensor(points)).numpy()).max()))
        mesh = field.render(time, 64).mesh()
        if field.n_dims == 3 and mesh is not None:
            frame = f"{(time + 1) / 2} * ({STUDIO}.data.frames - 1)"
            places = page.evaluate(f"() => [...{STUDIO}.surface({STUDIO}.cell, {frame}, 64).points]")
            trees = cKDTree(np.reshape(places, (-1, 3)) + field.half_extent_um), cKDTree(mesh.vertices_xyz_um)
            pairs = ((trees[0], trees[1]), (trees[1], trees[0]))
            apart = max(apart, *(float(a.query(b.data)[0].max()) / field.half_extent_um * 32 for a, b in pairs))
    return far, apart


def measure(page: Page, cells: Cells, n_cells: int) -> dict[str, Any]:
    """All figures of an open page."""
    first_ms = page.wait_for_function(FIRST).json_value()
    far, apart = agreement(page, cells)
    took = {}
    for grid in dict.fromkeys((48, 64, 96, page.evaluate(f"() => {STUDIO}.data.grid"))):
        took[f"{grid} a side, ms"], took[f"{grid} a side, CPU ms"] = frame_ms(page, grid, REPEATS)
    if page.evaluate(f"() => Boolean({STUDIO}.field.kernel)"):
        page.evaluate(f"() => {{ window.kernel = {STUDIO}.field.kernel; {STUDIO}.field.kernel = null; }}")
        took["48 a side in plain JavaScript, ms"] = float(np.median(page.evaluate(FRAMES, [48, 5])))
        page.evaluate(f"() => {{ {STUDIO}.field.kernel = window.kernel; }}")
    before, after = page.evaluate(RANDOM, n_cells)
    memory = {"MB before": before, "MB after": after}
    return {"distances": far, "vertices": apart, "first picture s": first_ms / 1000, **took, **memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--minutes", type=int, default=0)
    arguments = parser.parse_args()
    cells = load(arguments.run)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "studio.html"
        write_studio(cells, path)
        print(f"page MB: {path.stat().st_size / 1e6:.2f}; {os.getloadavg()[0]:.0f} processes running")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(ARGUMENTS))
        page = browser.new_page(offline=True)
        page.set_default_timeout(600_000)  # a busy machine
        page.goto(path.as_uri())
        if arguments.minutes:
            endure(page, arguments.minutes)
        else:
            for name, value in measure(page, cells, arguments.cells).items():
                print(f"{name}: {value:.3g}")
        browser.close()


if __name__ == "__main__":
    main()
