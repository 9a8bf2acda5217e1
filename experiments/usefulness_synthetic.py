"""Synthetic pairs that know no more than a share of the real ones: cells of its size and number, in its texture."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from cytoform.assess.segmenter.objects import ObjectSizes
from cytoform.base.files import staged, write_atomically, write_json
from cytoform.imaging.networks.config import TextureConfig
from cytoform.imaging.rendering import render_pairs
from cytoform.movies.ctc import write_image
from cytoform.movies.pairs.pairs import FEWEST_PAIRS, MaskedImage, Pairs, open_pairs
from cytoform.prepare import prepare
from cytoform.scenes.request import SceneRequest
from cytoform.scenes.stage import benchmark
from cytoform.shapes.store import ShapeStore
from cytoform.simulate import MitosisParameters, simulate
from usefulness_data import RealSet, Triple, read_planes

TextureKind = Literal["learned", "optics"]
SIMULATED_UM, TIME_STEP_S = 0.25, 60.0
# Depth of a scene over the tallest family: room for those that divide along z. At most this share of the field is cells.
DEPTH, MOST_COVERED = 1.2, 0.4
CROP_STEP_PX = 16


@dataclass(frozen=True)
class Amounts:
    """How much synthetic data is made, and how long its texture is learned."""

    cells: int  # simulated families, that scenes are populated with
    cell_frames: int
    grid: int
    scene_frames: int
    crops: int  # that the texture's network is shown; of smaller images more, and smaller ones
    crop_px: int = 256


def simulated_cells(folder: Path, amounts: Amounts, *, seed: int) -> Path:
    """A store of simulated dividing cells with default parameters, which know of no real ones."""
    movies, store = folder / "movies", folder / "cells.zarr"
    if not store.exists():
        spacing = (SIMULATED_UM,) * 3
        n = {"n_cells": amounts.cells, "n_frames": amounts.cell_frames, "seed": seed}
        if not movies.exists():
            simulate(MitosisParameters(), movies, spacing_zyx_um=spacing, time_step_s=TIME_STEP_S, **n)
        prepare([movies], store, grid_size=amounts.grid)
    return store


@dataclass(frozen=True)
class Typical:
    """What cells of a store look like from above."""

    diameter_um: float
    n_pieces: float  # of a family in a frame
    tallest_um: float  # family of all

    @classmethod
    def of(cls, path: Path) -> "Typical":
        """Medians and means over all frames. Pieces are told apart in the volume: from above, one may hide another."""
        store = ShapeStore.open(path)
        masks = [sequence.mask(frame) for sequence in store for frame in range(sequence.info.n_frames)]
        frames = [_pieces(mask) for mask in masks]
        sizes = ObjectSizes.of(piece for pieces in frames for piece in pieces)
        assert sizes is not None
        tallest = max(np.ptp(np.flatnonzero(mask.any(axis=(1, 2)))) + 1 for mask in masks if mask.any())
        spacing_um = store.grid.spacing_um
        n_pieces = float(np.mean([len(pieces) for pieces in frames]))
        return cls(sizes.diameter_px * spacing_um, n_pieces, float(tallest) * spacing_um)


def _pieces(mask_zyx: np.ndarray) -> list[np.ndarray]:
    """Each connected piece, seen from above."""
    from scipy.ndimage import label

    labels, n = label(mask_zyx)
    return [(labels == piece).any(axis=0).astype(np.uint8) for piece in range(1, n + 1)]


@dataclass(frozen=True)
class Recipe:
    """How synthetic pairs are made for a share of real planes, and where they and all that leads to them lie."""

    real: RealSet
    amounts: Amounts
    kind: TextureKind
    cells: Path
    folder: Path
    seed: int
    device: str

    def planes(self, share: Sequence[MaskedImage]) -> list[MaskedImage]:
        """Synthetic pairs; what is there is not made again."""
        out = self.folder / "synthetic"
        if not out.exists():
            scene, texture = self._scene(share), self._texture(share)
            render_pairs(
                texture,
                scene,
                out,
                projection=self.real.volume,
                voxel_size_zyx_um=self.real.spacing_zyx_um,
                seed=self.seed,
                device=self.device,
            )
        return read_planes(out)

    def _scene(self, share: Sequence[MaskedImage]) -> Path:
        """Masks of a population: cells as wide in pixels, and as many, as in the share."""
        out = self.folder / "scene"
        if not out.exists():
            request = scene_request(self.real, share, self.cells, self.real.size_yx)
            benchmark(dataclasses.replace(request, frames=self.amounts.scene_frames, seed=self.seed), out)
        return out

    def _texture(self, share: Sequence[MaskedImage]) -> str | Path:
        """What makes images, learned from the share alone or known from outside."""
        if self.real.texture is not None:
            return self.real.texture
        source = self.folder / "share"
        if not source.exists():
            write_share(share, source, spacing_zyx_um=self.real.spacing_zyx_um)
        pairs = open_pairs([source], spacing_zyx_um=self.real.spacing_zyx_um)
        return self._calibrated(pairs) if self.kind == "optics" else self._learned(pairs)

    def _calibrated(self, pairs: Pairs) -> Path:
        """Optics: from outside comes the objective and nothing else."""
        from cytoform.imaging.optics.calibration import calibrate
        from cytoform.imaging.optics.parameters import Microscope, OpticsParameters, read_parameters

        out = self.folder / "optics.toml"
        if not out.exists():
            microscope = Microscope()
            if self.real.objective is not None:
                known = read_parameters(self.real.objective).microscope
                microscope = known.model_copy(update={"extra_blur_um": microscope.extra_blur_um})
            found = calibrate(pairs, OpticsParameters(microscope=microscope), seed=self.seed)
            write_atomically(out, found.to_toml().encode())
        return out

    def _learned(self, pairs: Pairs) -> Path:
        from cytoform.imaging.networks.stage import train_texture

        out = self.folder / "texture"
        if not (out / "model.safetensors").exists():
            shapes = [pairs.at(i).labels_yx.shape for i in range(len(pairs))]
            config = None if out.exists() else texture_config(shapes, self.amounts)
            resume = config is None
            trained = train_texture(pairs, out, config, resume=resume, seed=self.seed, device=self.device)
            if not trained.finished:
                raise KeyboardInterrupt
        return out


def texture_config(shapes_yx: Sequence[tuple[int, ...]], amounts: Amounts) -> TextureConfig:
    """The preset small with epochs for a given number of pixels, however many pairs there are and however small."""
    config = TextureConfig.load(preset="small")
    largest = min(n for shape in shapes_yx for n in shape) // CROP_STEP_PX * CROP_STEP_PX
    crop_px = min(amounts.crop_px, largest)
    crops = amounts.crops * (amounts.crop_px / crop_px) ** 2
    half = max(1, round(crops / (2 * len(shapes_yx) * config.training.crops_per_image)))
    changed = {"epochs": half, "decay_epochs": half, "crop_px": crop_px}
    return config.model_copy(update={"training": config.training.model_copy(update=changed)})


def scene_request(real: RealSet, share: Sequence[MaskedImage], cells: Path, size_yx: tuple[int, int]) -> SceneRequest:
    """A scene in which the cells of a store are as wide in pixels, and as many an area, as in the share."""
    sizes, typical = ObjectSizes.of(plane.labels_yx for plane in share), Typical.of(cells)
    assert sizes is not None
    z_um, pixel_um = real.spacing_zyx_um[0], real.spacing_zyx_um[-1]
    # Lengths of the scene, where cells keep their size, over lengths of the images.
    scale = typical.diameter_um / (sizes.diameter_px * pixel_um)
    step_um = z_um if real.volume else pixel_um
    voxel: Triple = (step_um * scale, pixel_um * scale, pixel_um * scale)
    y, x = size_yx
    n_cells = float(np.mean([(len(np.unique(plane.labels_yx)) - 1) / plane.labels_yx.size for plane in share])) * y * x
    room = MOST_COVERED * y * x / (np.pi / 4 * sizes.diameter_px**2)
    return SceneRequest(
        sources=(cells,),
        cells=max(1, round(min(n_cells, room) / typical.n_pieces)),
        frames=1,
        size_zyx=(max(4, int(np.ceil(DEPTH * typical.tallest_um / voxel[0]))), y, x),
        texture="none",
        voxel_size_zyx_um=voxel,
        projection=not real.volume,
        ome_zarr=False,
        geff=False,
    )


def write_share(share: Sequence[MaskedImage], out: Path, *, spacing_zyx_um: Triple) -> None:
    """The real planes as a Cell Tracking Challenge folder; fewer than four are cut into quarters, as is refused otherwise."""
    parts = list(share) if len(share) >= FEWEST_PAIRS else [part for plane in share for part in quarters(plane)]
    with staged(out) as folder:
        for inner in ("01", "01_ST/SEG"):
            (folder / inner).mkdir(parents=True)
        for number, plane in enumerate(parts):
            for name, values in (
                (f"01/t{number:03d}", plane.image_yx),
                (f"01_ST/SEG/man_seg{number:03d}", plane.labels_yx),
            ):
                write_image(folder / f"{name}.tif", values[None], spacing_zyx_um=spacing_zyx_um, time_step_s=None)
        write_json(folder / "provenance.json", {"frames": [plane.frame for plane in share], "pairs": len(parts)})


def quarters(plane: MaskedImage) -> list[MaskedImage]:
    """Four planes of equal size; an odd row or column at the end is left out."""
    y, x = (n // 2 for n in plane.labels_yx.shape)
    return [
        dataclasses.replace(plane, image_yx=plane.image_yx[part], labels_yx=plane.labels_yx[part])
        for part in (np.s_[i * y : (i + 1) * y, j * x : (j + 1) * x] for i in (0, 1) for j in (0, 1))
    ]
