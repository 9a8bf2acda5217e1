"""Movies that belong together: the same label images under two names or on two grids, and one movie cut into parts.

A TIFF beside its copy as OME-TIFF would count every cell twice, and a movie in parts every cell once a part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from math import dist, prod
from pathlib import Path

from cytoform.movies.families import FamilyFrame, FamilySearch
from cytoform.movies.metadata import contradict, sizes_text
from cytoform.movies.movie import LabelMovie
from cytoform.movies.readers.numbering import natural_order, stem

# One cell in the middle of its crop is no sign.
FEWEST_COMMON = 2
# Volumes of a cell on two grids differ by less.
SAME_VOLUME = 1.25

Found = tuple[LabelMovie, FamilySearch]


@dataclass(frozen=True)
class Copy:
    """A movie with the label images of another. It is left out if its name says so too."""

    movie: LabelMovie
    first: LabelMovie
    is_left_out: bool
    # Whether the grids differ, so that only places and volumes can be compared.
    is_resampled: bool = False

    @property
    def notice(self) -> str:
        """One line for the user."""
        scale = ""
        if contradict(self.movie.spacing_zyx_um, self.first.spacing_zyx_um):
            own, other = (sizes_text(movie.spacing_zyx_um) for movie in (self.movie, self.first))
            scale = f", with voxels of {own} µm where it has {other} µm"
        end = "left out" if self.is_left_out else "its cells count twice, give only one of the two"
        if self.is_resampled:
            return f"{self.movie.source}: the same cells as {self.first.source}, on another grid{scale}; {end}"
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
            if other := next((one for one, its in firsts if _is_resampled((one, its), (movie, search))), None):
                copies.append(Copy(movie, other, is_left_out=False, is_resampled=True))
            firsts.append((movie, search))
            continue
        names = sorted((stem(Path(one.source)).lower() for one in (movie, first)), key=len)
        copies.append(Copy(movie, first, is_left_out=names[0] in names[1]))
    return copies


def _is_resampled(one: Found, other: Found) -> bool:
    """Whether two movies on different grids show the same cells: at the same places in µm, with the same volumes."""
    (movie, search), (other_movie, other_search) = one, other
    same_grid = not contradict(movie.spacing_zyx_um, other_movie.spacing_zyx_um)
    if same_grid or movie.n_frames != other_movie.n_frames or len(search.families) != len(other_search.families):
        return False
    voxels_um3 = prod(movie.spacing_zyx_um), prod(other_movie.spacing_zyx_um)
    reach_um = max(*movie.spacing_zyx_um, *other_movie.spacing_zyx_um)
    pairs = [
        (a, b)
        for own, its in zip(search.families, other_search.families, strict=True)
        for a, b in zip_longest(own.frames, its.frames)
    ]
    return len(pairs) >= FEWEST_COMMON and all(
        a is not None
        and b is not None
        and dist(a.centroid_zyx_um, b.centroid_zyx_um) <= reach_um
        and a.n_voxels * voxels_um3[0] <= SAME_VOLUME * b.n_voxels * voxels_um3[1]
        and b.n_voxels * voxels_um3[1] <= SAME_VOLUME * a.n_voxels * voxels_um3[0]
        for a, b in pairs
    )


def continued(found: Sequence[Found]) -> dict[str, str]:
    """Notices, by source, about movies that begin where another one in the folder ends, with the same labels."""
    ordered = sorted(found, key=lambda one: natural_order(Path(one[0].source)))
    notices = {}
    for (before, its_search), (after, search) in pairwise(ordered):
        if Path(before.source).parent != Path(after.source).parent or before.shape_zyx != after.shape_zyx:
            continue
        ending = {
            family.root: family.frames[-1] for family in its_search.families if family.last == before.n_frames - 1
        }
        beginning = {family.root: family.frames[0] for family in search.families if family.first == 0}
        common = ending.keys() & beginning.keys()
        if len(common) >= FEWEST_COMMON and all(_is_same_place(ending[root], beginning[root]) for root in common):
            notices[after.source] = (
                f"{after.source}: its {len(common)} labels begin where they end in {before.source}; join the files if they are "
                "parts of one movie"
            )
    return notices


def _is_same_place(one: FamilyFrame, other: FamilyFrame) -> bool:
    """Whether the boxes of two families have more than half of their volume in common."""
    sides = list(zip(one.box_zyx, other.box_zyx, strict=True))
    common = prod(max(0, min(a.stop, b.stop) - max(a.start, b.start)) for a, b in sides)
    return 2 * common > max(prod(side.stop - side.start for side in box) for box in zip(*sides, strict=True))


def _rank(found: Found) -> tuple[int, bool, bool]:
    """Longer movies first, then movies with a lineage and a time step."""
    movie, search = found
    return -len(set(search.fingerprints)), movie.lineage is None, movie.time_step_s is None
