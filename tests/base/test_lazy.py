"""Packages that load their modules late, and stages that can be called whatever was imported before."""

import subprocess
import sys

import pytest

from cytoform.base.lazy import importer


def test_a_name_comes_from_its_module() -> None:
    load = importer("package", {"dumps": "json"})
    assert load("dumps")([1]) == "[1]"
    with pytest.raises(AttributeError, match="module 'package' has no attribute 'loads'"):
        load("loads")


@pytest.mark.parametrize("name", ["prepare", "simulate", "simulate.population", "demo"])
def test_a_stage_named_like_its_package_stays_callable(name: str) -> None:
    """Importing the package binds its name in `cytoform`, over the function of that name."""
    owner, _, function = f"cytoform.{name}".rpartition(".")
    code = (
        f"import {owner} as owner\nbefore = owner.{function}\nafter = owner.{function}\n"
        f"for call in (before, after):\n"
        f"    try:\n        call(no_such_argument=1)\n    except TypeError as fault:\n        print(fault)\n"
        f"assert after.{function} is before, 'the package has gone'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"{function}() got an unexpected keyword argument 'no_such_argument'") == 2
