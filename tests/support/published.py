"""Files in the formats of the published code, from a plain decoder and from exact shapes."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import torch
from scipy.io import savemat
from torch import Tensor, nn


class PublishedDecoder(nn.Module):
    """Dense layers; inputs are [code, place, t], [hidden, code, place, t] at skips, [hidden, place, t] elsewhere."""

    def __init__(
        self, widths: Sequence[int], *, code_dim: int, skips: Sequence[int], activation: str, omega: float = 30.0
    ) -> None:
        super().__init__()
        self.skips, self.activation, self.omega = skips, activation, omega
        n_inputs = [code_dim + 4] + [
            before + 4 + (code_dim if number in skips else 0) for number, before in enumerate(widths, start=1)
        ]
        for number, (n_in, n_out) in enumerate(zip(n_inputs, [*widths, 1], strict=True)):
            layer = nn.Linear(n_in, n_out)
            if activation == "sine":
                bound = 1 / n_in if number == 0 else np.sqrt(6 / n_in) / omega
                nn.init.uniform_(layer.weight, -bound, bound)
            setattr(self, f"lin{number}", layer)
        self.n_hidden = len(widths)

    def forward(self, code: Tensor, place_time: Tensor) -> Tensor:
        """Output at rows of (first, second, third coordinate, t), with the code repeated for every row."""
        inputs = torch.cat([code.expand(len(place_time), -1), place_time], dim=1)
        hidden = inputs
        for number in range(self.n_hidden + 1):
            if number:
                hidden = torch.cat([hidden, inputs if number in self.skips else place_time], dim=1)
            hidden = getattr(self, f"lin{number}")(hidden)
            if number < self.n_hidden:
                hidden = torch.sin(self.omega * hidden) if self.activation == "sine" else torch.relu(hidden)
        return hidden[:, 0]


def published_place(points_zyx_um: np.ndarray, n_voxels: int, spacing_um: float) -> np.ndarray:
    """Published coordinates of points in µm from the corner of the cube.

    They follow the axes (y, x, z) of the array; the outermost voxel centres are at -1 and +1.
    """
    index_zyx = points_zyx_um / spacing_um - 0.5
    return (index_zyx / (n_voxels - 1) * 2 - 1)[:, [1, 2, 0]]


def write_checkpoint(path: Path, decoder: nn.Module, *, epoch: int = 15000) -> Path:
    """Write a checkpoint as saved by training with DataParallel."""
    state = {f"module.{name}": tensor for name, tensor in decoder.state_dict().items()}
    torch.save({"epoch": epoch, "model_state_dict": state}, path)
    return path


def write_codes(path: Path, codes: np.ndarray) -> Path:
    """Write one row per sequence, as a Matlab 5 file."""
    savemat(path, {"lat_vecs": codes.astype(np.float32)})
    return path


def per_frame(frames_zyx: Sequence[np.ndarray]) -> np.ndarray:
    """Stack frames as in Matlab, (t, y, x, z), each divided by its maximum."""
    return np.stack([frame / np.abs(frame).max() for frame in frames_zyx]).transpose(0, 2, 3, 1).astype(np.float32)


def write_published_h5(path: Path, frames_zyx: Sequence[np.ndarray]) -> Path:
    """Write HDF5 like Matlab's h5create and h5write, which list the axes in reverse."""
    values = per_frame(frames_zyx).transpose(3, 2, 1, 0)
    with h5py.File(path, "w") as file:
        file.create_dataset("sdf_vid", data=values, chunks=(*values.shape[:3], 1), compression="gzip")
    return path


def write_published_mat(path: Path, frames_zyx: Sequence[np.ndarray]) -> Path:
    """Write a file like Matlab's save without a version, and like the published code with SciPy."""
    savemat(path, {"sdf_vid": per_frame(frames_zyx)}, do_compression=True)
    return path


def write_published_mat73(path: Path, frames_zyx: Sequence[np.ndarray]) -> Path:
    """Write a file like Matlab's save -v7.3: HDF5 behind a header of 512 bytes."""
    values = per_frame(frames_zyx).transpose(3, 2, 1, 0)
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("sdf_vid", data=values, chunks=(*values.shape[:3], 1)).attrs["MATLAB_class"] = "single"
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    return path
