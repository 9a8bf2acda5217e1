"""Simulated living cells with exact geometry: `population` draws them, `simulate` writes them as movies."""

from cytoform.base.lazy import importer, make_callable

_MODULES = {
    "BlebsCell": "cytoform.simulate.blebs",
    "BlebsParameters": "cytoform.simulate.parameters",
    "FilopodiaCell": "cytoform.simulate.filopodia",
    "FilopodiaParameters": "cytoform.simulate.parameters",
    "MitosisCell": "cytoform.simulate.mitosis",
    "MitosisParameters": "cytoform.simulate.parameters",
    "SimulatedFamily": "cytoform.simulate.population",
    "population": "cytoform.simulate.population",
    "simulate": "cytoform.simulate.population",
}
__all__ = [*_MODULES]
__getattr__ = importer(__name__, _MODULES)
make_callable(__name__)
