"""3D views of cells in a page: element.py (a player), coding.py (its data), web/ (runs in the browser), view.py (a page)."""
