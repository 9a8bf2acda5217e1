"""The physical baseline: fluorophores in cells, seen through a microscope of known optics by a camera of known noise."""

from cytoform.imaging.optics.optics import Optics
from cytoform.imaging.optics.parameters import OpticsParameters, read_parameters

__all__ = ["Optics", "OpticsParameters", "read_parameters"]
