"""A texture by what a user calls it."""

from pathlib import Path

import numpy as np
import pytest

from cytoform.errors import InputError
from cytoform.imaging.optics import OpticsParameters
from cytoform.imaging.texture import Texture, open_texture


def test_optics_by_word_preset_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "optics").mkdir()  # a folder of that name does not hide the word
    file = tmp_path / "microscope.toml"
    file.write_text(OpticsParameters().to_toml())
    labels = np.ones((1, 12, 12), np.uint16)
    images = []
    for what in ("optics", file, "fluo-n2dl-hela"):
        texture = open_texture(what)
        assert isinstance(texture, Texture)
        images.append(texture.render(labels, spacing_zyx_um=(1.0, 0.5, 0.5), frame=0, seed=0))
        assert images[-1].dtype == texture.dtype
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_no_such_texture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none: no such file or folder; give .* or optics, fluo-n2dl-hela"):
        open_texture(tmp_path / "none")
