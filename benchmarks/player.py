"""Size of encoded meshes, and time until Chromium has opened a page with many 3D players.

    python benchmarks/player.py STORE.zarr [--sequences 33] [--made 33]

Each player shows a sequence, the sequence shifted by one frame (instead of a reconstruction, with signed errors), and the
reversed sequence (instead of a generated cell). `--made` of them are encoded, and repeated up to `--sequences`.
"""

import argparse
import os
import shutil
import tempfile
import time
import zlib
from pathlib import Path

from playwright.sync_api import sync_playwright

from cytoform.assess.measures.signed_error import signed_errors_um
from cytoform.pictures.decimation import decimated
from cytoform.pictures.figures import COLOURS
from cytoform.pictures.player.coding import Lattice, encode_frames
from cytoform.pictures.player.element import MOST_FACES, PlayerActor, PlayerScene, player, player_head
from cytoform.shapes.mesh import Mesh
from cytoform.shapes.store import ShapeSequence, ShapeStore

ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
DRAW_ALL = """() => {
  const player = document.querySelector("cell-player"), began = performance.now();
  for (let frame = 0; frame < player.scene.frames; frame++) { player.time = frame; player.draw(); }
  return (performance.now() - began) / player.scene.frames;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--sequences", type=int, default=33)
    parser.add_argument("--made", type=int, default=33)
    options = parser.parse_args()
    store = ShapeStore.open(options.store)
    names = store.names[: options.made]
    weigh(store[names[0]])
    began = time.process_time()
    scenes = [scene_of(store[name]) for name in names]
    made = [player(scene, id=f"p{number}") for number, scene in enumerate(scenes)]
    print(f"written in {(time.process_time() - began) / len(names):.1f} s of a core a sequence")
    print(f"{max(each.most_faces for each in made)} faces, {max(each.stride for each in made)} frames a step")
    elements = [made[number % len(made)].html for number in range(options.sequences)]
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Players</title>{player_head()}{"".join(elements)}'
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(page, "utf-8")
        print(f"{path.stat().st_size / 1e6:.1f} MB, {os.getloadavg()[0]:.0f} processes running")
        visit(path)


def weigh(sequence: ShapeSequence) -> None:
    """Print the size of compressed meshes by number of faces, with and without errors."""
    fine = [mesh for mesh in sequence.meshes() if mesh is not None]
    for n_faces in (500, 1200, 3000):
        meshes = [decimated(mesh, n_faces) for mesh in fine]
        errors_um = [signed_errors_um(mesh, other) for mesh, other in zip(meshes, fine[1:] + fine[:1], strict=True)]
        lattice = Lattice(0.0, sequence.grid.half_extent_um / 2048, 0.5)
        without, with_errors = (
            len(zlib.compress(encode_frames(meshes, errors, lattice), 9)) / len(meshes) for errors in (None, errors_um)
        )
        print(f"{n_faces} faces: {without / 1000:.1f} kB a mesh, with errors {with_errors / 1000:.1f}")


def scene_of(sequence: ShapeSequence) -> PlayerScene:
    meshes: list[Mesh] = [decimated(mesh, MOST_FACES) for mesh in sequence.meshes() if mesh is not None]
    ahead = meshes[1:] + meshes[:1]
    errors_um = tuple(signed_errors_um(mesh, other) for mesh, other in zip(ahead, meshes, strict=True))
    actors = (
        PlayerActor("Original", COLOURS[0], tuple(meshes)),
        PlayerActor("Ahead", COLOURS[1], tuple(ahead), errors_um),
        PlayerActor("Backwards", COLOURS[2], tuple(meshes[::-1])),
    )
    return PlayerScene(sequence.info.name, actors, sequence.grid.half_extent_um, sequence.info.time_step_s)


def visit(path: Path) -> None:
    """Print the loading times in the browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for _ in range(3):
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            began = time.perf_counter()
            tab.goto(path.as_uri())
            loaded = time.perf_counter() - began
            tab.wait_for_function("() => document.querySelector('cell-player').models[0].size")
            drawn = time.perf_counter() - began
            tab.wait_for_function(
                "() => [...document.querySelectorAll('cell-player')].every(each => each.loaded)", timeout=120_000
            )
            inflated = time.perf_counter() - began
            first, again = tab.evaluate(DRAW_ALL), tab.evaluate(DRAW_ALL)
            print(
                f"loaded after {loaded:.1f} s, first cells drawn after {drawn:.1f} s, all inflated after {inflated:.1f} s; "
                f"a frame takes {first:.0f} ms the first time, {again:.0f} ms then"
            )
            tab.close()
        browser.close()


if __name__ == "__main__":
    main()
