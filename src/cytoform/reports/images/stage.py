"""Generated images against real ones: measures, what a segmenter learns from them, and one page of it all.

OUT/report.html      images side by side, figures, curves, and a verdict
    results.json     every figure with its interval, and of each frame
    figures/         the figures of the page, PNG and SVG
    tables/          CSV
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cytoform.assess.images.frames import ImageFrame
from cytoform.assess.images.usefulness import Usefulness, UsefulnessComparison
from cytoform.assess.segmenter.segmentation_scores import SegmentationScores
from cytoform.assess.segmenter.segmenter import SEGMENTERS, TRAINING_STEPS, score
from cytoform.base.files import write_json
from cytoform.base.kinds import paths_of
from cytoform.base.output import Output
from cytoform.base.parallel import Advance, Progress, no_progress
from cytoform.base.provenance import software_versions
from cytoform.errors import InputError
from cytoform.movies.pairs.pairs import Pairs, PlaneMode, open_pairs
from cytoform.reports.images.data import REAL, measure_images
from cytoform.reports.images.write import write_image_report

SegmenterName = Literal["unet", "otsu", "none"]


@dataclass(frozen=True)
class Source:
    """Pairs of image and mask in a file or folder, and the first and last frame to take; None: all."""

    path: Path
    frames: tuple[int, int] | None = None

    def open(self, planes: PlaneMode) -> Pairs:
        """The pairs. Raises InputError without any of these frames."""
        pairs = open_pairs([self.path], planes=planes)
        if self.frames is None:
            return pairs
        chosen = pairs.frames(*self.frames)
        if not len(chosen):
            there = sorted({place.frame for place in pairs.places})
            first, last = self.frames
            raise InputError(f"{self.path}: no frame from {first} to {last}; it has {there[0]} to {there[-1]}")
        return chosen


@dataclass(frozen=True)
class TrainingBudget:
    """Which segmenter learns from the pairs, for how long and where."""

    segmenter: SegmenterName = "unet"
    steps: int = TRAINING_STEPS
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"


def write_texture_report(
    real: Source,
    generated: dict[str, Source],
    out: Path,
    *,
    training: Source | None = None,
    planes: PlaneMode = "projection",
    budget: TrainingBudget = TrainingBudget(),
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> None:
    """Judge generated pairs, by label, against real ones that no model has seen, and write OUT.

    With real pairs for `training` a segmenter learns from these and from each generated set, and is tested on the real
    ones; they also show how alike real images are. Raises InputError for what cannot be compared.
    """
    read = [real, *generated.values(), *([] if training is None else [training])]
    inputs = [path for source in read for path in paths_of(source.path)]
    output = Output.at(out, inputs=inputs, overwrite=overwrite)
    output.check()
    _check_names(generated)
    if training is not None:
        _check_apart(real, training)
    own, sets = real.open(planes), {label: source.open(planes) for label, source in generated.items()}
    learned = None if training is None else training.open(planes)
    with progress("measuring images", 2 + len(sets)) as advance:
        report = measure_images(
            frames_of(own),
            {label: frames_of(pairs) for label, pairs in sets.items()},
            training=None if learned is None else frames_of(learned),
            title=f"{' and '.join(generated)} against real images",
            provenance=_provenance({REAL: real, "training": training, **generated}, budget, seed),
            seed=seed,
            done=advance,
        )
    if learned is not None and budget.segmenter != "none":
        n_sets = 1 + len(sets)
        with progress("training segmenters", n_sets * budget.steps) as advance:
            usefulness = teach({REAL: learned, **sets}, own, budget, seed=seed, advance=advance)
        report = report.with_usefulness(usefulness)
    with output.staged() as folder:
        write_image_report(folder, report)
        write_json(folder / "provenance.json", report.provenance)


def frames_of(pairs: Pairs) -> list[ImageFrame]:
    """Pairs as they are measured: every plane of 3D is a movie of its own."""
    return [
        ImageFrame(
            plane.image_yx,
            plane.labels_yx,
            plane.movie if plane.z is None else f"{plane.movie}, plane {plane.z}",
            plane.frame,
        )
        for plane in pairs
    ]


def teach(
    sets: dict[str, Pairs], test: Pairs, budget: TrainingBudget, *, seed: int, advance: Advance | Any = lambda: None
) -> UsefulnessComparison:
    """What the segmenter learns from each set of pairs, the first being real, as scores on the same real test pairs."""
    from cytoform.training.device import torch_device

    train, device = SEGMENTERS[budget.segmenter], torch_device(budget.device)
    usefulness = []
    for label, pairs in sets.items():
        segmenter = train(pairs, steps=budget.steps, seed=seed, device=device, done=advance)
        usefulness.append(_usefulness(label, score(segmenter, test)))
    return UsefulnessComparison.of(budget.segmenter, usefulness, frames_of(test), np.random.default_rng(seed))


def _usefulness(label: str, scores: SegmentationScores) -> Usefulness:
    frames = scores.frames
    return Usefulness(
        label=label,
        jaccard_sum=np.array([frame.objects.sum() for frame in frames], float),
        n_cells=np.array([len(frame.objects) for frame in frames], float),
        foreground=np.array([frame.foreground for frame in frames], float),
        matched=np.array([frame.matched for frame in frames], float),
        n_found=np.array([frame.found for frame in frames], float),
    )


def _check_names(generated: dict[str, Source]) -> None:
    for label in generated:
        if label.startswith(REAL):
            raise InputError(f"{label!r} is what the report calls real images; pass other --names")


def _check_apart(real: Source, training: Source) -> None:
    """Raise InputError if frames to compare with are trained on."""
    if real.path.resolve() != training.path.resolve():
        return
    if real.frames is None or training.frames is None:
        raise InputError(
            f"{real.path} is trained on and tested on; pass --frames and --train-frames that have no frame in common"
        )
    if real.frames[0] <= training.frames[1] and training.frames[0] <= real.frames[1]:
        common = max(real.frames[0], training.frames[0])
        raise InputError(f"frame {common} of {real.path} is trained on and tested on; choose others by --train-frames")


def _provenance(sources: dict[str, Source | None], budget: TrainingBudget, seed: int) -> dict[str, Any]:
    told = {
        label: {"name": source.path.name, "frames": "all" if source.frames is None else list(source.frames)}
        for label, source in sources.items()
        if source is not None
    }
    return {
        "command": "cytoform texture evaluate",
        "seed": seed,
        "sources": told,
        "segmenter": {"name": budget.segmenter, "steps": budget.steps},
        "versions": software_versions(),
    }
