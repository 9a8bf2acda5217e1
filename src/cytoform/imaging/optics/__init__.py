"""Optical model: fluorophores in cells, imaged through a point-spread function by a noisy camera."""

from cytoform.imaging.optics.optics import Optics
from cytoform.imaging.optics.parameters import OpticsParameters, read_parameters

__all__ = ["Optics", "OpticsParameters", "read_parameters"]
