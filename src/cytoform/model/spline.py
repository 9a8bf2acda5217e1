"""Splines over network time: what a code that changes with time is made of."""

import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.config import SPLINE_DEGREE


def spline_weights(times: Float[Tensor, " n"], n_knots: int) -> Float[Tensor, "n knots"]:
    """How much each of `n_knots` control points counts at `times` in [-1, 1], for a uniform cubic B-spline.

    Weights sum to 1 and at most four of them are not 0. With one control point everything is constant. Times outside
    continue the first or last piece. (de Boor 1978, A Practical Guide to Splines)
    """
    if n_knots == 1:
        return torch.ones_like(times)[:, None]
    n_pieces = n_knots - SPLINE_DEGREE
    place = (times + 1) / 2 * n_pieces
    piece = place.floor().clamp(0, n_pieces - 1)
    u = place - piece
    values = (1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3
    weights = torch.zeros(len(times), n_knots, dtype=times.dtype, device=times.device)
    columns = piece.long()[:, None] + torch.arange(SPLINE_DEGREE + 1, device=times.device)
    return weights.scatter(1, columns, torch.stack(values, dim=1) / 6)
