"""Training and test data of the usefulness experiment: real movies, and real shapes in images of known optics."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from cytoform.base.files import write_json
from cytoform.base.output import Output
from cytoform.errors import InputError
from cytoform.imaging.texture import OPTICS, open_texture
from cytoform.movies.ctc import CtcWriter, write_image
from cytoform.movies.lineage import Lineage, Track, read_lineage
from cytoform.movies.pairs.pair_sources import find_pairs
from cytoform.movies.pairs.pairs import MaskedImage, project_labels
from cytoform.movies.readers import open_movies

Triple = tuple[float, float, float]
Name = Literal["nuclei", "dic", "embryo"]
NAMES: tuple[Name, ...] = ("nuclei", "dic", "embryo")
# Embryo: the first nuclei are for training, the others for tests. Every second voxel along y and x is used.
EMBRYO_VOXEL_UM, EMBRYO_STEP, EMBRYO_LEARNED = (2.0, 0.208, 0.208), 2, 4


@dataclass(frozen=True)
class RealSet:
    """A 2D movie of images and masks; `training` and `test` are first and last frame numbers of the files."""

    name: str
    source: Path
    training: tuple[int, int]
    test: tuple[int, int]
    spacing_zyx_um: Triple
    # Known optics, instead of a texture estimated from the share of real images.
    texture: str | None = None
    # Preset of the optics with the objective, which images do not determine.
    objective: str | None = None
    # The images are projections of volumes with this voxel size, not thin planes.
    volume: bool = False
    # Smallest share of real data: a part of a frame with a handful of cells.
    handful: Fraction = Fraction(1)

    @property
    def lineage(self) -> Lineage | None:
        """Tracks, if known."""
        path = self.source / "01_GT" / "TRA" / "man_track.txt"
        return read_lineage(path) if path.exists() else None

    def planes(self, frames: Sequence[int]) -> list[MaskedImage]:
        """Read images and masks of frames. Raises InputError for missing frames."""
        return read_planes(self.source, frames)

    def marker(self, frame: int) -> Path:
        """File with the tracking truth of a frame."""
        return self.source / "01_GT" / "TRA" / f"man_track{frame:03d}.tif"

    @property
    def size_yx(self) -> tuple[int, int]:
        """Height and width of a frame in pixels."""
        y, x = self.planes(self.test_frames[:1])[0].labels_yx.shape
        return y, x

    @property
    def training_frames(self) -> range:
        """Numbers of the frames that may be used for training."""
        return range(self.training[0], self.training[1] + 1)

    @property
    def test_frames(self) -> range:
        """Numbers of the test frames, which are never used for training."""
        return range(self.test[0], self.test[1] + 1)


def read_planes(source: Path, frames: Sequence[int] | None = None) -> list[MaskedImage]:
    """Image and mask of all or the given frames of the 2D movies in a Cell Tracking Challenge folder."""
    found = []
    for movie in find_pairs(source):
        if missing := sorted(set(frames or ()) - set(movie.images.frames)):
            raise InputError(f"{source}: no frame {missing[0]} in {movie.name}; give the data set as --shared has it")
        for frame in movie.images.frames if frames is None else frames:
            image, labels = movie.read(frame)
            found.append(MaskedImage(image[0], labels[0], movie.name, frame, None))
    return found


def part_of(plane: MaskedImage, part: Fraction, rng: np.random.Generator) -> MaskedImage:
    """A part of a plane with the same aspect ratio, around a random cell."""
    labels = plane.labels_yx
    sides = [max(1, round(n * float(part) ** 0.5)) for n in labels.shape]
    cell = rng.choice(np.unique(labels[labels > 0]))
    middles = np.argwhere(labels == cell).mean(axis=0)
    window = tuple(
        slice(start, start + side)
        for middle, side, n in zip(middles, sides, labels.shape, strict=True)
        for start in [int(np.clip(round(middle - side / 2), 0, n - side))]
    )
    return replace(plane, image_yx=plane.image_yx[window], labels_yx=labels[window])


def open_set(name: Name, shared: Path, folder: Path) -> RealSet:
    """Open a real set in the folder of shared data; the embryo is rendered into `folder` unless it exists."""
    return SETS[name](shared, folder)


def _nuclei(shared: Path, folder: Path) -> RealSet:
    source = shared / "fluo_hela_nuclei"
    return RealSet(
        "nuclei", source, (0, 9), (10, 13), (1.0, 0.645, 0.645), objective="fluo-n2dl-hela", handful=Fraction(1, 16)
    )


def _dic(shared: Path, folder: Path) -> RealSet:
    return RealSet("dic", shared / "dic_hela", (0, 59), (60, 83), (0.19, 0.19, 0.19), handful=Fraction(1, 4))


def _embryo(shared: Path, folder: Path) -> RealSet:
    """Nuclei without images: rendered as projections by the optical model, for both training and test."""
    movie = open_movies(shared / "blastospim_nuclei", voxel_size_zyx_um=EMBRYO_VOXEL_UM)[0]
    z_um, y_um, x_um = EMBRYO_VOXEL_UM
    spacing = (z_um, y_um * EMBRYO_STEP, x_um * EMBRYO_STEP)
    assert movie.lineage is not None
    labels = sorted(track.label for track in movie.lineage.tracks)
    parts, n = (labels[:EMBRYO_LEARNED], labels[EMBRYO_LEARNED:]), movie.n_frames
    out = folder / "embryo-imaged"
    if not out.exists():
        with Output.at(out, inputs=[], overwrite=False).staged() as partial:
            _image_nuclei(partial, movie.read, parts, n, spacing)
    return RealSet("embryo", out, (0, n - 1), (n, 2 * n - 1), spacing, texture=OPTICS, volume=True)


def _image_nuclei(
    folder: Path, read: Callable[[int], np.ndarray], parts: Sequence[Sequence[int]], n: int, spacing: Triple
) -> None:
    """Render one movie: first all frames with the nuclei of the first part, then all frames with the others."""
    texture = open_texture(OPTICS)
    writer = CtcWriter(folder, len(parts) * n, spacing)
    for part, labels in enumerate(parts):
        for time in range(n):
            frame, volume = part * n + time, read(time)[:, ::EMBRYO_STEP, ::EMBRYO_STEP]
            volume = np.where(np.isin(volume, labels), volume, 0).astype(np.uint16)
            image = texture.render(volume, spacing_zyx_um=spacing, frame=frame, seed=part, projection=True)
            writer.write(frame, project_labels(volume)[None], image)
    writer.finish(
        Lineage(tuple(Track(label, k * n, (k + 1) * n - 1, 0) for k, part in enumerate(parts) for label in part))
    )
    write_json(folder / "provenance.json", {"texture": OPTICS, "parts": [list(part) for part in parts]})


SETS: dict[Name, Callable[[Path, Path], RealSet]] = {"nuclei": _nuclei, "dic": _dic, "embryo": _embryo}


def write_truth(real: RealSet, out: Path) -> None:
    """Write the test frames for py-ctcmetrics to OUT/{SEG,TRA}, counted from 0, unless OUT exists.

    Without tracks, every mask of every frame is its own track, so that detections are scored and links are not.
    """
    if out.exists():
        return
    first, frames = real.test[0], real.test_frames
    with Output.at(out, inputs=[], overwrite=False).staged() as partial:
        for inner in ("SEG", "TRA"):
            (partial / inner).mkdir()
        planes = real.planes(frames)
        lineage = real.lineage
        for frame, plane in zip(frames, planes, strict=True):
            number = f"{frame - first:03d}.tif"
            _write_labels(partial / "SEG" / f"man_seg{number}", plane.labels_yx)
            if lineage is not None:
                shutil.copyfile(real.marker(frame), partial / "TRA" / f"man_track{number}")
        if lineage is not None:
            write_tracks(partial / "TRA" / "man_track.txt", within(lineage, *real.test))
            return
        masks, lone = apart([plane.labels_yx for plane in planes])
        for time, labels in enumerate(masks):
            _write_labels(partial / "TRA" / f"man_track{time:03d}.tif", labels)
        write_tracks(partial / "TRA" / "man_track.txt", lone)


def within(lineage: Lineage, first: int, last: int) -> list[Track]:
    """Tracks between two frames, counted from the first; parents that end before are removed."""
    kept = [track for track in lineage.tracks if track.first <= last and track.last >= first]
    known = {track.label for track in kept}
    return [
        Track(
            track.label,
            max(track.first, first) - first,
            min(track.last, last) - first,
            track.parent if track.parent in known else 0,
        )
        for track in kept
    ]


def apart(masks: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[Track]]:
    """Give every mask of every frame its own label; returns the labels and one track per mask."""
    numbered, tracks = [], []
    for time, labels in enumerate(masks):
        names, places = np.unique(labels, return_inverse=True)
        new = np.where(names > 0, len(tracks) + np.cumsum(names > 0), 0)
        numbered.append(new[places].reshape(labels.shape).astype(np.uint16))
        tracks += [Track(int(label), time, time, 0) for label in new[new > 0]]
    return numbered, tracks


def write_tracks(path: Path, tracks: Sequence[Track]) -> None:
    """Write rows of label, first frame, last frame and parent."""
    path.write_text("".join(f"{track.label} {track.first} {track.last} {track.parent}\n" for track in tracks))


def _write_labels(path: Path, labels: np.ndarray) -> None:
    write_image(path, labels[None], spacing_zyx_um=(1.0, 1.0, 1.0), time_step_s=None)
