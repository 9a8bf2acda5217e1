"""Movies of cells: time-lapses and turntables of shape stores, rendered without a display.

style.py     settings and formats
cast.py      choice of cells
timeline.py  frame and camera angle of every picture
framing.py   common view and scale
page.py      contents of a picture before drawing
layout.py    positions on a picture
font.py      text
drawing.py   pictures
encoders.py  MP4 and PNG
gif.py       GIF
write.py     all steps
"""

from cytoform.base.lazy import importer

_MODULES = {
    "Movie": "cytoform.pictures.film.write",
    "MovieStyle": "cytoform.pictures.film.style",
    "write_movie": "cytoform.pictures.film.write",
}
__all__ = [*_MODULES]
__getattr__ = importer(__name__, _MODULES)
