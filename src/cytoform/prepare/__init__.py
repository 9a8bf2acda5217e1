"""The stage from label movies to a shape store: follow the families, measure them, choose one cube, write distances."""

from cytoform.prepare.failures import Failure
from cytoform.prepare.stage import Prepared, prepare

__all__ = ["Failure", "Prepared", "prepare"]
