"""A cell with branching filopodia on anisotropic voxels, written as a mesh and as a movie."""

from pathlib import Path

from cytoform.simulate import FilopodiaParameters, simulate
from cytoform.simulate.sampling import mesh_of_part

parameters = FilopodiaParameters(number=12, length_um=5.0, branches_per_min=0.3)
(cell,) = simulate(
    parameters,
    Path("filopodia"),
    n_cells=1,
    n_frames=4,
    seed=1,
    spacing_zyx_um=(1.0, 0.09, 0.09),
    time_step_s=20.0,
    overwrite=True,
)
mesh = mesh_of_part(cell.cell.parts(3)[0], spacing_um=0.1)
mesh.write(Path("filopodia/cell.ply"))
print(f"{mesh.volume_um3:.1f} µm³, {mesh.area_um2:.1f} µm²")
