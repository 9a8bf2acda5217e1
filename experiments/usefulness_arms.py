"""What a segmenter learns from beside real pairs: a synthetic scene, and controls made of the same real cells alone.

The controls tell what a scene adds beyond more of the same: the pixels of real cells exchanged within their own masks, real
pairs deformed, and real cells set down again in a plane as full as the scene. Each has as many images.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Integer
from scipy.ndimage import find_objects

from cytoform.assess.segmenter.objects import ObjectSizes
from cytoform.assess.segmenter.segmenter import Mixed
from cytoform.base.digest import folder_sha256
from cytoform.errors import InputError
from cytoform.movies.pairs.pairs import MaskedImage
from usefulness_mixing import MIXINGS, Share
from usefulness_transfer import Transfer

# Each mask of a scene is imaged so many times, with other real cells.
IMAGES_EACH = 2
# Of deformations: distance of the nodes of the displacement, and its largest size, in widths of a cell.
NODES_WIDTHS, SHIFT_WIDTHS = 0.5, 0.1
# Places tried for a cell that is set down.
TRIES = 200


@dataclass(frozen=True)
class Known:
    """The real pairs, the median size of their cells, and the scene of synthetic masks."""

    planes: Sequence[MaskedImage]
    sizes: ObjectSizes
    scene: Path
    seed: int

    @property
    def rng(self) -> np.random.Generator:
        """Random numbers for images."""
        return np.random.default_rng([self.seed, 1])

    def scene_masks(self) -> list[Integer[np.ndarray, "_y _x"]]:
        """The masks of the scene, with cells as wide as the real ones."""
        masks = read_masks(self.scene)
        wide = ObjectSizes.of(masks)
        if wide is None:
            raise InputError(f"{self.scene}: no cell")
        return [resized(mask, self.sizes.diameter_px / wide.diameter_px) for mask in masks]


Pairs = Callable[[Known], list[MaskedImage]]


def in_scene(known: Known) -> list[MaskedImage]:
    """The scene, in images made of the pixels of real cells."""
    return _imaged(known, known.scene_masks() * IMAGES_EACH)


def exchanged(known: Known) -> list[MaskedImage]:
    """The real masks, in images made of the pixels of real cells."""
    n = len(known.scene_masks()) * IMAGES_EACH
    return _imaged(known, [known.planes[i % len(known.planes)].labels_yx for i in range(n)])


def again(known: Known) -> list[MaskedImage]:
    """The shapes of real cells set down in planes like those of the scene, in images made of the pixels of real cells."""
    rng, masks = np.random.default_rng([known.seed, 2]), known.scene_masks() * IMAGES_EACH
    cells = [cell for plane in known.planes for cell in whole_cells(plane.labels_yx)]
    made = [set_down(cells, mask.shape, len(np.unique(mask)) - 1, rng) for mask in masks]
    return _imaged(known, [mask.astype(np.uint16) for mask in made])


def deformed(known: Known) -> list[MaskedImage]:
    """Real pairs under smooth random displacements."""
    from monai.transforms.spatial.dictionary import Rand2DElasticd

    width = known.sizes.diameter_px
    bend = Rand2DElasticd(
        ("image", "labels"),
        spacing=(NODES_WIDTHS * width,) * 2,
        magnitude_range=(0.0, SHIFT_WIDTHS * width),
        prob=1.0,
        mode=("bilinear", "nearest"),
        padding_mode="reflection",
    ).set_random_state(known.seed)
    made = []
    for frame in range(len(known.scene_masks()) * IMAGES_EACH):
        plane = known.planes[frame % len(known.planes)]
        bent = bend(
            {"image": plane.image_yx[None].astype(np.float32), "labels": plane.labels_yx[None].astype(np.float32)}
        )
        image, labels = (np.asarray(bent[name])[0] for name in ("image", "labels"))
        made.append(MaskedImage(image, labels.round().astype(plane.labels_yx.dtype), "deformed", frame, None))
    return made


@dataclass(frozen=True)
class Arm:
    """Pairs beside the real ones, and how their crops are mixed in."""

    pairs: Pairs
    mixing: Share

    def mixed(self, known: Known) -> Mixed:
        """What the segmenter gets."""
        return Mixed(self.pairs(known), self.mixing)


def deformed_and_scene(known: Known) -> list[MaskedImage]:
    """Both: what a scene adds to a training that deforms its real pairs."""
    return [*deformed(known), *in_scene(known)]


CONTROLS = {"exchanged": exchanged, "deformed": deformed, "again": again}
# A control with the scene as well.
JOINED = {"deformed": "deformed-scene"}
ARMS = {name: Arm(in_scene, mixing) for name, mixing in MIXINGS.items()} | {
    name: Arm(pairs, MIXINGS["both"]) for name, pairs in (CONTROLS | {"deformed-scene": deformed_and_scene}).items()
}


def _imaged(known: Known, masks: Sequence[Integer[np.ndarray, "y x"]]) -> list[MaskedImage]:
    transfer, rng = Transfer.of(known.planes), known.rng
    return [MaskedImage(transfer.image(mask, rng), mask, "scene", frame, None) for frame, mask in enumerate(masks)]


def whole_cells(labels: Integer[np.ndarray, "..."]) -> list[Bool[np.ndarray, "..."]]:
    """The masks of all cells that the border does not cut; of all if it cuts each."""
    boxes = {label: box for label, box in enumerate(find_objects(labels), start=1) if box is not None}
    inner = {
        label: box
        for label, box in boxes.items()
        if all(side.start > 0 and side.stop < n for side, n in zip(box, labels.shape, strict=True))
    }
    return [labels[box] == label for label, box in (inner or boxes).items()]


def set_down(
    cells: Sequence[Bool[np.ndarray, "..."]], shape: tuple[int, ...], n: int, rng: np.random.Generator
) -> Integer[np.ndarray, "..."]:
    """Labels of `n` drawn cells, each mirrored at random and where no other is; of fewer where there is no room."""
    labels = np.zeros(shape, np.int32)
    for label in range(1, n + 1):
        cell = cells[rng.integers(len(cells))]
        cell = cell[tuple(slice(None, None, -1 if rng.integers(2) else 1) for _ in shape)]
        for _ in range(TRIES):
            corner = [rng.integers(m - side + 1) for m, side in zip(shape, cell.shape, strict=True)]
            place = labels[tuple(slice(low, low + side) for low, side in zip(corner, cell.shape, strict=True))]
            if not place[cell].any():
                place[cell] = label
                break
    return labels


@lru_cache(maxsize=1)
def read_masks(scene: Path) -> list[Integer[np.ndarray, "..."]]:
    """The masks of a scene."""
    import tifffile

    paths = sorted((scene / "01_GT" / "SEG").glob("man_seg*.tif"))
    return [np.asarray(tifffile.imread(path), np.uint16).squeeze() for path in paths]


def scene_sha256(scene: Path) -> str:
    """Checksum of the masks of a scene."""
    return folder_sha256(scene / "01_GT" / "SEG")


def resized(labels_yx: Integer[np.ndarray, "y x"], factor: float) -> Integer[np.ndarray, "_y _x"]:
    """A mask with `factor` times as many pixels along each axis."""
    y, x = (
        np.minimum(((np.arange(max(1, round(n * factor))) + 0.5) / factor).astype(int), n - 1) for n in labels_yx.shape
    )
    return labels_yx[np.ix_(y, x)]
