"""Simulated living cells with known truth: `population` draws them, `simulate` writes them as movies."""

from cytoform.movies.simulate.filopodia import FilopodiaCell, FilopodiaParameters
from cytoform.movies.simulate.mitosis import MitosisCell, MitosisParameters
from cytoform.movies.simulate.population import SimulatedFamily, population, simulate

__all__ = [
    "FilopodiaCell",
    "FilopodiaParameters",
    "MitosisCell",
    "MitosisParameters",
    "SimulatedFamily",
    "population",
    "simulate",
]
