"""Zip files with Zarr inside."""

import zipfile

import pytest

from cytoform.errors import InputError
from cytoform.movies.readers import open_movies


def test_a_name_in_a_zip_file_that_is_no_text(tmp_path):
    path = tmp_path / "a.ozx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("zärr.json", "{}")
    path.write_bytes(path.read_bytes().replace("ä".encode(), b"\xb6\xb6"))
    with pytest.raises(InputError, match=r"a\.ozx: not a whole zip file"):
        open_movies(path)
