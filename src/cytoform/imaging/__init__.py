"""Masks -> microscope images: by networks that learned real images, or by the physics of a microscope."""
