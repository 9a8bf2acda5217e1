"""A trained texture model: a folder with settings, weights and metadata of the training images.

MODEL/config.toml        all settings
      model.safetensors  the generator; metadata: grey scale, channels, planes and voxel size of the training images
      provenance.json    data hash, versions, seed
      metrics.csv        one row per epoch; TensorBoard events beside it
      checkpoints/       the last three, for --resume
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from cytoform.base.gate import Length, Record, parse_json, shown
from cytoform.base.kinds import Kind, kind_of, wrong_kind
from cytoform.base.tensors import load_into, read_header, read_tensors, refuse_misfit, write_tensors
from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.imaging.inheritance import ALONE, Inheritance
from cytoform.imaging.networks.brightness import brightness_channel, random_scores
from cytoform.imaging.networks.conditions import conditions, volume_conditions
from cytoform.imaging.networks.config import TextureConfig
from cytoform.imaging.networks.intensity import IntensityRecord, IntensityScale
from cytoform.imaging.networks.layers.generator import INPUTS, Generator
from cytoform.imaging.networks.tiles import TileLayout, render_tiles
from cytoform.movies.pairs.pairs import Pairs, project_labels
from cytoform.training.device import torch_device
from cytoform.training.folder import CONFIG, WEIGHTS

SPACING_TOLERANCE = 0.05  # relative, of the pixel size: networks do not know micrometres


@dataclass(frozen=True)
class LearnedTexture:
    """Metadata of the training images, stored with the weights."""

    scale: IntensityScale
    planes: Literal["projection", "slices"]
    spacing_zyx_um: Triple | None
    channels: tuple[str, ...] = INPUTS

    @classmethod
    def of(cls, pairs: Pairs, scale: IntensityScale) -> "LearnedTexture":
        """From the training set and its intensity scale."""
        slices = any(place.z is not None for place in pairs.places)
        return cls(scale, "slices" if slices else "projection", pairs.spacing_zyx_um)

    def to_json(self) -> str:
        """One line of JSON for the metadata of the weights."""
        return json.dumps({**asdict(self), "scale": self.scale.to_dict()}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, where: Path) -> "LearnedTexture":
        """Read a text written by `to_json`. Raises InputError."""
        remedy = "train the texture model anew"
        found = parse_json(text, _TextureRecord, where=f"{where}: damaged metadata", remedy=remedy)
        if found.channels != INPUTS:
            made = f"made for channels {shown(found.channels)}, this cytoform has {list(INPUTS)}"
            raise InputError(f"{where}: {made}; {remedy}")
        return cls(IntensityScale(**vars(found.scale)), found.planes, found.spacing_zyx_um)


class _TextureRecord(Record):
    scale: IntensityRecord
    planes: Literal["projection", "slices"]
    spacing_zyx_um: tuple[Length, Length, Length] | None
    channels: tuple[str, ...]


def write_model(folder: Path, generator: torch.nn.Module, learned: LearnedTexture) -> None:
    """Write the weights and metadata of a finished training."""
    write_tensors(folder / WEIGHTS, generator.state_dict(), {"texture": learned.to_json()})


class TextureModel:
    """Renders images with a trained generator; a `Texture`."""

    def __init__(self, path: Path, generator: Generator, learned: LearnedTexture, device: torch.device) -> None:
        self.path, self.learned = path, learned
        self._generator, self._device = generator.to(device).eval().requires_grad_(False), device

    @classmethod
    def open(cls, path: Path, *, device: str = "auto") -> "TextureModel":
        """Load a trained model. Raises InputError for a folder that is no model, or is unfinished, damaged or inconsistent."""
        chosen, path = torch_device(device), Path(path)
        if kind_of(path) is not Kind.TEXTURE:
            raise wrong_kind(path, Kind.TEXTURE)
        header, config = read_header(path / WEIGHTS), TextureConfig.read(path / CONFIG)
        learned = LearnedTexture.from_json(header.metadata.get("texture", ""), path / WEIGHTS)
        with torch.device("meta"):  # allocates no memory, even for absurd sizes in config.toml
            generator = Generator(config.generator)
        refuse_misfit(generator, header.shapes, where=path / WEIGHTS)
        tensors, _ = read_tensors(path / WEIGHTS)
        # Copies, because tensors are mapped from the file, which another process may truncate.
        copies = {name: tensor.clone() for name, tensor in tensors.items()}
        load_into(generator, copies, where=path / WEIGHTS, assign=True)
        return cls(path, generator, learned, chosen)

    @property
    def dtype(self) -> np.dtype:
        """Type of the training images."""
        return np.dtype(self.learned.scale.dtype)

    def render(
        self,
        labels_zyx: np.ndarray,
        *,
        spacing_zyx_um: Triple,
        frame: int,
        seed: int,
        projection: bool = False,
        inherited: Inheritance = ALONE,
    ) -> np.ndarray:
        """Render an image (z, y, x) of one frame; one plane with `projection` (see `Texture`). Raises InputError."""
        self._check(labels_zyx, spacing_zyx_um, projection)
        scores = random_scores(labels_zyx, seed=seed, inherited=inherited)
        if self.learned.planes == "projection" or len(labels_zyx) == 1:
            labels_yx = project_labels(labels_zyx)
            return self._image(conditions(labels_yx, frame=frame, seed=seed, inherited=inherited), labels_yx, scores)[
                None
            ]
        seen = volume_conditions(labels_zyx, frame=frame, seed=seed, inherited=inherited)
        planes = [self._image(*plane, scores) for plane in zip(seen, labels_zyx, strict=True)]
        return np.stack(planes).max(axis=0, keepdims=projection) if projection else np.stack(planes)

    def _check(self, labels_zyx: np.ndarray, spacing_zyx_um: Triple, projection: bool) -> None:
        if len(labels_zyx) > 1 and self.learned.planes == "projection" and not projection:
            raise InputError(
                f"{self.path}: learned projections, but the masks are volumes; pass --projection, or "
                "train with --planes slices"
            )
        known = self.learned.spacing_zyx_um
        if known and not np.allclose(known[1:], spacing_zyx_um[1:], rtol=SPACING_TOLERANCE):
            pixels = ["×".join(f"{size:.4g}" for size in sizes[1:]) for sizes in (spacing_zyx_um, known)]
            raise InputError(
                f"{self.path}: learned pixels of {pixels[1]} µm, but the masks have pixels of {pixels[0]} µm; render masks "
                "of that size, or train on images with their pixel size"
            )

    def _image(self, noise: np.ndarray, labels_yx: np.ndarray, scores: np.ndarray) -> np.ndarray:
        generator, seen = self._generator, np.concatenate([noise, brightness_channel(scores, labels_yx)])
        layout = TileLayout.around(reach_px=generator.reach_px, stride=generator.stride)

        def render(part: np.ndarray) -> np.ndarray:
            with torch.inference_mode():
                return generator(torch.from_numpy(part)[None].to(self._device))[0, 0].cpu().numpy()

        return self.learned.scale.from_unit(render_tiles(render, seen, layout))
