"""OME-Zarr images with labels: valid by the standard's own models, and read back with their scale."""

from pathlib import Path

import numpy as np
import pytest
import zarr
from ome_zarr_models.v05.image import Image
from ome_zarr_models.v05.image_label import ImageLabel

from cytoform.base.ome import OmeMovie
from cytoform.movies.readers import open_movies


@pytest.mark.parametrize("step", [None, 30.0])
def test_an_image_with_labels_is_valid_and_keeps_its_scale(step: float | None, tmp_path: Path) -> None:
    root = zarr.create_group(tmp_path / "cells.zarr", zarr_format=3)
    movie = OmeMovie(3, (4, 6, 8), (4, 4, 4), (0.5, 0.25, 0.125), step)
    image = movie.create(root, "cells", "float32", fill_value=7.0)
    labels = movie.create_labels(root, "mask", "uint8", label={"source": {"image": "../../"}})
    labels[1] = np.ones((4, 6, 8))
    for model, path in ((Image, "cells.zarr"), (ImageLabel, "cells.zarr/labels/mask")):
        scale, shift = (
            model.from_zarr(zarr.open_group(tmp_path / path, mode="r"))
            .attributes.ome.multiscales[0]
            .datasets[0]
            .coordinateTransformations
        )
        assert scale.scale == [step or 1.0, 0.5, 0.25, 0.125]
        assert shift.translation == [0.0, 0.25, 0.125, 0.0625]
    assert (image.shape, image.chunks, image.fill_value) == ((3, 4, 6, 8), (1, 4, 4, 4), 7.0)
    assert (image[2] == 7).all()
    (read,) = open_movies(tmp_path / "cells.zarr")
    assert (read.spacing_zyx_um, read.time_step_s) == ((0.5, 0.25, 0.125), step)
    assert read.read(1).sum() == 4 * 6 * 8


def test_labels_need_no_image(tmp_path: Path) -> None:
    root = zarr.create_group(tmp_path / "cells.zarr", zarr_format=3)
    OmeMovie(1, (4, 6, 8), (4, 6, 8), (1.0, 1.0, 1.0), None).create_labels(root, "cells", "uint16", label={})
    assert "ome" not in root.attrs
    (read,) = open_movies(tmp_path / "cells.zarr")
    assert read.shape_zyx == (4, 6, 8)
