"""How like real microscope images are generated ones? Measures without a network and without downloaded weights."""
