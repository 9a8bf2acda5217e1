"""Every command that writes, with small inputs: the table over which the rule for outputs is tested."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pooch
from paired import write_pairs
from published import write_published_h5
from stores import ball
from tiny import SMALL

from cytoform.simulate import MitosisParameters, simulate

ADDRESS = "https://127.0.0.1:1/cells.bin"  # nobody answers there: the file is in the cache
TEXTURE = ("training.epochs=1", "training.decay_epochs=1", "training.crop_px=32", "generator.channels=4",
           "generator.blocks=1", "discriminator.channels=4")  # fmt: skip


@dataclass(frozen=True)
class Writer:
    """A command, its inputs as names in the folder of `write_inputs`, and its output."""

    words: str
    inputs: Sequence[str] = ()
    ending: str = ""
    # Changes to files while it replaces an older output, about.
    changes: int = 0
    # The words with which it goes on after an interruption; empty where it begins anew.
    resumes: str = ""
    settings: Sequence[str] = ()

    def call(self, out: Path | str, *more: str) -> list[str]:
        """The words of a call in the folder of inputs."""
        settings = [word for setting in self.settings for word in ("--set", setting)]
        return [*self.words.split(), *settings, "--out", str(out), "--quiet", *more]

    def again(self, out: Path | str) -> list[str]:
        """The words of the call after an interruption of one that replaces an older output."""
        words, more = (self.resumes, ["--resume"]) if self.resumes else (self.words, [])
        return [*words.split(), "--out", str(out), "--quiet", "--overwrite", *more]


BENCHMARK = (
    "benchmark balls.zarr --cells 2 --frames 2 --size 24 72 72 --voxel-size 0.5 0.5 0.5 --leave none --projection "
    "--texture optics.toml --workers 1"
)
PREPARE = "prepare movies --grid 16 --workers 1"
EXPORT = "export balls.zarr --to points --points 64"
TRAINERS = "export pairs --to"
PUBLISH = "publish run --title Cells --licence CC0-1.0 --data simulated --name cells"
RENDER = "--grid 16 --frames 2"
WRITERS = {
    "simulate": Writer("simulate mitosis --cells 1 --frames 2 --voxel-size 1 1 1 --workers 1", changes=44),
    "prepare": Writer(PREPARE, ["movies"], changes=199, resumes=PREPARE),
    "train": Writer(
        "train balls.zarr --preset quick --workers 1",
        ["balls.zarr"],
        changes=54,
        resumes="train balls.zarr --workers 1",
        settings=[*SMALL, "training.epochs=2", "sampling.pool_points=500"],
    ),
    "train in closed form": Writer("train balls.zarr --preset linear --workers 1", ["balls.zarr"], changes=42),
    "reconstruct": Writer(f"reconstruct run {RENDER}", ["run"], changes=343),
    "generate": Writer(f"generate run -n 1 --prior around {RENDER}", ["run"], changes=183),
    "interpolate": Writer(f"interpolate run --from a --to b --steps 2 {RENDER}", ["run"], changes=343),
    "fit": Writer(f"fit run balls.zarr --sequences a --steps 2 {RENDER}", ["run", "balls.zarr"], changes=183),
    "fill": Writer("fill balls.zarr --every-frame 2 --workers 1", ["balls.zarr"], changes=381),
    "fill of planes": Writer(
        "fill balls.zarr --every-frame 2 --every-plane 2 --workers 1", ["balls.zarr"], changes=649
    ),
    "latent": Writer(f"latent run --components 1 {RENDER}", ["run"], changes=60),
    "evaluate": Writer("evaluate balls.zarr others.zarr --workers 1", ["balls.zarr", "others.zarr"], changes=120),
    "export": Writer(EXPORT, ["balls.zarr"], changes=63, resumes=EXPORT),
    "export of a network": Writer("export run --to onnx", ["run"], ".onnx", 8),
    "export for stardist": Writer(f"{TRAINERS} stardist", ["pairs"], changes=41, resumes=f"{TRAINERS} stardist"),
    "export for cellpose": Writer(f"{TRAINERS} cellpose", ["pairs"], changes=31, resumes=f"{TRAINERS} cellpose"),
    "publish": Writer(PUBLISH, ["run"], changes=18),
    "publish as an archive": Writer(PUBLISH, ["run"], ".zip", 8),
    "view": Writer("view balls.zarr --against others.zarr --workers 1", ["balls.zarr", "others.zarr"], ".html", 8),
    "studio": Writer("studio run", ["run"], ".html", 8),
    "movie": Writer("movie balls.zarr --size 160 120 --workers 1", ["balls.zarr"], ".gif", 8),
    "movie as MP4": Writer("movie balls.zarr --size 160 120 --workers 1", ["balls.zarr"], ".mp4", 7),
    "movie as pictures": Writer("movie balls.zarr --size 160 120 --workers 1", ["balls.zarr"], changes=21),
    "protrusions": Writer("protrusions balls.zarr --radius 1 --workers 1", ["balls.zarr"], changes=901),
    "benchmark": Writer(BENCHMARK, ["balls.zarr", "optics.toml"], changes=608, resumes=BENCHMARK),
    "import": Writer("import cell.h5 --voxel-size 0.5 --workers 1", ["cell.h5"], changes=153),
    "fetch": Writer(f"fetch {ADDRESS} --cache cache", ["cache"], changes=19),
    "texture train": Writer(
        "texture train pairs", ["pairs"], changes=30, resumes="texture train pairs", settings=TEXTURE
    ),
    "texture calibrate": Writer("texture calibrate pairs --voxel-size 1 0.5 0.5", ["pairs"], ".toml", 7),
    "texture render": Writer(
        "texture render optics.toml pairs --voxel-size 1 0.5 0.5 --workers 1", ["optics.toml", "pairs"], changes=62
    ),
    "texture evaluate": Writer("texture evaluate pairs like --segmenter none", ["pairs", "like"], changes=60),
}


def noisy_discs(seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Four images of eight discs of two brightnesses, with the noise of photons, and their labels."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((100, 160))
    labels = np.zeros((100, 160), np.uint16)
    for number in range(8):
        row, column = divmod(number, 4)
        labels[np.hypot(y - 30 - 40 * row, x - 25 - 37 * column) < 8] = number + 1
    light = np.where(labels > 0, 300 + 40 * labels, 200)
    return [rng.poisson(light).astype(np.uint16) for _ in range(4)], [labels] * 4


def write_inputs(folder: Path, run: Path, balls: Path) -> Path:
    """Small inputs of all commands: a run and the store that it has learned are given."""
    shutil.copytree(run, folder / "run")
    for name in ("balls.zarr", "others.zarr"):
        shutil.copytree(balls, folder / name)
    simulate(
        MitosisParameters(),
        folder / "movies",
        n_cells=1,
        n_frames=2,
        seed=0,
        spacing_zyx_um=(1.0, 1.0, 1.0),
        time_step_s=60.0,
    )
    for name, seed in (("pairs", 0), ("like", 1)):
        write_pairs(folder / name, *noisy_discs(seed))
    (folder / "optics.toml").write_text("[microscope]\nkind = 'widefield'\n")
    write_published_h5(folder / "cell.h5", [ball(3.0), ball(3.5)])
    cached = folder / "cache" / pooch.utils.unique_file_name(ADDRESS)
    cached.parent.mkdir()
    cached.write_bytes(b"cells")
    cached.with_name(f"{cached.name}.sha256").write_text(f"{hashlib.sha256(b'cells').hexdigest()}  {cached.name}\n")
    return folder
