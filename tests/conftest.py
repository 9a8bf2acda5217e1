"""Shapes in signatures are checked at run time in every test; where the real cells lie."""

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

install_import_hook("cytoform", "beartype.beartype")

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real cells: a missing one fails in CI and skips elsewhere."""
    if not REAL_DATA.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{REAL_DATA}: the real cells are missing")
        pytest.skip("the real cells are not on this machine")
    return REAL_DATA
