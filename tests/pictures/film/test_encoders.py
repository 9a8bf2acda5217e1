"""Encoders alone, with pictures of our own."""

from fractions import Fraction
from pathlib import Path

import numpy as np

from cytoform.pictures.film import MovieStyle
from cytoform.pictures.film.encoders import EncoderSettings, encoder
from cytoform.pictures.film.style import FORMATS

HEIGHT, WIDTH = 120, 160  # neither whole blocks of H.264 nor whole rows of a vector register


def drifting_noise(n: int) -> list[np.ndarray]:
    """Smooth noise that drifts and brightens, so that the encoder has motion to follow."""
    rng = np.random.default_rng(0)
    coarse = rng.uniform(0, 200, (HEIGHT // 8 + 8, WIDTH // 8 + 8, 4))
    fine = np.kron(coarse, np.ones((8, 8, 1)))
    return [(fine[k : k + HEIGHT, k : k + WIDTH] + k).astype(np.uint8) for k in range(n)]


def test_an_mp4_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    """Whatever was in the memory that the encoder is given: 2 to 60 of 100 differed where x264 read what it had not written."""
    settings = EncoderSettings((WIDTH, HEIGHT), Fraction(25), MovieStyle(), 1, "noise")
    pictures, rng, files = drifting_noise(24), np.random.default_rng(1), set()
    for _ in range(12):
        used = [np.full(rng.integers(1, 300_000), rng.integers(0, 255), np.uint8) for _ in range(60)][::2]
        with encoder(FORMATS[".mp4"], tmp_path / "a.mp4", settings) as show:
            for picture in pictures:
                show(picture)
        files.add((tmp_path / "a.mp4").read_bytes())
        del used
    assert len(files) == 1
