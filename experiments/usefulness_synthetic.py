"""Synthetic pairs from a share of the real ones: cells of its size and density, with its texture."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from cytoform.assess.segmenter.objects import ObjectSizes
from cytoform.base.files import write_atomically, write_json
from cytoform.base.output import Output
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
# Depth of a scene relative to the tallest family, for cells that divide along z; largest share of the field covered by cells.
DEPTH, MOST_COVERED = 1.2, 0.4
CROP_STEP_PX = 16


@dataclass(frozen=True)
class Amounts:
    """Amounts of synthetic data and of texture training."""

    cells: int  # simulated families
    cell_frames: int
    grid: int
    scene_frames: int
    crops: int  # for training the texture; correspondingly more of smaller crops
    crop_px: int = 256


def simulated_cells(folder: Path, amounts: Amounts, *, seed: int) -> Path:
    """A store of simulated dividing cells with default parameters, independent of the real ones."""
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
    """Typical size and number of the cells of a store, seen from above."""

    diameter_um: float
    n_pieces: float  # mean number of components of a family in a frame
    tallest_um: float  # height of the tallest family

    @classmethod
    def of(cls, path: Path) -> "Typical":
        """Measure all frames. Components are counted in 3D, because one may hide another from above."""
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
    """Each connected component, seen from above."""
    from scipy.ndimage import label

    labels, n = label(mask_zyx)
    return [(labels == piece).any(axis=0).astype(np.uint8) for piece in range(1, n + 1)]


@dataclass(frozen=True)
class Recipe:
    """Settings and folder of the synthetic pairs for a share of real planes."""

    real: RealSet
    amounts: Amounts
    kind: TextureKind
    cells: Path
    folder: Path
    seed: int
    device: str

    def planes(self, share: Sequence[MaskedImage]) -> list[MaskedImage]:
        """Make the synthetic pairs, or read existing ones."""
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
        """Masks of a population with the cell diameter in pixels and the density of the share."""
        out = self.folder / "scene"
        if not out.exists():
            request = scene_request(self.real, share, self.cells, self.real.size_yx)
            benchmark(dataclasses.replace(request, frames=self.amounts.scene_frames, seed=self.seed), out)
        return out

    def _texture(self, share: Sequence[MaskedImage]) -> str | Path:
        """Texture known in advance, or estimated from the share alone."""
        if self.real.texture is not None:
            return self.real.texture
        source = self.folder / "share"
        if not source.exists():
            write_share(share, source, spacing_zyx_um=self.real.spacing_zyx_um)
        pairs = open_pairs([source], spacing_zyx_um=self.real.spacing_zyx_um)
        return self._calibrated(pairs) if self.kind == "optics" else self._learned(pairs)

    def _calibrated(self, pairs: Pairs) -> Path:
        """Calibrate the optics; only the objective is known in advance."""
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
    """The preset small, with epochs for a fixed number of pixels, independent of number and size of the pairs."""
    config = TextureConfig.load(preset="small")
    largest = min(n for shape in shapes_yx for n in shape) // CROP_STEP_PX * CROP_STEP_PX
    crop_px = min(amounts.crop_px, largest)
    crops = amounts.crops * (amounts.crop_px / crop_px) ** 2
    half = max(1, round(crops / (2 * len(shapes_yx) * config.training.crops_per_image)))
    changed = {"epochs": half, "decay_epochs": half, "crop_px": crop_px}
    return config.model_copy(update={"training": config.training.model_copy(update=changed)})


def scene_request(real: RealSet, share: Sequence[MaskedImage], cells: Path, size_yx: tuple[int, int]) -> SceneRequest:
    """A request for a scene with the cell diameter in pixels and the density of the share."""
    sizes, typical = ObjectSizes.of(plane.labels_yx for plane in share), Typical.of(cells)
    assert sizes is not None
    z_um, pixel_um = real.spacing_zyx_um[0], real.spacing_zyx_um[-1]
    # Length in the scene (where cells keep their size) relative to length in the images.
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
    """Write the real planes as a Cell Tracking Challenge folder; fewer than four are cut into quarters."""
    parts = list(share) if len(share) >= FEWEST_PAIRS else [part for plane in share for part in quarters(plane)]
    with Output.at(out, inputs=[], overwrite=False).staged() as folder:
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
    """Four planes of equal size; an odd last row or column is dropped."""
    y, x = (n // 2 for n in plane.labels_yx.shape)
    return [
        dataclasses.replace(plane, image_yx=plane.image_yx[part], labels_yx=plane.labels_yx[part])
        for part in (np.s_[i * y : (i + 1) * y, j * x : (j + 1) * x] for i in (0, 1) for j in (0, 1))
    ]
