"""Fingerprints of files and folders."""

import hashlib
import os
from pathlib import Path

import pytest

from cytoform.base.digest import file_sha256, folder_sha256
from cytoform.errors import InputError


def test_a_file_has_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"cell" * 1000)
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"cell" * 1000).hexdigest()


def test_a_folder_depends_on_names_and_bytes_within_it_alone(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "in").mkdir(parents=True)
        (tmp_path / folder / "in" / "a").write_bytes(b"a")
    before = folder_sha256(tmp_path / "one")
    assert before == folder_sha256(tmp_path / "two")
    (tmp_path / "two" / "in" / "a").write_bytes(b"b")
    (tmp_path / "one" / "in" / "a").rename(tmp_path / "one" / "in" / "b")
    assert len({before, folder_sha256(tmp_path / "one"), folder_sha256(tmp_path / "two")}) == 3


def test_what_may_never_end_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    for name in ("pipe", "zeros"):
        with pytest.raises(InputError, match=f"{name}: a pipe, socket or device"):
            file_sha256(tmp_path / name)


def test_names_that_are_no_text_count_too(tmp_path: Path) -> None:
    digests = set()
    for name in ("a", "\udcff", "\udcfe"):
        (tmp_path / name).write_bytes(b"the same")
        digests.add(folder_sha256(tmp_path))
        (tmp_path / name).unlink()
    assert len(digests) == 3
