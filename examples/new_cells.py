# %% [markdown]
# # New cells without data
#
# A notebook kept as text: jupytext and most editors open it as one. It takes a model that comes with cytoform, draws new
# cells, measures them, and writes a mesh.

# %%
from pathlib import Path

import cytoform

cells = cytoform.load("zoo:mitosis")
print(f"{len(cells.names)} learned cells, codes of {cells.flat_codes.shape[1]} numbers")

# %% [markdown]
# Three new cells. Each is a function of place and time: times run from -1, the first frame, to 1, the last.

# %%
new = cytoform.draw(cells, 3, seed=0)
for number, cell in enumerate(new):
    volumes = [cell.mesh(time).volume_um3 for time in (-1.0, 0.0, 1.0)]
    print(
        f"new cell {number}: {', '.join(f'{volume:.0f}' for volume in volumes)} µm³ at the start, in the middle, at the end"
    )

# %%
new[0].mesh(0.0).write("new.ply")
print(f"wrote new.ply, {Path('new.ply').stat().st_size / 1e3:.0f} kB")
