"""How well a fitted code is known: Laplace's approximation.

Around the best code the error is taken as quadratic, so that the posterior of the code is a Gaussian (MacKay 1992). Its
precision is the sum of the prior's (from the spread of the learned codes) and that of the known points. A surface moves by
the change of the field there, since the field is a distance.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.representations.bounds import surface_points, uniform_points
from cytoform.representations.representation import Representation

KNOWN_POINTS = 64  # a frame: about as many places of a surface as err independently of each other
NEAR = 0.05  # half extents from the surface, where points say how it lies
TRIED_POINTS = 4096  # a frame, for lines that cross the surface


@dataclass(frozen=True)
class Posterior:
    """A fitted code with the uncertainty that is left; in units of the half extent."""

    decoder: Representation
    code: Float[Tensor, " code"]
    covariance: Float[Tensor, "code code"]
    residual: float  # root mean square, at known points near the surface

    def surface_error(self, time: float, rng: np.random.Generator) -> float:
        """Expected error of the surface, root mean square over it; NaN where the frame is empty."""
        evaluate = self.decoder.frame(self.code, time)
        points = surface_points(evaluate, uniform_points(rng, TRIED_POINTS, self.code, self.decoder.n_dims), rng)
        if not len(points):
            return math.nan
        slopes = _slopes(self.decoder, self.code, points, self.code.new_full((len(points),), time))
        variances = ((slopes @ self.covariance) * slopes).sum(dim=1)
        return math.sqrt(float(variances.mean()) + self.residual**2)


def laplace(
    decoder: Representation,
    code: Float[Tensor, " code"],
    samples: Float[Tensor, "known n values"],
    times: Float[np.ndarray, " known"],
    *,
    prior_sigma: float,
) -> Posterior:
    """The posterior of a code that was fitted to samples of frames at `times`, where codes of cells spread by `prior_sigma`."""
    slopes, residuals = [], []
    for known, time in zip(samples, times, strict=True):
        near = known[known[:, -1].abs() <= NEAR][:KNOWN_POINTS]
        here = code.new_full((len(near),), float(time))
        slopes.append(_slopes(decoder, code, near[:, :-1], here))
        residuals.append(_values(decoder, code, near[:, :-1], here).detach() - near[:, -1])
    jacobian, residual = torch.cat(slopes).double(), torch.cat(residuals).double()
    variance = max(float(residual.square().mean()), 1e-12)
    precision = (
        jacobian.T @ jacobian / variance + torch.eye(len(code), device=code.device) / max(prior_sigma, 1e-6) ** 2
    )
    root, failed = torch.linalg.cholesky_ex(precision)
    # The field of a run that diverged is too steep for the numbers: nothing is expected of it.
    covariance = torch.full_like(precision, math.nan) if failed else torch.cholesky_inverse(root)
    return Posterior(decoder, code, covariance.to(code.dtype), math.sqrt(variance))


def _values(
    decoder: Representation, code: Tensor, points: Float[Tensor, "n dims"], times: Tensor
) -> Float[Tensor, " n"]:
    """The field at points; each point is a frame of its own."""
    codes = code if code.ndim == 2 else code.expand(len(points), -1)
    return decoder.distances(codes, times, points[:, None])[:, 0]


def _slopes(
    decoder: Representation, code: Tensor, points: Float[Tensor, "n dims"], times: Tensor
) -> Float[Tensor, "n code"]:
    """How the field at each point changes with the code."""
    codes = code.expand(len(points), -1).clone().requires_grad_()
    (slopes,) = torch.autograd.grad(_values(decoder, codes, points, times).sum(), codes)
    return slopes
