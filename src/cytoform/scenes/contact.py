"""Cells in contact: where the cells of a frame meet, they change shape instead of overlapping, and keep their sizes.

Each cell of the frame that meets another brings its distance field on a box of the scene; `competition.py` says which
voxels it keeps.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import edt
import numpy as np
from jaxtyping import Bool, Float32
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cytoform.base.files import write_json
from cytoform.base.gate import Record, read_json
from cytoform.base.triples import Floats, Slices, floats, ints
from cytoform.errors import InputError
from cytoform.scenes.bodies import ANEW, BoxWriter, Sampled, Shape, Taken, sampled
from cytoform.scenes.competition import FAR_UM, Competition, Competitor, pairs_of_boxes
from cytoform.scenes.compose import LEAST_SHARE, Placement, View
from cytoform.scenes.room import Room
from cytoform.shapes.sequence import SMALLEST_UM

# How far around a cell its field is known, in radii of a ball of its size; farther where cells fill every gap.
REACH, CONFLUENT_REACH = 0.8, 2.0
# Largest factor of sizes that a confluence may ask for.
MOST_GROWTH = 4.0
# Radius of a ball of this volume, and of a disc of this area.
RADII = {3: (4 / 3 * np.pi) ** (-1 / 3), 2: np.pi**-0.5}


@dataclass(frozen=True)
class Contact:
    """How the cells of a scene share space."""

    # How far cells may be pressed into one another, as a share of their radius.
    depth: float
    # Share of the field that cells cover, by one factor for the sizes of all in view; None keeps their own sizes.
    confluence: float | None
    open_zyx: tuple[bool, ...]
    # Width of the gap that is left between two cells.
    gap_um: float = 0.0

    def firmness(self, size_in_view: float, room: Room) -> float:
        """How long the part of a cell is that does not give way, in lengths of the cell.

        Cells of this size together are in view. Where they will be made larger or smaller to cover the field, so are these
        parts, so that cells are spread evenly.
        """
        growth = 1.0
        if self.confluence is not None:
            growth = min(self.confluence * float(np.prod(room.size_um)) / max(size_in_view, 1e-9), MOST_GROWTH)
        return float((1 - self.depth) * growth ** (1 / room.n_dims))


class _Pressed(Record):
    shapes: dict[str, Shape]


def pressed(
    frame: int, placements: Sequence[Placement], view: View, folder: Path, name: str, contact: Contact
) -> list[Placement]:
    """The cells of a frame with their shapes in contact, at the same places; kept in FOLDER/NAME for a later call.

    Raises InputError where a cell finds no room for its size.
    """
    record, boxes = (folder / name / f"{frame}.{ending}" for ending in ("json", "bin"))
    if not record.exists():
        record.parent.mkdir(exist_ok=True)
        cells = _cells_in_contact(placements, view, folder, contact)
        covers = contact.confluence == 1 and not contact.gap_um
        for cell in cells if covers else []:
            # Programs that take the smallest value of a mask for background (py-ctcmetrics) need a voxel of it.
            if not any(cell.corner_zyx):
                cell.sdf_um[(0,) * cell.sdf_um.ndim] = 4 * FAR_UM
        regions = Competition(cells, gap_um=contact.gap_um, covers=covers).settled(frame)
        with BoxWriter(boxes) as writer:
            shapes = {
                str(cell.number): _write(writer, f"{name}/{boxes.name}", cell, *region, spacing_um=_spacing(view))
                for cell, region in zip(cells, regions, strict=True)
            }
        write_json(record, {"shapes": {number: asdict(shape) for number, shape in shapes.items()}})
    shapes = read_json(record, _Pressed, remedy=ANEW).shapes
    # Pressed shapes have their places in the scene.
    return [
        replace(each, shape=shapes[str(each.number)], centre_zyx_um=(0.0,) * len(each.centre_zyx_um))
        if str(each.number) in shapes
        else each
        for each in placements
    ]


@dataclass(frozen=True)
class _Candidate:
    """A cell that may have to change its shape."""

    placed: Placement
    found: Sampled
    # In view; voxels beyond a closed border count as if they were.
    n_voxels: int
    # In view or not.
    n_whole: int
    reach_um: float
    # Whether it shares voxels with another or crosses a closed border.
    meets: bool


def _cells_in_contact(placements: Sequence[Placement], view: View, folder: Path, contact: Contact) -> list[Competitor]:
    """The cells of a frame that meet, with all cells that may have to give way to them."""
    field = _field(view, contact)
    candidates = _candidates(placements, view, folder, contact, field)
    growth = 1.0
    if contact.confluence is not None and candidates:
        room = int(np.prod([side.stop - side.start for side in field]))
        growth = contact.confluence * room / sum(each.n_voxels for each in candidates)
        if growth > MOST_GROWTH:
            raise InputError(
                f"--confluence {contact.confluence:g}: cells would have to become {growth:.3g} times as large, and "
                f"{MOST_GROWTH:g} is the most; choose more --cells, a smaller --size or a larger --cell-size"
            )
    spacing = np.array(_spacing(view))
    margins = [
        np.ceil(each.reach_um * max(1.0, growth ** (1 / view.n_dims)) / spacing).astype(int) for each in candidates
    ]
    lows = [each.found.corner_zyx - margin for each, margin in zip(candidates, margins, strict=True)]
    highs = [
        np.add(each.found.corner_zyx, each.found.sdf_um.shape) + margin
        for each, margin in zip(candidates, margins, strict=True)
    ]
    groups = _groups(len(candidates), pairs_of_boxes(lows, highs))
    meeting = {int(group) for group, each in zip(groups, candidates, strict=True) if each.meets}
    # Rounded so that their sum is right: cells that cover the field have exactly its voxels.
    sums = np.round(growth * np.cumsum([0, *(each.n_voxels for each in candidates)]))
    return [
        _competitor(each, max(int(n), 1), margin, field, spacing, contact.open_zyx)
        for each, n, margin, group in zip(candidates, np.diff(sums), margins, groups, strict=True)
        if int(group) in meeting or contact.confluence is not None
    ]


def _candidates(
    placements: Sequence[Placement], view: View, folder: Path, contact: Contact, field: Slices
) -> list[_Candidate]:
    """All cells that are shown."""
    spacing, shape = _spacing(view), view.shape_zyx[-view.n_dims :]
    count = np.zeros(shape, np.uint8)
    found, wide = [], []
    for placed in placements:
        fields = sampled(folder, placed.shape, centre_zyx_um=np.array(placed.centre_zyx_um), spacing_zyx_um=spacing)
        taken = Taken(fields.corner_zyx, fields.sdf_um <= 0)
        visible = taken.clipped(shape)
        if visible.inside.sum() < max(LEAST_SHARE * taken.inside.sum(), 1):
            continue
        around = Taken(fields.corner_zyx, fields.sdf_um <= contact.gap_um / 2).clipped(shape)
        count[around.slices] += around.inside
        found.append((placed, fields, taken))
        wide.append(around)
    candidates = []
    for (placed, fields, taken), around in zip(found, wide, strict=True):
        # Beyond open borders nothing counts.
        kept = np.ones(taken.inside.shape, bool)
        for axis in np.flatnonzero(contact.open_zyx):
            places = np.arange(taken.inside.shape[axis]) + taken.corner_zyx[axis]
            there = (places >= 0) & (places < shape[axis])
            kept &= there.reshape([-1 if i == axis else 1 for i in range(len(shape))])
        n_kept = int((taken.inside & kept).sum())
        n_in_field = int(_part(taken, field).sum())
        meets = n_kept > n_in_field or bool((count[around.slices][around.inside] > 1).any())
        n_whole = int(taken.inside.sum())
        radius_um = RADII[view.n_dims] * (n_whole * float(np.prod(spacing))) ** (1 / view.n_dims)
        reach = REACH if contact.confluence is None else CONFLUENT_REACH
        candidates.append(_Candidate(placed, fields, n_kept, n_whole, reach * radius_um, meets))
    return candidates


def _competitor(
    each: _Candidate,
    n_voxels: int,
    margin: np.ndarray,
    field: Slices,
    spacing_um: np.ndarray,
    open_zyx: tuple[bool, ...],
) -> Competitor:
    """A cell with its distances as far as its margin, within the field."""
    corner = np.subtract(each.found.corner_zyx, margin)
    distances = _distances(each.found.sdf_um, margin, spacing_um)
    low = np.clip(corner, [side.start for side in field], [side.stop for side in field])
    high = np.clip(np.add(corner, distances.shape), low, [side.stop for side in field])
    box = distances[tuple(slice(l - c, h - c) for l, h, c in zip(low, high, corner, strict=True))]
    sides = [
        (int(is_open and l == 0), int(is_open and h == side.stop))
        for is_open, l, h, side in zip(open_zyx, low, high, field, strict=True)
    ]
    cell = Competitor(
        each.placed.number, ints(low), box.copy(), n_voxels, max(each.n_whole, n_voxels), is_open=tuple(sides)
    )
    return replace(cell, n_pieces=max(int((cell.pieces(box <= 0)[1] > 0).sum()), 1))


def _distances(
    sdf_um: Float32[np.ndarray, "*zyx"], margin: np.ndarray, spacing_um: np.ndarray
) -> Float32[np.ndarray, "*wide"]:
    """Signed distances `margin` voxels farther than known, of fields that are truncated within a voxel of the surface.

    Farther than a voxel they are distances between voxels, smoothed: unsmoothed, many of them are equal.
    """
    widths = [(int(m), int(m)) for m in margin]
    voxel_um = float(spacing_um.min())
    known = np.pad(np.clip(sdf_um, -voxel_um, voxel_um), widths, constant_values=voxel_um)
    depth = np.asarray(edt.sdf(known <= 0, anisotropy=tuple(spacing_um.tolist()), parallel=1), np.float32)
    far = gaussian_filter(np.float32(0.5 * voxel_um) * np.sign(depth) - depth, voxel_um / spacing_um)
    far = np.where(known <= 0, np.minimum(far, known / 2), np.maximum(far, known / 2))
    share = np.square(known / voxel_um)
    return ((1 - share) * known + share * far).astype(np.float32)


def _write(
    writer: BoxWriter, file: str, cell: Competitor, mine: np.ndarray, field_um: np.ndarray, *, spacing_um: Floats
) -> Shape:
    """Write a pressed shape on the voxels of the scene, with a voxel around it."""
    # No rounding may move a voxel to another cell.
    exact = np.where(mine, np.minimum(field_um, -SMALLEST_UM), np.maximum(field_um, SMALLEST_UM))
    box = np.pad(exact.clip(-FAR_UM, FAR_UM), 1, constant_values=min(spacing_um)).astype(np.float16)
    start, n_bytes = writer.write(box)
    spacing = np.array(spacing_um)
    # A sliver at a border may lose all of its voxels, and is not shown then.
    voxels = np.argwhere(mine) if mine.any() else np.zeros((1, mine.ndim))
    places = (voxels + cell.corner_zyx + 0.5) * spacing
    return Shape(
        low_zyx_um=floats(places.min(axis=0) - spacing / 2),
        high_zyx_um=floats(places.max(axis=0) + spacing / 2),
        centroid_zyx_um=floats(places.mean(axis=0)),
        size=float(mine.sum() * spacing.prod()),
        file=file,
        start=start,
        n_bytes=n_bytes,
        size_zyx=ints(box.shape),
        spacing_zyx_um=floats(spacing),
        origin_zyx_um=floats((np.array(cell.corner_zyx) - 0.5) * spacing),
    )


def _spacing(view: View) -> Floats:
    return view.spacing_zyx_um[-view.n_dims :]


def _field(view: View, contact: Contact) -> Slices:
    """The part of the scene that cells may take: a cell in the outermost voxels would be read as cut by the border."""
    return tuple(
        slice(0, n) if is_open else slice(1, n - 1)
        for n, is_open in zip(view.shape_zyx[-view.n_dims :], contact.open_zyx, strict=True)
    )


def _part(taken: Taken, field: Slices) -> Bool[np.ndarray, "*zyx"]:
    """The part of a cell within the field."""
    return taken.inside[
        tuple(
            slice(max(side.start - corner, 0), max(side.stop - corner, 0))
            for side, corner in zip(field, taken.corner_zyx, strict=True)
        )
    ]


def _groups(n: int, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """The number of the group of each of `n` things that pairs join."""
    one, two = np.array(pairs, int).reshape(-1, 2).T
    return np.asarray(connected_components(coo_array((np.ones(len(one)), (one, two)), (n, n)), directed=False)[1])
