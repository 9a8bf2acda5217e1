"""Pictures that move, made without a display: time-lapses and turntables of the cells of shape stores.

style.py     what a user may choose
cast.py      which cells are shown
timeline.py  what is seen when
framing.py   one view and one scale that show all of it whole
page.py      a picture before it is drawn
layout.py    where things lie on it
font.py      the font
drawing.py   a picture drawn
encoders.py  pictures to MP4 and PNG
gif.py       pictures to GIF
write.py     all of it in order
"""

from cytoform.base.lazy import importer

_MODULES = {
    "Movie": "cytoform.pictures.film.write",
    "MovieStyle": "cytoform.pictures.film.style",
    "write_movie": "cytoform.pictures.film.write",
}
__all__ = [*_MODULES]
__getattr__ = importer(__name__, _MODULES)
