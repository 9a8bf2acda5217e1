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

from cytoform.pictures.film.style import MovieStyle
from cytoform.pictures.film.write import Movie, write_movie

__all__ = ["Movie", "MovieStyle", "write_movie"]
