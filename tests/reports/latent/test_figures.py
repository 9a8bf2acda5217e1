"""Maps of cells: every cell drawn in its colour, names where there is room and never over each other."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from cytoform.pictures.figures import as_png, as_svg
from cytoform.reports.latent.figures import UNDEFINED, Map, map_figure, variance_figure
from cytoform.reports.latent.snapshots import CellSet, Snapshots


def cells(kind: str, n: int, *, n_times: int = 2, seed: int = 0) -> CellSet:
    """Cells of random sizes that grow."""
    rng = np.random.default_rng(seed)
    looks = [
        Snapshots(np.zeros((n_times, 1), np.uint8), *(rng.uniform(low, 2 * low, n_times) for low in (50, 70, 1)))
        for _ in range(n)
    ]
    return CellSet(kind, [f"{kind}_cell_{i:02d}" for i in range(n)], rng.normal(0, 1, (n, 2)), looks)


def drawn(*sets: CellSet) -> Figure:
    return map_figure(sets, Map("map", ("component 1", "component 2"), [each.coordinates for each in sets]))


def names_of(figure: Figure) -> list[list[object]]:
    return [[text for text in panel.texts if "_cell_" in text.get_text()] for panel in figure.axes[:4]]


@pytest.mark.parametrize("n", [1, 2, 8, 60])
def test_names_never_cover_each_other_and_stay_inside(n: int) -> None:
    figure = drawn(cells("learned", n))
    figure.draw_without_rendering()
    for panel, names in zip(figure.axes[:4], names_of(figure), strict=True):
        assert 0 < len(names) <= n
        boxes = [name.get_window_extent().padded(-1) for name in names]  # type: ignore[attr-defined]
        assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
        frame = panel.get_window_extent().padded(2)
        assert all(frame.contains(*corner) for box in boxes for corner in box.corners())
    if n <= 8:
        assert min(len(names) for names in names_of(figure)) >= n - 1


def test_colours_and_bars_follow_the_values_of_both_sets() -> None:
    sets = cells("learned", 5), cells("generated", 3, seed=1)
    figure = drawn(*sets)
    learned, generated = figure.axes[0].collections
    values = np.concatenate([each.values[:, 0] for each in sets])
    assert learned.get_clim() == generated.get_clim() == (values.min(), values.max())
    assert np.asarray(generated.get_array()) == pytest.approx(sets[1].values[:, 0])
    assert [bar.get_ylabel() for bar in figure.axes[4:]] == [
        "Size [µm³]",
        "Surface area [µm²]",
        "Sphericity (1: ball)",
        "Growth [last / first size]",
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["learned (5)", "generated (3)"]
    assert not any("generated" in text.get_text() for names in names_of(figure) for text in names)  # type: ignore[attr-defined]


def test_what_is_not_defined_is_grey_and_said() -> None:
    figure = drawn(cells("learned", 3, n_times=1))
    assert len(figure.axes) == 7  # no bar for growth
    assert "not defined" in [text.get_text() for text in figure.axes[3].texts]
    figure.draw_without_rendering()
    assert (figure.axes[3].collections[0].get_facecolors() == to_rgba(UNDEFINED)).all()


def test_pictures_are_the_same_bytes_and_not_blank() -> None:
    pngs = [as_png(drawn(cells("learned", 4))) for _ in range(2)]
    assert pngs[0] == pngs[1]
    assert len(pngs[0]) > 20_000
    assert as_svg(drawn(cells("learned", 4))).count(b"<use ") > 16


def test_variance_bars_and_their_sum() -> None:
    panel = variance_figure(np.array([0.7, 0.2, 0.1])).axes[0]
    assert [bar.get_height() for bar in panel.patches] == pytest.approx([70, 20, 10])
    assert panel.lines[0].get_ydata() == pytest.approx([70, 90, 100])
