"""The paint of cells: every protrusion in its colour, the body grey, the same colour in every frame."""

import numpy as np
from protruding import BODY_UM, GRID, OFF, RADIUS_UM, THIN_UM, boxed, cell, direction, spike

from cytoform.pictures.painting import PALETTE, colour_of, colours, painted
from cytoform.protrusions.decompose import parts_of
from cytoform.protrusions.tracks import Track

OUTS = [direction(20, 10), direction(140, -20), direction(260, 35)]


def test_every_protrusion_has_its_colour_and_the_body_is_grey() -> None:
    field = boxed(cell([spike(out, 2.0, centre=OFF) for out in OUTS], balls=[(OFF, BODY_UM)]))
    curves = parts_of(field, RADIUS_UM)[0].curves
    mesh = field.mesh()
    assert mesh is not None
    tracks = [Track(label, None, {3: curve}) for label, curve in enumerate(curves, 1)]
    paint = painted(mesh, tracks, 3)
    away = mesh.vertices_xyz_um[:, ::-1] - OFF
    far = np.linalg.norm(away, axis=1)
    assert not paint[far < BODY_UM + 0.05].any()
    for track in tracks:
        out = OUTS[int(np.argmax(np.array(OUTS) @ (track.curves[3].line_zyx_um[-1] - OFF)))]
        on_it = (away @ out > BODY_UM + 2 * GRID.spacing_um) & (
            np.linalg.norm(np.cross(away, out), axis=1) < 1.5 * THIN_UM
        )
        assert on_it.sum() > 50
        assert set(paint[on_it]) == {colour_of(track.label)}
    assert np.array_equal(colours(paint), np.array(PALETTE)[paint])


def test_a_frame_without_protrusions_is_grey() -> None:
    mesh = boxed(cell([], balls=[(OFF, BODY_UM)])).mesh()
    assert mesh is not None
    assert not painted(mesh, [], 0).any()


def test_colours_repeat_and_are_never_the_bodys() -> None:
    found = [colour_of(label) for label in range(1, 100)]
    assert min(found) == 1
    assert max(found) == len(PALETTE) - 1
    assert len(set(found[: len(PALETTE) - 1])) == len(PALETTE) - 1
