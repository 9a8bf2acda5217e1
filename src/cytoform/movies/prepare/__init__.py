"""The stage from label movies to a shape store: follow the families, measure them, choose one cube, write distances."""

from cytoform.movies.prepare.failures import Failure
from cytoform.movies.prepare.stage import Prepared, prepare

__all__ = ["Failure", "Prepared", "prepare"]
