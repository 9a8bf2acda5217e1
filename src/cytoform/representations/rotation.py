"""Rotations between a sequence's own pose and the canonical one, which the decoder knows.

A rotation is a unit quaternion (w, x, y, z), and R its matrix: the point p = (x, y, z) of the cube, measured from its centre,
lies at R p in the canonical pose, so the field of a sequence is f(R p, t, z). Lengths and distances do not change. In an
image, the rotation is about z, and R is its part for x and y.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial.transform import Rotation
from torch import Tensor

# By number of dimensions: signs of x, y and z in the mirror images of a cell, itself first.
MIRRORS = {n_dims: np.array(list(product((1, -1), repeat=n_dims)), np.float32) for n_dims in (3, 2)}
# Parts of a quaternion that a rotation may have.
FREE = {3: (1.0, 1.0, 1.0, 1.0), 2: (1.0, 0.0, 0.0, 1.0)}
IDENTITY = (1.0, 0.0, 0.0, 0.0)


def identity(n: int) -> Float[Tensor, "{n} 4"]:
    """The rotation that changes nothing, `n` times."""
    return torch.tensor(IDENTITY).repeat(n, 1)


def to_matrix(quaternions: Float[Tensor, "n 4"], n_dims: int = 3) -> Float[Tensor, "n {n_dims} {n_dims}"]:
    """Rotation matrices of quaternions of any length but 0; differentiable, and exact for the identity."""
    w, x, y, z = torch.nn.functional.normalize(quaternions, dim=1).unbind(dim=1)
    rows = [
        torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], dim=1),
        torch.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], dim=1),
        torch.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], dim=1),
    ]
    return torch.stack(rows, dim=1)[:, :n_dims, :n_dims]


def from_matrix(matrix: Float[Tensor, "dims dims"]) -> Float[Tensor, " 4"]:
    """The unit quaternion, w ≥ 0, of a rotation matrix."""
    missing = 3 - len(matrix)
    matrix = torch.block_diag(matrix, torch.eye(missing, dtype=matrix.dtype)) if missing else matrix
    x, y, z, w = Rotation.from_matrix(matrix.double().numpy()).as_quat(canonical=True)
    return torch.tensor([w, x, y, z], dtype=torch.float32)


def rotate(
    points: Float[Tensor, "frames n dims"], quaternions: Float[Tensor, "frames 4"]
) -> Float[Tensor, "frames n dims"]:
    """The points of every frame, turned by the rotation of that frame."""
    # Not a matrix product: in mixed precision that would round the coordinates.
    return (points[:, :, None, :] * to_matrix(quaternions, points.shape[2])[:, None]).sum(dim=3)


def of_images(quaternions: Float[Tensor, "n 4"], images: Int[Tensor, " n"], n_dims: int = 3) -> Float[Tensor, "n 4"]:
    """The rotations that bring mirror images (`MIRRORS`) into the image of the canonical pose.

    The rotation of an image M is M R M. Its axis is mirrored too, and its direction is reversed.
    """
    mirrors = torch.from_numpy(np.pad(MIRRORS[n_dims], ((0, 0), (0, 3 - n_dims)), constant_values=1)).to(quaternions)[
        images
    ]
    return torch.cat([quaternions[:, :1], quaternions[:, 1:] * mirrors * mirrors.prod(dim=1, keepdim=True)], dim=1)


def random(n: int, rng: np.random.Generator, n_dims: int = 3) -> Float[Tensor, "{n} 4"]:
    """Uniform rotations (Haar measure): directions of normal deviates in four dimensions. Euler angles would not be."""
    drawn = rng.normal(size=(n, 4)) * FREE[n_dims]
    return torch.tensor(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=torch.float32)


@dataclass(frozen=True)
class Moments:
    """Sums over points: their number, x, x⊗x and x⊗x⊗x. Sums of several frames add up."""

    n: int
    first: Float[Tensor, " dims"]
    second: Float[Tensor, "dims dims"]
    third: Float[Tensor, "dims dims dims"]

    @classmethod
    def of(cls, points: Float[Tensor, "n dims"]) -> "Moments":
        """The sums over `points`."""
        x = points.double()
        pairs = (x[:, :, None] * x[:, None, :]).flatten(1)
        return cls(len(x), x.sum(dim=0), (x.T @ x), (pairs.T @ x).reshape((x.shape[1],) * 3))

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.n + other.n, self.first + other.first, self.second + other.second, self.third + other.third)

    def central(self) -> tuple[Float[Tensor, "dims dims"], Float[Tensor, "dims dims dims"]]:
        """Second and third moments about the mean, per point."""
        mean, second, third = self.first / self.n, self.second / self.n, self.third / self.n
        shift = torch.einsum("ij,k->ijk", second, mean)
        shifts = shift + shift.permute(0, 2, 1) + shift.permute(2, 1, 0)
        cubed = torch.einsum("i,j,k->ijk", mean, mean, mean)
        return second - torch.outer(mean, mean), third - shifts + 2 * cubed


def principal_rotation(moments: Moments) -> Float[Tensor, " 4"]:
    """The rotation that lays the long axis of the points along x, the middle one along y, the short one along z.

    Each axis points to where the points trail off (positive skewness). That makes a mirrored frame of every second cell;
    there, the axis of the least skewness points the other way. Axes of equal length, and the signs of a symmetric shape,
    are left to chance, though the same points always give the same rotation.
    """
    covariance, third = moments.central()
    variances, columns = torch.linalg.eigh(covariance)
    axes = columns.T.flip(0)
    skewness = torch.einsum("ijk,ai,aj,ak->a", third, axes, axes, axes) / variances.flip(0).clamp(min=1e-12) ** 1.5
    axes = torch.where(skewness < 0, -1.0, 1.0)[:, None] * axes
    if torch.linalg.det(axes) < 0:
        axes[skewness.abs().argmin()] *= -1
    return from_matrix(axes)
