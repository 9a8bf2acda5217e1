"""Writes images and label images of OME-Zarr 0.5, with axes t z y x or t y x and one resolution."""

from dataclasses import dataclass
from typing import Any, Literal

import zarr
from zarr.codecs import BloscCodec

from cytoform.base.triples import Floats, Ints

VERSION = "0.5"
# Zstandard over shuffled bytes: smaller and faster than over shuffled bits (docs/LOG.md).
COMPRESSOR = BloscCodec(cname="zstd", clevel=1, shuffle="shuffle")


@dataclass(frozen=True)
class OmeMovie:
    """The size, scale and chunks that an image shares with its label images. A chunk holds voxels of one frame."""

    n_frames: int
    shape_zyx: Ints
    chunk_zyx: Ints
    spacing_zyx_um: Floats
    time_step_s: float | None
    compressor: BloscCodec | Literal["auto"] = COMPRESSOR

    def create(
        self,
        group: zarr.Group,
        name: str,
        dtype: str,
        *,
        path: str = "0",
        fill_value: float = 0.0,
        label: dict[str, Any] | None = None,
    ) -> zarr.Array[Any]:
        """Make a group an image without content: its metadata and the empty array `path`.

        `label` is the `image-label` entry that makes it a label image.
        """
        marks = {} if label is None else {"image-label": label}
        group.attrs["ome"] = {"version": VERSION, "multiscales": [self._multiscale(name, path)], **marks}
        return group.create_array(
            path,
            shape=(self.n_frames, *self.shape_zyx),
            chunks=(1, *self.chunk_zyx),
            dtype=dtype,
            fill_value=fill_value,
            compressors=self.compressor,
            dimension_names=("t", *self._axes),
        )

    def create_labels(self, image: zarr.Group, name: str, dtype: str, *, label: dict[str, Any]) -> zarr.Array[Any]:
        """Add the empty label image labels/`name` to a group, which need not be an image itself."""
        labels = image.create_group("labels")
        labels.attrs["ome"] = {"version": VERSION, "labels": [name]}
        return self.create(labels.create_group(name), name, dtype, label=label)

    @property
    def _axes(self) -> str:
        return "zyx"[-len(self.shape_zyx) :]

    def _multiscale(self, name: str, path: str) -> dict[str, Any]:
        """The `multiscales` entry: scale in s and µm, voxels centred at + 0.5."""
        time: dict[str, str] = {"name": "t", "type": "time"}
        if self.time_step_s:
            time["unit"] = "second"
        space = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in self._axes]
        scale = [self.time_step_s or 1.0, *self.spacing_zyx_um]
        centre = [0.0, *(side / 2 for side in self.spacing_zyx_um)]
        transformations = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": centre}]
        return {
            "name": name,
            "axes": [time, *space],
            "datasets": [{"path": path, "coordinateTransformations": transformations}],
        }
