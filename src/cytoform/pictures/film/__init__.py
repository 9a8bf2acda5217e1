"""Pictures that move, made without a display: time-lapses and turntables of the cells of shape stores.

style.py     what a user may choose
cast.py      which cells are shown
timeline.py  what is seen when
framing.py   one view and one scale that show all of it whole
page.py      a picture before it is drawn
layout.py    where things lie on it
letters.py   the font
drawing.py   a picture drawn
encoders.py  pictures to MP4 and PNG
gif.py       pictures to GIF
write.py     all of it in order
"""

from cytoform.pictures.film.style import MovieStyle
from cytoform.pictures.film.write import Movie, write_movie

__all__ = ["Movie", "MovieStyle", "write_movie"]
