"""Cells in 3D on a page: element.py what to show, coding.py its data, web/ what the browser runs, view.py a page of its own."""
