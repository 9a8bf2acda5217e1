"""The stage from label movies to a shape store: find cell families, clean and measure them, choose a cube, write distances."""

from cytoform.base.lazy import importer, make_callable

_MODULES = {
    "Failure": "cytoform.prepare.failures",
    "Prepared": "cytoform.prepare.stage",
    "prepare": "cytoform.prepare.stage",
}
__all__ = [*_MODULES]
__getattr__ = importer(__name__, _MODULES)
make_callable(__name__)
