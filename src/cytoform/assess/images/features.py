"""Feature distance without a network: responses to Gabor filters and the Fréchet distance."""

import numpy as np
from jaxtyping import Float

PERIODS_PX = (3.0, 6.0, 12.0, 24.0)
DIRECTIONS = 4
# Standard deviation of a filter's Gaussian over its period: a bandwidth of about an octave.
EXTENT = 0.56
LEAST = 1e-6


def feature_names() -> tuple[str, ...]:
    """Names of the entries of a feature vector."""
    filters = [f"period {p:g} px, {180 * d // DIRECTIONS}°" for p in PERIODS_PX for d in range(DIRECTIONS)]
    return ("mean", "standard deviation", *(f"strength, {f}" for f in filters), *(f"patchiness, {f}" for f in filters))


def texture_features(squares: Float[np.ndarray, "n side side"], *, unit: float) -> Float[np.ndarray, "n features"]:
    """Feature vector of each square: mean and spread of its intensities in `unit`, and two features per Gabor filter.

    These are the logarithm of the mean response magnitude, and its patchiness: its standard deviation over its mean.
    Directions are separate features, because DIC images are lit from one side.
    """
    from scipy import fft

    side = squares.shape[1]
    margin = side // 2
    scaled = (squares / unit).astype(np.float32)
    centred = scaled - scaled.mean(axis=(1, 2), keepdims=True)
    spectrum = fft.fft2(np.pad(centred, ((0, 0), (margin, margin), (margin, margin)), mode="symmetric"))
    strengths, patchiness = [], []
    for answer in filter_bank(side + 2 * margin):
        strength = np.abs(fft.ifft2(spectrum * answer.astype(np.float32)))
        strength = strength[:, margin : margin + side, margin : margin + side].astype(np.float64)
        mean = strength.mean(axis=(1, 2))
        strengths.append(np.log(mean + LEAST))
        patchiness.append(strength.std(axis=(1, 2)) / (mean + LEAST))
    plain = [squares.mean(axis=(1, 2)) / unit, squares.std(axis=(1, 2)) / unit]
    return np.stack([*plain, *strengths, *patchiness], axis=1)


def filter_bank(side: int) -> Float[np.ndarray, "filters side side"]:
    """Frequency responses of Gabor filters: Gaussians around one frequency each, with zero response to a constant."""
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :]
    bank = []
    for period in PERIODS_PX:
        for direction in range(DIRECTIONS):
            angle = np.pi * direction / DIRECTIONS
            off_y, off_x = fy - np.sin(angle) / period, fx - np.cos(angle) / period
            response = np.exp(-2 * (np.pi * EXTENT * period) ** 2 * (off_y**2 + off_x**2))
            response[0, 0] = 0.0
            bank.append(response)
    return np.stack(bank)


def frechet_distance(
    real: Float[np.ndarray, "n features"],
    other: Float[np.ndarray, "m features"],
    *,
    weights: tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]] | None = None,
) -> float:
    """Fréchet distance of normal distributions fitted to two weighted sets of vectors (Dowson and Landau 1982).

    |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½), as in the Fréchet inception distance.
    """
    (m1, c1), (m2, c2) = (
        _moments(values, weight)
        for values, weight in zip((real, other), weights or (np.ones(len(real)), np.ones(len(other))), strict=True)
    )
    root = _root(c1)
    crossed = np.linalg.eigvalsh(root @ c2 @ root)
    cross = np.sqrt(np.maximum(crossed, 0)).sum()
    return float(np.sum((m1 - m2) ** 2) + np.trace(c1) + np.trace(c2) - 2 * cross)


def _moments(
    values: Float[np.ndarray, "n features"], weights: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " features"], Float[np.ndarray, "features features"]]:
    mean = weights @ values / weights.sum()
    centred = values - mean
    return mean, (weights[:, None] * centred).T @ centred / weights.sum()


def _root(covariance: Float[np.ndarray, "k k"]) -> Float[np.ndarray, "k k"]:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)
