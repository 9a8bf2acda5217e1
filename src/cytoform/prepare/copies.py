"""The same label images under two names, such as a TIFF and its copy as OME-TIFF: cells must not count twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cytoform.movies.families import FamilySearch
from cytoform.movies.metadata import contradict, sizes_text
from cytoform.movies.movie import LabelMovie
from cytoform.movies.readers.numbering import stem

Found = tuple[LabelMovie, FamilySearch]


@dataclass(frozen=True)
class Copy:
    """A movie with the label images of another. It is left out if its name says so too."""

    movie: LabelMovie
    first: LabelMovie
    is_left_out: bool

    @property
    def notice(self) -> str:
        """One line for the user."""
        scale = ""
        if contradict(self.movie.spacing_zyx_um, self.first.spacing_zyx_um):
            own, other = (sizes_text(movie.spacing_zyx_um) for movie in (self.movie, self.first))
            scale = f", with voxels of {own} µm where it has {other} µm"
        end = "left out" if self.is_left_out else "its cells count twice, give only one of the two"
        return f"{self.movie.source}: the same label images as {self.first.source}{scale}; {end}"


def find_copies(found: Sequence[Found]) -> list[Copy]:
    """Movies in which every frame is a frame of another movie.

    The copy is the shorter one, or the one with less metadata. It is left out if the name of one is in the name of the
    other, endings aside: cells.tif and cells.ome.tif, cells.zarr or copy_of_cells.tif.
    """
    firsts: list[Found] = []
    copies = []
    for movie, search in sorted(found, key=_rank):
        frames = set(search.fingerprints)
        first = next((one for one, other in firsts if frames <= set(other.fingerprints)), None)
        if first is None:
            firsts.append((movie, search))
            continue
        names = sorted((stem(Path(one.source)).lower() for one in (movie, first)), key=len)
        copies.append(Copy(movie, first, is_left_out=names[0] in names[1]))
    return copies


def _rank(found: Found) -> tuple[int, bool, bool]:
    """Longer movies first, then movies with a lineage and a time step."""
    movie, search = found
    return -len(set(search.fingerprints)), movie.lineage is None, movie.time_step_s is None
