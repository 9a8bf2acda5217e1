"""Networks that make images of masks, and those that judge them: pix2pixHD (Wang et al. 2018) and SPADE (Park et al. 2019)."""
