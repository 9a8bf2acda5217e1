"""Predict a descriptor of a cell from its code, with the error of the prediction."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from cytoform.errors import InputError

FEWEST_CELLS = 4
# Of the ridge, over a variance of the codes that is scaled to 1; which of them is chosen by leaving one out.
PENALTIES = np.logspace(-3, 3, 13)


@dataclass(frozen=True)
class Regression:
    """A ridge regression from codes to one descriptor, which is one on all their principal components.

    `rmse` and `r2` are of cells that were left out, each in turn, from everything that was fitted. R² is NaN where
    all cells are alike, and negative where their mean would have been the better prediction.
    """

    rmse: float
    r2: float
    lowest: float
    highest: float
    n_cells: int
    _scale: float
    _ridge: Any

    def __call__(self, codes: Float[np.ndarray, "n code"]) -> Float[np.ndarray, " n"]:
        """Predicted descriptors."""
        return np.asarray(self._ridge.predict(codes / self._scale))

    def refitted(self, codes: Float[np.ndarray, "n code"], values: Float[np.ndarray, " n"]) -> "Regression":
        """Fitted to more cells. The error is now the ridge's own, by the closed form of leaving one out."""
        ridge = _fit_ridge(codes, values, self._scale)
        return replace(self, rmse=(-float(ridge.best_score_)) ** 0.5, _ridge=ridge)


def fit_regression(codes: Float[np.ndarray, "n code"], values: Float[np.ndarray, " n"]) -> Regression:
    """Fit to the cells with a defined descriptor (not NaN). Raises InputError for fewer than four."""
    from sklearn.model_selection import LeaveOneOut, cross_val_predict

    defined = np.isfinite(values)
    codes, values = codes[defined].astype(float), values[defined]
    if len(values) < FEWEST_CELLS:
        raise InputError(f"{len(values)} learned cells have it, a regression needs at least {FEWEST_CELLS}")
    scale = float(np.sqrt(codes.var(axis=0).sum())) or 1.0
    ridge = _fit_ridge(codes, values, scale)
    left_out = cross_val_predict(ridge, codes / scale, values, cv=LeaveOneOut())
    mean_square = float(np.square(left_out - values).mean())
    variance = float(values.var())
    return Regression(
        rmse=mean_square**0.5,
        r2=1 - mean_square / variance if variance > 0 else float("nan"),
        lowest=float(values.min()),
        highest=float(values.max()),
        n_cells=len(values),
        _scale=scale,
        _ridge=ridge,
    )


def _fit_ridge(codes: Float[np.ndarray, "n code"], values: Float[np.ndarray, " n"], scale: float) -> Any:
    from sklearn.linear_model import RidgeCV

    defined = np.isfinite(values)
    return RidgeCV(PENALTIES).fit(codes[defined] / scale, values[defined])
