"""Rotations between a sequence's own pose and the canonical one, which the decoder knows.

A rotation is a unit quaternion (w, x, y, z), and R its matrix: the point p = (x, y, z) of the cube, measured from its centre,
lies at R p in the canonical pose, so the field of a sequence is f(R p, t, z). Lengths and distances do not change.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial.transform import Rotation
from torch import Tensor

# Signs of x, y and z in the mirror images of a cell, itself first.
MIRRORS = np.array(list(product((1, -1), repeat=3)), np.float32)
IDENTITY = (1.0, 0.0, 0.0, 0.0)


def identity(n: int) -> Float[Tensor, "{n} 4"]:
    """The rotation that changes nothing, `n` times."""
    return torch.tensor(IDENTITY).repeat(n, 1)


def to_matrix(quaternions: Float[Tensor, "n 4"]) -> Float[Tensor, "n 3 3"]:
    """Rotation matrices of quaternions of any length but 0; differentiable, and exact for the identity."""
    w, x, y, z = torch.nn.functional.normalize(quaternions, dim=1).unbind(dim=1)
    rows = [
        torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], dim=1),
        torch.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], dim=1),
        torch.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], dim=1),
    ]
    return torch.stack(rows, dim=1)


def from_matrix(matrix: Float[Tensor, "3 3"]) -> Float[Tensor, " 4"]:
    """The unit quaternion, w ≥ 0, of a rotation matrix."""
    x, y, z, w = Rotation.from_matrix(matrix.double().numpy()).as_quat(canonical=True)
    return torch.tensor([w, x, y, z], dtype=torch.float32)


def rotate(points: Float[Tensor, "frames n 3"], quaternions: Float[Tensor, "frames 4"]) -> Float[Tensor, "frames n 3"]:
    """The points of every frame, turned by the rotation of that frame."""
    # Not a matrix product: in mixed precision that would round the coordinates.
    return (points[:, :, None, :] * to_matrix(quaternions)[:, None]).sum(dim=3)


def of_images(quaternions: Float[Tensor, "n 4"], images: Int[Tensor, " n"]) -> Float[Tensor, "n 4"]:
    """The rotations that bring mirror images (`MIRRORS`) into the image of the canonical pose.

    The rotation of an image M is M R M. Its axis is mirrored too, and its direction is reversed.
    """
    mirrors = torch.from_numpy(MIRRORS).to(quaternions)[images]
    return torch.cat([quaternions[:, :1], quaternions[:, 1:] * mirrors * mirrors.prod(dim=1, keepdim=True)], dim=1)


def random(n: int, rng: np.random.Generator) -> Float[Tensor, "{n} 4"]:
    """Uniform rotations (Haar measure): directions of normal deviates in four dimensions. Euler angles would not be."""
    drawn = rng.normal(size=(n, 4))
    return torch.tensor(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=torch.float32)


@dataclass(frozen=True)
class Moments:
    """Sums over points: their number, x, x⊗x and x⊗x⊗x. Sums of several frames add up."""

    n: int
    first: Float[Tensor, "3"]
    second: Float[Tensor, "3 3"]
    third: Float[Tensor, "3 3 3"]

    @classmethod
    def of(cls, points: Float[Tensor, "n 3"]) -> "Moments":
        """The sums over `points`."""
        x = points.double()
        pairs = (x[:, :, None] * x[:, None, :]).flatten(1)
        return cls(len(x), x.sum(dim=0), (x.T @ x), (pairs.T @ x).reshape(3, 3, 3))

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.n + other.n, self.first + other.first, self.second + other.second, self.third + other.third)

    def central(self) -> tuple[Float[Tensor, "3 3"], Float[Tensor, "3 3 3"]]:
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
