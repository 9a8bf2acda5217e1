"""Small good files, each made by a command."""

import shlex
import shutil
from pathlib import Path

import h5py
import numpy as np
from process import run_forked

from cytoform.movies.ctc import CtcWriter
from cytoform.movies.lineage import Lineage, Track

SMALL_RUN = (
    "--set training.epochs=2 --set training.checkpoint_epochs=1 --set sampling.pool_points=500 --set model.width=16 "
    "--set model.depth=3 --set model.code_dim=4 --set model.code_layers=[1,2] --set model.omega=6.0"
)
SMALL_TEXTURE = (
    "--set training.epochs=1 --set training.decay_epochs=1 --set training.crop_px=32 --set generator.channels=4 "
    "--set generator.blocks=1 --set discriminator.channels=4"
)
SCENE = "--cells 2 --frames 2 --size 12 48 48 --voxel-size 1 1 1 --leave none --workers 1"
COMMANDS = {
    "movies": "simulate mitosis --out movies --cells 2 --frames 3 --voxel-size 1 1 1 --no-report",
    "shapes.zarr": "prepare movies --out shapes.zarr --grid 16 --workers 1",
    "run": f"train shapes.zarr --out run --preset quick {SMALL_RUN} --workers 1",
    "linear": "train shapes.zarr --out linear --preset linear --workers 1",
    "made.zarr": "reconstruct run --out made.zarr --grid 16 --frames 2",
    "optics.toml": "texture calibrate discs --voxel-size 1 0.5 0.5 --out optics.toml",
    "scene": f"benchmark shapes.zarr --out scene {SCENE} --texture optics.toml --projection",
    "texture": f"texture train discs --out texture {SMALL_TEXTURE}",
    "report": "evaluate shapes.zarr made.zarr --out report --workers 1",
    "latent": "latent run --components 1 --grid 16 --frames 2 --out latent",
    "view.html": "view shapes.zarr --out view.html --workers 1",
    "masks": "export shapes.zarr --to masks --out masks",
}


def make_fixtures(folder: Path) -> None:
    """Make the small good files that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "discs").exists():
        _write_discs(folder / "discs")
        _write_published(folder / "cell.h5")
    for name, command in COMMANDS.items():
        if not (folder / name).exists() and (status := run_forked([*shlex.split(command), "--quiet"], folder)):
            raise SystemExit(f"{name}: cytoform {command}: exit status {status}")
    if not (folder / "stopped").exists():
        shutil.copytree(folder / "run", folder / "stopped")
        for name in ("model.safetensors", "choice.json", "priors.safetensors"):
            (folder / "stopped" / name).unlink()


def _write_discs(folder: Path) -> None:
    """Images of eight noisy discs in four frames, with their masks."""
    rng = np.random.default_rng(0)
    y, x = np.indices((100, 160))
    labels = np.zeros((1, 100, 160), np.uint16)
    for number in range(8):
        row, column = divmod(number, 4)
        labels[0, np.hypot(y - 30 - 40 * row, x - 25 - 37 * column) < 8] = number + 1
    writer = CtcWriter(folder, 4, (1.0, 0.5, 0.5), None)
    for frame in range(4):
        writer.write(frame, labels, rng.poisson(np.where(labels > 0, 300 + 40 * labels, 200)).astype(np.uint16))
    writer.finish(Lineage(tuple(Track(label, 0, 3, parent=0) for label in range(1, 9))))


def _write_published(path: Path) -> None:
    """Distances to a ball in two frames, as the published code writes them, in voxels over 32."""
    z, y, x = np.indices((16, 16, 16)) - 7.5
    ball = (np.sqrt(z**2 + y**2 + x**2) - 5) / 32
    with h5py.File(path, "w") as file:
        file["sdf_vid"] = np.stack([ball, ball + 0.02], axis=-1).astype(np.float32)
