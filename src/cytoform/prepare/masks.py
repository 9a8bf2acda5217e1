"""Masks kept on disk between the passes of a preparation, so that each frame is read and each cell cleaned once.

FOLDER/labels/MOVIE/T.npz    the labels in frame T that belong to families, each in its own box
FOLDER/cells/MOVIE/T.npz     the cleaned masks of the families, each in the box around its labels

Masks are packed to bits and compressed; they need far less space than the store that is made from them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from cytoform.base.triples import Slices
from cytoform.movies.families import FamilyFrame
from cytoform.movies.movie import Labels

# Families have boxes of different sizes.
Mask = Bool[np.ndarray, "..."]


@dataclass(frozen=True)
class Masks:
    """Masks by movie and frame. Different frames may be written at the same time."""

    folder: Path

    def keep_labels(self, movie: str, frame: int, labels: Labels, boxes_zyx: Mapping[int, Slices]) -> None:
        """Keep some labels of a frame."""
        masks = {label: labels[box] == label for label, box in boxes_zyx.items()}
        _write(self._path("labels", movie, frame), masks)

    def labels_of(self, movie: str, frame: int, families: Sequence[FamilyFrame]) -> Iterator[Labels]:
        """The labels of each family in its box, without other families."""
        with np.load(self._path("labels", movie, frame)) as kept:
            for family in families:
                labels = np.zeros(_shape(family.box_zyx), np.uint16)
                for label, box in zip(family.labels, family.boxes_zyx, strict=True):
                    within = tuple(
                        slice(b.start - a.start, b.stop - a.start) for b, a in zip(box, family.box_zyx, strict=True)
                    )
                    labels[within][_unpacked(kept[str(label)], _shape(box))] = label
                yield labels

    def keep_cleaned(self, movie: str, frame: int, families: Sequence[FamilyFrame], masks: Sequence[Mask]) -> None:
        """Keep the cleaned masks of families."""
        named = {family.labels[0]: mask for family, mask in zip(families, masks, strict=True)}
        _write(self._path("cells", movie, frame), named)

    def cleaned(self, movie: str, frame: int, families: Sequence[FamilyFrame]) -> Iterator[Mask]:
        """The cleaned masks of families."""
        with np.load(self._path("cells", movie, frame)) as kept:
            for family in families:
                # In the memory order of `clean_mask`: sums of floats over slices depend on it.
                yield np.asfortranarray(_unpacked(kept[str(family.labels[0])], _shape(family.box_zyx)))

    def _path(self, kind: str, movie: str, frame: int) -> Path:
        return self.folder / kind / movie / f"{frame}.npz"


def _write(path: Path, masks: Mapping[int, Mask]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    named: dict[str, Any] = {str(label): np.packbits(mask) for label, mask in masks.items()}
    np.savez_compressed(path, **named)


def _unpacked(bits: np.ndarray, shape: tuple[int, ...]) -> Mask:
    return np.unpackbits(bits, count=int(np.prod(shape))).reshape(shape).astype(bool)


def _shape(box_zyx: Slices) -> tuple[int, ...]:
    return tuple(side.stop - side.start for side in box_zyx)
