"""Do synthetic volumes help a 3D segmenter? Nuclei of a mouse embryo, with images of known optics.

python experiments/usefulness_volumes.py

The masks of the embryo are real; its images are not at hand, so all sides have images of the same simulated optics: the table
says what more nuclei of other shapes add, and nothing on images. Real: nuclei 1 to 4, in all volumes or in one, and a random
two of them in one. Synthetic: a scene of `cytoform benchmark` from a packaged model. The control has as many volumes, as full,
of the real shapes alone, mirrored and set down at random. All have equally many steps. Tested on nuclei 5 to 8, in every third
volume. Existing scores are kept in --out.
"""

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Integer

from cytoform.assess.segmenter.examples import GAINS, NOISE, OFFSETS, normalised
from cytoform.assess.segmenter.objects import labels_from, relative_depth
from cytoform.assess.segmenter.segmentation_scores import SegmentationScores, score_frame
from cytoform.base.files import write_json
from cytoform.base.gate import Record, read_json
from cytoform.base.parallel import run_all
from cytoform.commands.common import Common, WorkerOptions
from cytoform.errors import InputError
from cytoform.imaging.texture import OPTICS, open_texture
from cytoform.movies.readers import open_movies
from cytoform.scenes.request import SceneRequest
from cytoform.scenes.stage import benchmark
from cytoform.zoo.find import find_run
from experiment import ROOT, Places, Seeds, run_script
from tables import Row, difference, share_std
from usefulness_arms import read_masks, scene_sha256, set_down, whole_cells
from usefulness_gain import gain, summary

if TYPE_CHECKING:
    import torch

OUT = ROOT / "out" / "experiments" / "usefulness_volumes"
COLUMNS = ("real volumes", "real nuclei in each", "learned from", "SEG", "F1", "SEG beyond real alone")
# Every fourth pixel of the embryo along y and x is used.
VOXEL_UM, STEP = (2.0, 0.208, 0.208), 4
SPACING_UM = (VOXEL_UM[0], VOXEL_UM[1] * STEP, VOXEL_UM[2] * STEP)
LEARNED, TESTED, EVERY = (1, 2, 3, 4), (5, 6, 7, 8), 3
N_VOLUMES = 15
AMOUNTS = ((1, 2), (1, 4), (N_VOLUMES, 4))  # real volumes, and nuclei in each
REAL, CONTROL, BOTH, SYNTHETIC = "real", "real + the same set down again", "real + synthetic", "synthetic"
ARMS = (REAL, CONTROL, BOTH)
N_SYNTHETIC, SIZE_ZYX = 6, (40, 100, 100)
CROWD = 14  # nuclei in a volume of the control at most
STEPS, BATCH, CROP, CHANNELS, STRIDES = 300, 4, (16, 48, 48), (8, 16, 32), ((1, 2, 2), (2, 2, 2))
LEARNING_RATE, SEED_DEPTH, LEAST_SHARE = 3e-3, 0.5, 0.2
SCENE = SceneRequest(
    sources=(find_run("zoo:mitosis"),),
    cells=10,
    frames=N_SYNTHETIC,
    size_zyx=SIZE_ZYX,
    voxel_size_zyx_um=SPACING_UM,
    time_step_s=600.0,
    cell_size_spread=0.15,
    contact=0.1,
    texture="none",
    ome_zarr=False,
    geff=False,
    seed=3,
)

Volume = tuple[Float[np.ndarray, "z y x"], Integer[np.ndarray, "z y x"]]  # image and labels


@dataclass(frozen=True)
class Job:
    """One training."""

    volumes: int
    nuclei: int
    arm: str
    seed: int
    steps: int
    shared: Path
    out: Path

    @property
    def record(self) -> Path:
        """File with the scores."""
        return self.out / f"{self.volumes}-of-{self.nuclei}" / f"seed-{self.seed}" / f"{self.arm}.json"


class Scored(Record):
    """Scores of one training, its number of steps, and the checksum of the scene's masks."""

    SEG: float
    F1: float
    steps: int
    scene: str  # empty where none is used


def embryo(shared: Path, frame: int, nuclei: Sequence[int]) -> Integer[np.ndarray, "z y x"]:
    """Some nuclei of a volume, in the box that holds them with a margin."""
    movie = open_movies(shared / "blastospim_nuclei", voxel_size_zyx_um=VOXEL_UM)[0]
    labels = movie.read(frame)[:, ::STEP, ::STEP]
    labels = np.where(np.isin(labels, nuclei), labels, 0)
    box = tuple(
        slice(max(0, low - margin), high + margin + 1)
        for (low, high), margin in zip(((a.min(), a.max()) for a in np.nonzero(labels)), (4, 10, 10), strict=True)
    )
    return labels[box].astype(np.int32)


def imaged(labels: Integer[np.ndarray, "z y x"], seed: int) -> Volume:
    """Labels with an image of the optics."""
    image = open_texture(OPTICS).render(labels.astype(np.uint16), spacing_zyx_um=SPACING_UM, frame=0, seed=seed)
    return normalised(image), labels


def scene_volumes(scene: Path) -> list[Volume]:
    """The masks of a scene, with images of the same optics."""
    return [imaged(labels.astype(np.int32), 1000 + n) for n, labels in enumerate(read_masks(scene))]


def crop(volume: Volume, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A random box of a volume, mirrored and turned at random: image and targets (foreground, depth)."""
    image, labels = (np.pad(a, [(0, max(0, side - n)) for n, side in zip(a.shape, CROP, strict=True)]) for a in volume)
    middle = [int(rng.integers(n)) for n in labels.shape]
    if rng.integers(2):
        inside = np.argwhere(labels)
        middle = inside[rng.integers(len(inside))].tolist()
    starts = [int(np.clip(m - side // 2, 0, n - side)) for m, side, n in zip(middle, CROP, labels.shape, strict=True)]
    window = tuple(slice(start, start + side) for start, side in zip(starts, CROP, strict=True))
    flips = tuple(slice(None, None, -1 if rng.integers(2) else 1) for _ in range(3))
    image, labels = image[window][flips], np.ascontiguousarray(labels[window][flips])
    if rng.integers(2):
        image, labels = image.transpose(0, 2, 1), np.ascontiguousarray(labels.transpose(0, 2, 1))
    image = image * rng.uniform(*GAINS) + rng.uniform(*OFFSETS) + NOISE * rng.standard_normal(image.shape)
    return image, np.stack([labels > 0, relative_depth(labels, SPACING_UM)])


def trained(real: Sequence[Volume], synthetic: Sequence[Volume], steps: int, seed: int) -> "torch.nn.Module":
    """A small U-Net in 3D; with both sides half of the boxes come from each."""
    import torch
    from monai.networks.nets.unet import UNet

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = UNet(3, 1, 2, channels=CHANNELS, strides=STRIDES, norm="batch").train()
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=max(steps, 1))
    for _ in range(steps):
        sides = [side for side in (real, synthetic) if side]
        drawn = [sides[rng.integers(len(sides))] for _ in range(BATCH)]
        pairs = [crop(side[rng.integers(len(side))], rng) for side in drawn]
        images, targets = (torch.from_numpy(np.stack(each).astype(np.float32)) for each in zip(*pairs, strict=True))
        maps = network(images[:, None])
        inside = torch.nn.functional.binary_cross_entropy_with_logits(maps[:, 0], targets[:, 0])
        loss = inside + 4 * torch.nn.functional.mse_loss(torch.sigmoid(maps[:, 1]), targets[:, 1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def segmented(network: "torch.nn.Module", image: Float[np.ndarray, "z y x"], least: float) -> np.ndarray:
    """Instance labels of a volume."""
    import torch

    side = np.prod(STRIDES, axis=0)
    padded = np.pad(image, [(0, int(-n % step)) for n, step in zip(image.shape, side, strict=True)], mode="edge")
    with torch.inference_mode():
        maps = torch.sigmoid(network(torch.from_numpy(padded.astype(np.float32))[None, None]))[0].numpy()
    inside, depth = (each[tuple(slice(n) for n in image.shape)] for each in maps)
    return labels_from(inside > 0.5, depth, seeds=depth > SEED_DEPTH, least_area_px=least)


def run_job(job: Job) -> Scored:
    """Train and score, or read existing scores. Raises InputError if they were made with other steps or another scene."""
    settings = {"steps": job.steps, "scene": "" if job.arm == REAL else scene_sha256(job.out / "scene")}
    if not job.record.exists():
        import torch

        torch.set_num_threads(1)
        network = trained(*sides(job), job.steps, job.seed)
        tests = [imaged(embryo(job.shared, frame, TESTED), 500 + frame) for frame in range(0, N_VOLUMES, EVERY)]
        least = LEAST_SHARE * np.count_nonzero(embryo(job.shared, 0, LEARNED)) / len(LEARNED)
        scores = SegmentationScores.of(score_frame(labels, segmented(network, image, least)) for image, labels in tests)
        job.record.parent.mkdir(parents=True, exist_ok=True)
        write_json(job.record, {"SEG": scores.seg, "F1": scores.f1, **settings})
    found = read_json(job.record, Scored, remedy="remove it")
    if {"steps": found.steps, "scene": found.scene} != settings:
        raise InputError(f"{job.record}: made with other settings or another scene; give another --out, or remove it")
    return found


def sides(job: Job) -> tuple[list[Volume], list[Volume]]:
    """The real volumes that a training learns from, and the others."""
    if job.arm == SYNTHETIC:
        return [], scene_volumes(job.out / "scene")
    rng = np.random.default_rng([job.seed, job.volumes * job.nuclei])
    nuclei = sorted(rng.permutation(LEARNED)[: job.nuclei].tolist())
    frames = range(N_VOLUMES) if job.volumes > 1 else [int(rng.integers(N_VOLUMES))]
    known = [embryo(job.shared, frame, nuclei) for frame in frames]
    real = [imaged(labels, job.seed + 100 * n) for n, labels in enumerate(known)]
    if job.arm == CONTROL:
        nuclei_of = [whole_cells(labels) for labels in known]
        again = [set_down(nuclei_of[int(rng.integers(len(known)))], SIZE_ZYX, CROWD, rng) for _ in range(N_SYNTHETIC)]
        return real, [imaged(labels, 1000 + n) for n, labels in enumerate(again)]
    return real, scene_volumes(job.out / "scene") if job.arm == BOTH else []


def rows(scored: Mapping[Job, Scored]) -> list[Row]:
    """Rows with mean and standard deviation over seeds, and the gain with its interval."""
    found = []
    for volumes, nuclei, arm in dict.fromkeys((job.volumes, job.nuclei, job.arm) for job in scored):
        scores = [
            {job.arm: each.model_dump() for job, each in scored.items() if (job.volumes, job.nuclei, job.seed) == key}
            for key in dict.fromkeys((volumes, nuclei, job.seed) for job in scored)
        ]
        beyond = "" if arm in (REAL, SYNTHETIC) else difference(gain(scores, "SEG", arm))
        values = (share_std(summary(scores, arm, metric)) for metric in ("SEG", "F1"))
        found.append((str(volumes), str(nuclei), arm, *values, beyond))
    return found


def command(
    *,
    seeds: Seeds = 4,
    steps: int = STEPS,
    out: Path = OUT,
    places: Places = Places(),  # noqa: B008 (frozen)
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Train and score all arms, and update the table in the docs.

    Parameters
    ----------
    steps
        Steps of each training, of four boxes.
    out
        Working folder.
    """
    if common.overwrite:
        shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "scene").exists():
        labels = embryo(places.shared, 0, LEARNED)
        size_um3 = float(np.count_nonzero(labels) / len(LEARNED) * np.prod(SPACING_UM))
        benchmark(replace(SCENE, cell_size=size_um3), out / "scene")
    learned = [(0, 0, SYNTHETIC), *((*amount, arm) for amount in AMOUNTS for arm in ARMS)]
    drawn = range(common.seed, common.seed + seeds)
    jobs = [Job(*each, seed, steps, places.shared, out) for each in learned for seed in drawn]
    with workers.ready() as n_workers, common.progress("training", len(jobs)) as advance:
        found = run_all(run_job, [(job,) for job in jobs], workers=n_workers, done=advance)
    table = rows(dict(zip(jobs, found, strict=True)))
    for row in table:
        common.say(" | ".join(row))
    places.update("usefulness_volumes", COLUMNS, table)
    common.done(out)


def main(arguments: Sequence[str]) -> int:
    """Run the experiment from the command line; returns the exit status."""
    return run_script("usefulness_volumes", command, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
