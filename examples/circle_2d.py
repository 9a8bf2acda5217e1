"""From a 2D movie to a data set like it: shapes, new cells, images by a texture learned from the same frames, two reports.

python circle_2d.py FOLDER --out circle --pixel-um 0.19 --time-step 600

FOLDER is a Cell Tracking Challenge data set with images, masks and tracks, such as DIC-C2DH-HeLa. Without it, a small one is
simulated, and everything is learned for seconds only. Each step is the command of that name.
"""

import argparse
import sys
from pathlib import Path

from cytoform import cli

ALONE = ("--workers", 1)  # starting processes would take longer than the work


def cytoform(*words: object) -> None:
    """Run a command, and end with its exit status where it fails."""
    print("cytoform", *words, flush=True)
    if status := cli.run([*map(str, words), "--quiet"]):
        sys.exit(status)


def simulated(folder: Path, scale: list[object]) -> Path:
    """Dividing cells and their images, in place of a movie from a microscope."""
    cytoform("simulate", "mitosis", "--dims", 2, "--out", folder / "truth", "--cells", 3, "--frames", 4, *scale, *ALONE)
    cytoform("prepare", folder / "truth", "--out", folder / "truth.zarr", "--grid", 48, *ALONE)
    room = ["--cells", 3, "--frames", 4, "--size", 1, 96, 96, "--leave", "none", "--voxel-size", *scale[1:4]]
    cytoform("benchmark", folder / "truth.zarr", *room, "--out", folder / "movie", *ALONE)
    return folder / "movie"


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, default=Path("circle"))
    parser.add_argument("--pixel-um", type=float, default=0.15)
    parser.add_argument("--time-step", type=float, default=60, help="seconds between frames")
    parser.add_argument("--min-frames", type=int, default=1, help="that the border does not cut, of a learned cell")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--cells", type=int, default=20, help="new cells that are compared with learned ones")
    parser.add_argument("--contact", type=float, default=0.1, help="how far cells are pressed together")
    parser.add_argument(
        "--epochs", type=int, default=35, help="of the texture, and as many with a falling learning rate"
    )
    parser.add_argument(
        "--crop", type=int, default=256, help="pixels along a side of what the texture learns from at once"
    )
    return parser.parse_args()


def main(given: argparse.Namespace) -> None:
    """Go round the circle."""
    out = given.out
    out.mkdir(parents=True)
    pixel = ["--voxel-size", 1, given.pixel_um, given.pixel_um]
    scale = [*pixel, "--time-step", given.time_step]
    movie, workers, cube = given.folder, ("--workers", given.workers), ()
    # The network sees far enough for whole cells of a hundred pixels.
    network = {"generator.downsamplings": 3, "discriminator.scales": 3}
    if movie is None:
        workers, cube, network = ALONE, ("--grid", 48, "--half-extent", 7), {}
        movie, given.cells, given.epochs, given.crop = simulated(out, scale), 3, 1, 64

    # Shapes, and new ones of their kind.
    whole = ["--border", "trim", "--gaps", "trim", "--min-frames", given.min_frames]
    cytoform("prepare", movie, "--out", out / "shapes.zarr", *scale, *whole, *cube, *workers)
    cytoform("train", out / "shapes.zarr", "--out", out / "run", "--preset", "linear", *workers)
    cytoform("generate", out / "run", "--out", out / "new.zarr", "-n", given.cells)
    cytoform("evaluate", out / "shapes.zarr", out / "new.zarr", "--out", out / "report-shapes", *workers)

    # The texture of the same frames, and a data set of other new cells in it: as many, as dense and as fast as in the movie.
    schedule = {"epochs": given.epochs, "decay_epochs": given.epochs, "crop_px": given.crop, "crops_per_image": 1}
    network |= {f"training.{name}": value for name, value in schedule.items()}
    settings = [word for name, value in network.items() for word in ("--set", f"{name}={value}")]
    cytoform("texture", "train", movie, "--out", out / "texture", *pixel, *settings)
    alike = ["--like", movie, "--contact", given.contact, *scale]
    cytoform("benchmark", out / "run", "--texture", out / "texture", *alike, "--out", out / "data-set", *workers)
    cytoform("texture", "evaluate", movie, out / "data-set", "--out", out / "report-images", "--segmenter", "otsu")
    print(f"data set {out / 'data-set'}, reports {out / 'report-shapes'} and {out / 'report-images'}")


# Processes that help with the work import this file.
if __name__ == "__main__":
    main(options())
