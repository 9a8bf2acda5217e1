"""Radially averaged power spectra and their distance."""

import numpy as np
from jaxtyping import Float

# Rings are logarithmic: with linear rings, a distance would be dominated by the finest structures.
BINS_PER_OCTAVE = 4


def ring_of_frequency(side: int) -> tuple[np.ndarray, Float[np.ndarray, " rings"]]:
    """Ring index of each frequency of a real Fourier transform (-1 for none), and the rings' middles in cycles per pixel.

    Rings are a quarter of an octave wide, from one cycle per half square (the resolution of the window) to half a cycle
    per pixel. Empty rings are left out.
    """
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    n_rings = int(np.ceil(BINS_PER_OCTAVE * np.log2(0.5 * side / 2)))
    edges = 0.5 * 2.0 ** (-np.arange(n_rings, -1, -1) / BINS_PER_OCTAVE)
    ring = np.searchsorted(edges, radius, side="left") - 1
    ring[(ring < 0) | (ring >= n_rings)] = -1
    filled = np.unique(ring[ring >= 0])
    numbers = np.full(n_rings + 1, -1)
    numbers[filled] = np.arange(len(filled))
    return numbers[ring], np.sqrt(edges[filled] * edges[filled + 1])


def power_spectra(squares: Float[np.ndarray, "n side side"]) -> Float[np.ndarray, "n rings"]:
    """Mean power of each square in each ring of frequencies; equals the variance for white noise.

    The mean is subtracted and a Hann window applied, which suppresses the discontinuity at the borders.
    """
    side = squares.shape[1]
    window = np.outer(*2 * [np.hanning(side + 1)[:-1]])
    centred = squares - squares.mean(axis=(1, 2), keepdims=True)
    power = np.abs(np.fft.rfft2(centred * window)) ** 2 / (window**2).sum()
    ring, middles = ring_of_frequency(side)
    # Frequencies of the first and last column of the half plane count once, others for themselves and their conjugate.
    twice = np.full(ring.shape, 2.0)
    twice[:, 0] = 1.0
    if side % 2 == 0:
        twice[:, -1] = 1.0
    flat, weights = ring.ravel(), twice.ravel()
    inside = flat >= 0
    member = np.zeros((len(middles), inside.sum()))
    member[flat[inside], np.arange(inside.sum())] = weights[inside]
    return (power.reshape(len(squares), -1)[:, inside] @ member.T) / member.sum(axis=1)


def decibels(power: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Power in decibels, at least -120."""
    return 10 * np.log10(np.maximum(power, 1e-12))


def spectrum_distance(a: Float[np.ndarray, " rings"], b: Float[np.ndarray, " rings"]) -> float:
    """Root mean square difference of two power spectra, in dB."""
    return float(np.sqrt(np.mean((decibels(a) - decibels(b)) ** 2)))
