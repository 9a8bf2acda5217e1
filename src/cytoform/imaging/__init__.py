"""Microscope images of masks, made by a network trained on real images or by a physical model of the microscope."""
