"""Realism of generated microscope images, measured without networks and pretrained weights."""
