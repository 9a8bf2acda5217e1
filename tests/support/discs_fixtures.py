"""Fixtures: the discs, and a texture model trained for a few steps."""

from pathlib import Path

import pytest
from discs import tiny_texture, write_discs

from cytoform.imaging.networks.stage import train_texture
from cytoform.movies.pairs.pairs import open_pairs


@pytest.fixture(scope="session")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five image-mask pairs of 64×64 pixels."""
    return write_discs(tmp_path_factory.mktemp("discs") / "discs")


@pytest.fixture(scope="session")
def texture(discs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A texture model for pixels of 0.5 µm."""
    out = tmp_path_factory.mktemp("texture") / "texture"
    train_texture(open_pairs([discs], spacing_zyx_um=(1.0, 0.5, 0.5)), out, tiny_texture())
    return out
