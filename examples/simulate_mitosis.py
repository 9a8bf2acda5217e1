"""Dividing cells with exact distances: writes three movies, and evaluates the distance at a point and time."""

from pathlib import Path

import numpy as np

from cytoform.simulate import MitosisParameters, simulate

parameters = MitosisParameters(generations=1, daughter_share=0.6)
families = simulate(
    parameters,
    Path("mitosis"),
    n_cells=3,
    n_frames=12,
    seed=1,
    spacing_zyx_um=(0.2, 0.2, 0.2),
    time_step_s=60.0,
    overwrite=True,
)
for family in families:
    middle = np.array([family.shape_zyx]) * 0.2 / 2
    print(family.name, family.lineage.tracks, family.distance_um(middle, 5.5), "µm from the surface at frame 5.5")
