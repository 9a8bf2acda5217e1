"""Zarr in folders and zip files that is not what it claims."""

import json
import zipfile

import numpy as np
import pytest
import zarr

from cytoform.errors import InputError
from cytoform.movies.readers import open_movies


def test_a_name_in_a_zip_file_that_is_no_text(tmp_path):
    path = tmp_path / "a.ozx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("zärr.json", "{}")
    path.write_bytes(path.read_bytes().replace("ä".encode(), b"\xb6\xb6"))
    with pytest.raises(InputError, match=r"a\.ozx: not a whole zip file"):
        open_movies(path)


def test_a_shape_of_more_chunks_than_there_can_be(tmp_path):
    path = tmp_path / "a.zarr"
    labels = np.ones((4, 6, 10, 12), np.uint16)
    zarr.create_array(path, shape=labels.shape, chunks=(1, 6, 10, 12), dtype=labels.dtype)[...] = labels
    metadata = json.loads((path / "zarr.json").read_text())
    metadata["shape"][-1] = 777_772
    (path / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(InputError, match=r"claim frames of 64815 chunks but there are 5 files"):
        open_movies(path, axes="TZYX", voxel_size_zyx_um=(1.0, 1.0, 1.0))
