"""DIPlib, where it can be imported."""

import contextlib
import importlib
import sys
from typing import Any


def load_diplib() -> Any:
    """The module `diplib`; None on processors for which it has no wheel."""
    if "IPython" in sys.modules:
        # DIPlib's viewer takes for granted that this part is loaded, which newer IPython does only when it is used.
        with contextlib.suppress(ImportError):
            importlib.import_module("IPython.terminal.pt_inputhooks")
    try:
        return importlib.import_module("diplib")
    except ImportError:
        return None
