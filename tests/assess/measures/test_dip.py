"""DIPlib in processes that have loaded something else before."""

import subprocess
import sys

import pytest

from cytoform.assess.measures.dip import load_diplib


def test_it_is_loaded_once() -> None:
    assert load_diplib() is load_diplib() is sys.modules["diplib"]


def test_without_a_wheel_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diplib", None)
    assert load_diplib() is None


def test_it_is_loaded_beside_a_part_of_ipython() -> None:
    """As in a process that has run a notebook."""
    pytest.importorskip("IPython")
    code = "import IPython.core.display\nfrom cytoform.assess.measures.dip import load_diplib\nload_diplib().Image"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
