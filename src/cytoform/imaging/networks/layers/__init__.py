"""Generators and discriminators: pix2pixHD (Wang et al. 2018) and SPADE (Park et al. 2019)."""
