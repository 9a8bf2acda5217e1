"""Simulated living cells with exact geometry: `population` draws them, `simulate` writes them as movies."""

from cytoform.simulate.filopodia import FilopodiaCell, FilopodiaParameters
from cytoform.simulate.mitosis import MitosisCell, MitosisParameters
from cytoform.simulate.population import SimulatedFamily, population, simulate

__all__ = [
    "FilopodiaCell",
    "FilopodiaParameters",
    "MitosisCell",
    "MitosisParameters",
    "SimulatedFamily",
    "population",
    "simulate",
]
