"""Layout of pictures: a grid of cells at one moment, or a sheet with rows of cells and columns of moments."""

import math
from dataclasses import dataclass, replace

from cytoform.errors import InputError
from cytoform.pictures.film.cast import Cast, MovieCell, Subject
from cytoform.pictures.film.font import width_px
from cytoform.pictures.film.framing import Framing
from cytoform.pictures.film.page import Page, Panel, Rectangle, Text, panel_note
from cytoform.pictures.film.style import SIZES_PX, MovieStyle
from cytoform.pictures.film.timeline import Clock, Moment, Timeline, matching_frame
from cytoform.pictures.sheets import round_length

SHEET_TILE_PX, SHEET_TEXT_PX = 300, 22
SMALLEST_TILE_PX = 24
BAR_SHARE = 0.28  # largest share of a picture's width for the scale bar and its label


@dataclass(frozen=True)
class MoviePlan:
    """Common properties of all pictures of a movie."""

    cast: Cast
    clock: Clock
    framing: Framing
    style: MovieStyle
    size_px: tuple[int, int]
    text_px: int

    @property
    def margin_px(self) -> int:
        """Margin of the picture."""
        return round(0.8 * self.text_px)

    @property
    def line_px(self) -> int:
        """Height of a line of text; 0 without labels."""
        return round(1.7 * self.text_px) if self.style.labels else 0

    @property
    def legend(self) -> tuple[str, ...]:
        """Labels of the colours if there are two, else empty."""
        return tuple(f"● {side}" for side in self.cast.sides) if self.n_sides > 1 else ()

    @property
    def footer_px(self) -> int:
        """Height below the cells: one line, or two if the legend would overlap time or scale."""
        legend_px = sum(width_px(text, self.text_px) for text in self.legend) + 3 * self.text_px
        crowded = len(self.legend) > 0 and legend_px > (1 - 2 * BAR_SHARE) * self.size_px[0]
        return (2 if crowded else 1) * self.line_px

    @property
    def n_sides(self) -> int:
        """Number of cells above each other."""
        return len(self.cast.sides)


def plan_movie(
    cast: Cast, timeline: Timeline, framing: Framing, style: MovieStyle, size_px: tuple[int, int] | None
) -> MoviePlan:
    """Plan a movie. Without `size_px`, a sheet gets the size that its rows and columns need. Raises InputError."""
    size_px = style.size_px or size_px
    text_px = SHEET_TEXT_PX if size_px is None else min(max(round(math.sqrt(size_px[0] * size_px[1]) / 46), 9), 64)
    plan = MoviePlan(cast, timeline.clock, framing, style, size_px or (0, 0), text_px)
    if size_px is not None:
        return plan
    tile_height = max(round(SHEET_TILE_PX * framing.half_height_um / framing.half_width_um), 40)
    rows, columns = len(cast.subjects) * len(cast.sides), len(timeline.moments)
    width = 2 * plan.margin_px + _names_px(plan) + columns * SHEET_TILE_PX
    plan = replace(plan, size_px=(width, 0))
    height = 2 * plan.margin_px + plan.line_px + plan.footer_px + rows * tile_height
    if max(width, height) > SIZES_PX[1]:
        raise InputError(f"a sheet of {rows} rows is too large; name fewer --sequences")
    return replace(plan, size_px=(width, height))


def movie_page(plan: MoviePlan, moment: Moment) -> Page:
    """The page with all cells at one moment."""
    width, height = plan.size_px
    area = Rectangle(
        plan.margin_px, plan.margin_px, width - 2 * plan.margin_px, height - 2 * plan.margin_px - plan.footer_px
    )
    columns, tile = _best_grid(plan, area)
    rows = math.ceil(len(plan.cast.subjects) / columns)
    widest_px = max(width_px(subject.name, plan.text_px) for subject in plan.cast.subjects)
    # A smaller font is preferred to shortened names, down to 60 %.
    name_px = round(plan.text_px * min(max(0.9 * tile.width / widest_px, 0.6), 1))
    panels, texts = [], []
    for number, subject in enumerate(plan.cast.subjects):
        row, column = divmod(number, columns)
        # The last row is centred.
        missing = columns - min(columns, len(plan.cast.subjects) - row * columns)
        left = round(area.left + (column + missing / 2) * area.width / columns)
        top = round(area.top + row * area.height / rows)
        middle = left + tile.width / 2
        if plan.style.labels:
            texts.append(Text(middle, top + plan.line_px / 2, subject.name, "m", 0.94 * tile.width, name_px))
        for cell in subject.cells:
            box = replace(tile, left=left, top=top + plan.line_px + cell.side * tile.height)
            panel, note = _panel(plan, subject, cell, moment, box)
            panels.append(panel)
            texts += note
    page = Page(plan.size_px, _scale(plan, tile), plan.text_px, tuple(panels), style=plan.style)
    return _with_footer(plan, page, tuple(texts), plan.clock.text(moment.tick), tile.width)


def sheet_page(plan: MoviePlan, timeline: Timeline) -> Page:
    """The page of a sheet: one row per cell, one column per moment."""
    (width, height), columns = plan.size_px, len(timeline.moments)
    names_px, first_top = _names_px(plan), plan.margin_px + plan.line_px
    rows = len(plan.cast.subjects) * plan.n_sides
    tile = Rectangle(
        0,
        0,
        (width - 2 * plan.margin_px - names_px) // columns,
        (height - 2 * plan.margin_px - plan.line_px - plan.footer_px) // rows,
    )
    _refuse_small(plan, tile)
    panels, texts = [], []
    for number, subject in enumerate(plan.cast.subjects):
        top = first_top + number * plan.n_sides * tile.height
        texts.append(
            Text(plan.margin_px, top + plan.n_sides * tile.height / 2, subject.name, "l", names_px, plan.text_px)
        )
        for column, moment in enumerate(timeline.moments):
            left = plan.margin_px + names_px + column * tile.width
            for cell in subject.cells:
                box = replace(tile, left=left, top=top + cell.side * tile.height)
                panel, note = _panel(plan, subject, cell, moment, box)
                panels.append(panel)
                texts += note
    for column, moment in enumerate(timeline.moments):
        middle = plan.margin_px + names_px + (column + 0.5) * tile.width
        text = plan.clock.text(moment.tick)
        if timeline.turning:
            text = f"{moment.turned_deg:.0f}°" if plan.style.frame is not None else f"{text}, {moment.turned_deg:.0f}°"
        texts.append(Text(middle, plan.margin_px + plan.line_px / 2, text, "m", tile.width, plan.text_px, soft=True))
    page = Page(plan.size_px, _scale(plan, tile), plan.text_px, tuple(panels), style=plan.style)
    return _with_footer(plan, page, tuple(texts) if plan.style.labels else (), "", tile.width)


def _panel(
    plan: MoviePlan, subject: Subject, cell: MovieCell, moment: Moment, box: Rectangle
) -> tuple[Panel, list[Text]]:
    frame = plan.clock.frame(subject, moment.tick)
    ended = frame is None
    if frame is not None and cell.side:
        frame = matching_frame(subject, frame)
    camera = plan.framing.camera
    turned = replace(camera, azimuth_deg=camera.azimuth_deg + moment.turned_deg)
    notes = [panel_note(box, "ended", plan.text_px)] if ended and plan.style.labels else []
    return Panel(box, cell, frame, turned), notes


def _best_grid(plan: MoviePlan, area: Rectangle) -> tuple[int, Rectangle]:
    """Number of columns and size of a tile that maximise the scale."""
    n = len(plan.cast.subjects)
    best: tuple[float, int, Rectangle] = (0.0, 1, area)
    for columns in range(1, n + 1):
        width = area.width // columns
        height = (area.height // math.ceil(n / columns) - plan.line_px) // plan.n_sides
        tile = Rectangle(0, 0, width, height)
        scale = _scale(plan, tile)
        if columns == 1 or scale > best[0] * (1 + 1e-9):
            best = scale, columns, tile
    _refuse_small(plan, best[2])
    return best[1], best[2]


def _scale(plan: MoviePlan, tile: Rectangle) -> float:
    return min(tile.width / plan.framing.half_width_um, tile.height / plan.framing.half_height_um) / 2


def _refuse_small(plan: MoviePlan, tile: Rectangle) -> None:
    if min(tile.width, tile.height) < SMALLEST_TILE_PX:
        width, height = plan.size_px
        raise InputError(
            f"--size {width} {height}: too small for {len(plan.cast.subjects) * plan.n_sides} cells; "
            "make it larger, or name fewer --sequences"
        )


def _names_px(plan: MoviePlan) -> int:
    """Width of the column of names on a sheet."""
    if not plan.style.labels:
        return 0
    longest = max(width_px(subject.name, plan.text_px) for subject in plan.cast.subjects)
    return round(min(longest, 16 * plan.text_px) + plan.text_px)


def _with_footer(plan: MoviePlan, page: Page, texts: tuple[Text, ...], time: str, tile_px: int) -> Page:
    """Add the footer: time on the left, scale bar on the right, legend between or above."""
    if not plan.style.labels:
        return page
    (width, height), text_px = plan.size_px, plan.text_px
    middle = height - plan.margin_px - plan.line_px / 2
    longest_px = max(min(0.6 * tile_px, BAR_SHARE * width - 4 * text_px), 4)
    length_um = round_length(longest_px / page.px_per_um)
    label = f"{length_um:g} µm"
    label_px = math.ceil(width_px(label, text_px))
    thickness, length = max(round(text_px / 5), 2), round(length_um * page.px_per_um)
    right = width - plan.margin_px
    bar = Rectangle(right - label_px - round(0.4 * text_px) - length, round(middle - thickness / 2), length, thickness)
    footer = [
        Text(right, middle, label, "r", label_px + 1, text_px),
        Text(plan.margin_px, middle, time, "l", width / 3, text_px),
    ]
    y, widths = middle - (plan.footer_px - plan.line_px), [width_px(text, text_px) for text in plan.legend]
    x = (width - sum(widths) - text_px) / 2
    for side, (text, wide) in enumerate(zip(plan.legend, widths, strict=True)):
        footer.append(Text(x, y, text, "l", width / 2, text_px, side=side))
        x += wide + text_px
    return replace(page, texts=(*texts, *footer), bar=bar)
