"""The chunk files of an array of a shape store: seen and checked before any of them is decoded.

Blosc reserves the memory that the header of a file claims, and Zarr takes a lost file for a chunk without content.
"""

import struct
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path

import numpy as np

from cytoform.base.gate import require_file
from cytoform.base.triples import Ints
from cytoform.shapes.records import ArrayRecord, damaged

HEADER = struct.Struct("<4x3I")  # of Blosc: sizes of content, block and file


@dataclass(frozen=True)
class ChunkFiles:
    """The files of one array with axes t z y x, or t y x; chunks are cubes of one frame."""

    array: Path
    record: ArrayRecord

    @property
    def side(self) -> int:
        """Voxels along a side of a chunk."""
        return self.record.chunks[-1]

    def corners(self) -> list[Ints]:
        """First voxels of all chunks of a frame."""
        return list(product(*(range(0, size, self.side) for size in self.record.shape[1:])))

    def present(self, frame: int) -> set[Ints]:
        """First voxels of the chunks of a frame that have a file. Raises InputError for a file that is no such chunk."""
        folder = self.array / "c" / str(frame)
        return {corner for corner in self.corners() if self._is_whole(folder / self._name(corner))}

    def _name(self, corner: Ints) -> str:
        return "/".join(str(place // self.side) for place in corner)

    def _is_whole(self, path: Path) -> bool:
        if not path.exists():
            return False
        size = require_file(path).st_size
        with path.open("rb") as file:
            head = file.read(HEADER.size)
        n_bytes = prod(self.record.chunks) * np.dtype(self.record.data_type).itemsize
        if len(head) == HEADER.size:
            content, block, claimed = HEADER.unpack(head)
            if (content, claimed) == (n_bytes, size) and block <= content:
                return True
        raise damaged(path, "not a whole chunk")
