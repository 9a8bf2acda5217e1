"""Learned cell shapes in napari: a thin face of cytoform, whose Python calls do all the work."""
