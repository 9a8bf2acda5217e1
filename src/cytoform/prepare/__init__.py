"""The stage from label movies to a shape store: find cell families, clean and measure them, choose a cube, write distances."""

from cytoform.prepare.failures import Failure
from cytoform.prepare.stage import Prepared, prepare

__all__ = ["Failure", "Prepared", "prepare"]
