"""Populations of simulated cells: valid movies, exact distances, the same files again, and clear refusals."""

import shutil
from pathlib import Path

import cc3d
import igl
import numpy as np
import pytest
import tifffile
import zarr
from skimage.measure import marching_cubes

from cytoform.assess.results import evaluate
from cytoform.errors import InputError
from cytoform.movies.readers import open_movies
from cytoform.prepare import prepare
from cytoform.simulate import FilopodiaParameters, MitosisParameters, SimulatedFamily, population, simulate
from cytoform.simulate.labels import label_image
from cytoform.simulate.population import Parameters, n_tasks
from cytoform.simulate.sampling import mesh_of_part

FINE = (0.2, 0.2, 0.2)
ANISOTROPIC = (1.0, 0.09, 0.09)
KINDS = {"mitosis": MitosisParameters(), "filopodia": FilopodiaParameters()}
TIME_STEP_S = {"mitosis": 60.0, "filopodia": 20.0}


def families_of(
    kind: str, *, n_cells: int = 2, n_frames: int = 8, seed: int = 3, spacing=FINE
) -> list[SimulatedFamily]:
    return population(
        KINDS[kind],
        n_cells=n_cells,
        n_frames=n_frames,
        seed=seed,
        spacing_zyx_um=spacing,
        time_step_s=TIME_STEP_S[kind],
    )


def write(kind: str, out: Path, parameters: Parameters | None = None, **options) -> list[SimulatedFamily]:
    given = {"n_cells": 2, "n_frames": 6, "seed": 3, "spacing_zyx_um": FINE, "time_step_s": 60.0, **options}
    return simulate(parameters or KINDS[kind], out, **given)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spacing", [FINE, ANISOTROPIC], ids=["fine", "anisotropic"])
def test_every_label_is_one_piece_inside_its_volume(kind, spacing):
    for family in families_of(kind, spacing=spacing, n_cells=2 if spacing is FINE else 1):
        for frame in range(family.n_frames):
            labels = family.labels(frame)
            alive = [t.label for t in family.lineage.tracks if t.first <= frame <= t.last]
            assert np.unique(labels).tolist() == [0, *alive]
            for label in alive:
                assert cc3d.connected_components(labels == label, connectivity=26, return_N=True)[1] == 1
            # As many pieces as cells: one before the division, two after it.
            assert cc3d.connected_components(labels > 0, connectivity=26, return_N=True)[1] == len(alive)
            shell = np.ones(labels.shape, bool)
            shell[1:-1, 1:-1, 1:-1] = False
            assert not labels[shell].any()


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_where_the_distance_is_not_positive(kind):
    family = families_of(kind, spacing=(0.125, 0.125, 0.125))[0]
    labels = family.labels(4)
    points = (np.argwhere(np.ones(labels.shape, bool))[::5] + 0.5) * 0.125
    assert np.array_equal(labels.ravel()[::5] > 0, family.distance_um(points, 4) <= 0)


@pytest.mark.parametrize(("kind", "least_share"), [("mitosis", 0.999), ("filopodia", 0.985)])
def test_gradient_is_one_within_a_micrometre_of_the_surface(kind, least_share):
    good = total = 0
    rng = np.random.default_rng(0)
    for family in families_of(kind, n_frames=30):
        for frame in (4, 11.3, 25):
            points = rng.uniform(0, 1, (8000, 3)) * np.array(family.shape_zyx) * FINE
            near = points[np.abs(family.distance_um(points, frame)) < 1]
            step = 1e-3
            gradient = [
                (family.distance_um(near + step * e, frame) - family.distance_um(near - step * e, frame)) / (2 * step)
                for e in np.eye(3)
            ]
            norm = np.linalg.norm(gradient, axis=0)
            assert norm.max() <= 1.25
            good, total = good + int((np.abs(norm - 1) < 0.05).sum()), total + len(norm)
    assert total > 3000
    assert good / total > least_share


@pytest.mark.parametrize(("kind", "frame"), [("mitosis", 3.0), ("mitosis", 17.5), ("filopodia", 3.5)])
def test_distance_agrees_with_brute_force_on_an_independent_mesh(kind, frame):
    family = families_of(kind, n_frames=30)[1]
    vertices, faces = dense_mesh(family, frame, spacing_um=0.12)
    rng = np.random.default_rng(1)
    points = vertices[rng.integers(len(vertices), size=300)] + rng.normal(0, 0.4, (300, 3))
    ours = family.distance_um(points, frame)
    inside = winding_number(points, vertices, faces) > 0.5
    clear = np.abs(ours) > 0.03
    assert clear.mean() > 0.8
    assert np.array_equal(ours[clear] <= 0, inside[clear])
    theirs = np.sqrt(igl.point_mesh_squared_distance(points, vertices, faces)[0])
    # Where filopodia are rooted, the depth inside the body is only a lower bound; elsewhere both agree.
    assert (np.abs(ours) < theirs + 0.05).all()
    assert np.quantile(np.abs(np.abs(ours) - theirs), 0.95) < 0.025


def dense_mesh(family: SimulatedFamily, frame: float, *, spacing_um: float) -> tuple[np.ndarray, np.ndarray]:
    """Marching cubes of the family's distance at every point of a grid; points are zyx, faces turn outward there."""
    low, high = box_of(family, frame)
    axes = [np.arange(a, b, spacing_um) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    sdf = family.distance_um(points.reshape(-1, 3), frame).reshape(points.shape[:3])
    vertices, faces, _, _ = marching_cubes(sdf, 0.0, gradient_direction="ascent")
    return vertices.astype(float) * spacing_um + low, faces.astype(np.int64)


def winding_number(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """How often a closed mesh goes round each point: its solid angle (van Oosterom and Strackee 1983) over 4π."""
    total = np.zeros(len(points))
    for corners in np.array_split(vertices[faces], 1 + len(faces) // 500):
        a, b, c = (corners[None, :, k] - points[:, None] for k in range(3))
        la, lb, lc = (np.linalg.norm(v, axis=2) for v in (a, b, c))
        top = np.einsum("pfi,pfi->pf", a, np.cross(b, c))
        below = la * lb * lc + (a * b).sum(2) * lc + (b * c).sum(2) * la + (c * a).sum(2) * lb
        total += 2 * np.arctan2(top, below).sum(axis=1)
    return np.abs(total) / (4 * np.pi)


def box_of(family: SimulatedFamily, frame: float) -> np.ndarray:
    """Where the family is, by its own voxels at that time."""
    voxels = np.argwhere(family.labels(frame)) * np.array(FINE)
    return np.stack([voxels.min(axis=0) - 0.3, voxels.max(axis=0) + 0.5])


@pytest.fixture(scope="module", params=KINDS)
def written(request, tmp_path_factory) -> tuple[str, Path]:
    """A kind of cell and its movies, in every format."""
    calls: list[None] = []
    out = tmp_path_factory.mktemp("written") / "cells"
    write(request.param, out, ome_zarr=True, n_frames=4, done=lambda: calls.append(None))
    assert len(calls) == n_tasks(n_cells=2, n_frames=4)
    return request.param, out


def test_movies_pass_the_challenges_own_check(written, tmp_path):
    from ctc_metrics.scripts.validate import validate_sequence

    for name in ("01", "02"):
        result = tmp_path / f"{name}_RES"
        result.mkdir()
        for path in (written[1] / f"{name}_GT" / "TRA").iterdir():
            renamed = path.name.replace("man_track.txt", "res_track.txt").replace("man_track", "mask")
            shutil.copyfile(path, result / renamed)
        assert validate_sequence(str(result), threads=1) == {"Valid": 1}


def test_movies_hold_what_was_simulated(tmp_path):
    families = write("mitosis", tmp_path / "cells", ome_zarr=True, spacing_zyx_um=(0.3, 0.2, 0.25))
    movies = open_movies(tmp_path / "cells")
    assert [movie.name for movie in movies] == ["cells_01", "cells_02"]
    for movie, family in zip(movies, families, strict=True):
        assert movie.spacing_zyx_um == pytest.approx((0.3, 0.2, 0.25), rel=1e-6)
        assert movie.time_step_s == 60.0
        assert movie.lineage == family.lineage
        assert np.array_equal(movie.read(4), family.labels(4))
        root = zarr.open_group(tmp_path / "cells" / "ome_zarr" / f"{family.name}.zarr", mode="r")
        assert np.array_equal(root["0"][4], family.labels(4))
        (zarr_movie,) = open_movies(tmp_path / "cells" / "ome_zarr" / f"{family.name}.zarr")
        assert zarr_movie.spacing_zyx_um == pytest.approx((0.3, 0.2, 0.25))
        assert zarr_movie.time_step_s == 60.0


def test_ome_zarr_is_valid(tmp_path):
    from ome_zarr_models import open_ome_zarr

    write("mitosis", tmp_path / "cells", ome_zarr=True, n_frames=2, n_cells=1)
    model = open_ome_zarr(zarr.open_group(tmp_path / "cells" / "ome_zarr" / "01.zarr", mode="r"))
    assert [axis.name for axis in model.ome_attributes.multiscales[0].axes] == ["t", "z", "y", "x"]


def test_same_seed_same_files_for_any_number_of_workers(written, tmp_path):
    kind, first = written
    write(kind, tmp_path / "b", ome_zarr=True, n_frames=4, workers=2)
    write(kind, tmp_path / "c", seed=4, n_frames=4)
    files = [p.relative_to(first) for p in sorted(first.rglob("*")) if p.is_file()]
    assert len(files) > 25
    for path in files:
        assert (first / path).read_bytes() == (tmp_path / "b" / path).read_bytes(), path
    track = Path("01_GT/TRA/man_track003.tif")
    assert not np.array_equal(tifffile.imread(first / track), tifffile.imread(tmp_path / "c" / track))


def test_a_cell_does_not_depend_on_how_many_others_there_are_nor_on_its_voxels():
    few, many = families_of("mitosis", n_cells=1), families_of("mitosis", n_cells=1, spacing=ANISOTROPIC)
    assert few[0].cell.volume_um3 == many[0].cell.volume_um3
    assert np.array_equal(few[0].cell.parts(3.5)[0].bounds_zyx_um, many[0].cell.parts(3.5)[0].bounds_zyx_um)


def test_existing_output_is_refused_and_kept(tmp_path):
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="exists"):
        write("mitosis", tmp_path / "cells")
    with pytest.raises(InputError, match="was not written by cytoform"):
        write("mitosis", tmp_path / "cells", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["cells"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_cells": 0}, "--cells 0"),
        ({"n_cells": -2}, "--cells -2"),
        ({"n_frames": 0}, "--frames 0"),
        ({"n_frames": -1}, "--frames -1"),
        ({"time_step_s": -20.0}, "--time-step -20"),
        ({"time_step_s": 0.0}, "--time-step 0"),
        ({"time_step_s": float("nan")}, "--time-step nan"),
        ({"seed": -1}, "--seed -1"),
        ({"spacing_zyx_um": (0.1, -0.1, 0.1)}, "--voxel-size 0.1 -0.1 0.1"),
        ({"spacing_zyx_um": (0.1, 0.1, float("inf"))}, "--voxel-size 0.1 0.1 inf"),
        ({"spacing_zyx_um": (0.001, 0.001, 0.001)}, "--voxel-size 0.001 .* larger voxels"),
        ({"spacing_zyx_um": (8.0, 8.0, 8.0)}, "8 8 8.* smaller voxels"),
        ({"workers": 0}, "--workers 0"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_impossible_sizes_are_refused(kind, options, message, tmp_path):
    with pytest.raises(InputError, match=message):
        write(kind, tmp_path / "cells", **{"n_cells": 1, "n_frames": 2, **options})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size_um3": 0.0}, "--size 0"),
        ({"size_um3": float("nan")}, "--size nan"),
        ({"cycle_min": -3.0}, "--cycle -3"),
        ({"generations": 9}, "--generations 9"),
        ({"generations": -1}, "--generations -1"),
        ({"daughter_share": 1.2}, "0.5 to 0.8"),
        ({"daughter_share": 0.2}, "0.5 to 0.8"),
    ],
)
def test_impossible_mitoses_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        MitosisParameters(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"radius_um": -0.1}, "--radius -0.1"),
        ({"radius_um": 3.0}, "too thick"),
        ({"length_um": 0.2}, "longer than it is thick"),
        ({"length_um": 500.0}, "to 50"),
        ({"number": -1.0}, "--number -1"),
        ({"number": 199.0}, "leave no body"),
        ({"branches_per_min": -1.0}, "--branching -1"),
        ({"size_um3": -5.0}, "--size -5"),
    ],
)
def test_impossible_filopodia_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        FilopodiaParameters(**options)


def test_filopodia_thinner_than_a_third_of_a_voxel_are_refused():
    with pytest.raises(InputError, match="thinner than a third of a voxel"):
        population(FilopodiaParameters(radius_um=0.02), n_cells=1, n_frames=2, seed=0)
    with pytest.raises(InputError, match="thinner than a third of a voxel"):
        population(FilopodiaParameters(radius_um=0.1), n_cells=1, n_frames=2, seed=0, spacing_zyx_um=ANISOTROPIC)


def test_coarse_voxels_keep_thin_filopodia_attached():
    parameters = FilopodiaParameters(radius_um=0.06, number=8)
    (family,) = population(parameters, n_cells=1, n_frames=2, seed=1, spacing_zyx_um=(0.3, 0.3, 0.3), time_step_s=20.0)
    labels = family.labels(1)
    assert cc3d.connected_components(labels, connectivity=26, return_N=True)[1] == 1
    # Their tips are in the mask, although hardly any voxel centre lies within them.
    (part,) = family.cell.parts(1)
    tips = np.array([line[-1] for line in part.lines_zyx_um]) - family.corner_zyx_um
    assert labels[tuple(np.floor(tips / 0.3).astype(int).T)].all()


def test_touching_cells_keep_a_voxel_of_background_between_them():
    family = next(f for f in families_of("mitosis", n_frames=30, n_cells=3) if len(f.lineage.tracks) == 3)
    born = family.lineage.tracks[1].first
    # Half a frame after the division, and voxels of half a micrometre.
    corner = np.min([part.bounds_zyx_um[0] for part in family.cell.parts(born - 0.4)], axis=0) - 1.0
    labels = label_image(
        family.cell.parts(born - 0.4), shape=(20, 20, 20), spacing_zyx_um=(0.5, 0.5, 0.5), corner_zyx_um=corner
    )
    assert np.unique(labels).tolist() == [0, 2, 3]
    assert cc3d.connected_components(labels > 0, connectivity=26, return_N=True)[1] == 2


@pytest.mark.parametrize("kind", KINDS)
def test_mesh_of_a_part_is_its_surface(kind):
    family = families_of(kind)[0]
    (part,) = family.cell.parts(1)
    mesh = mesh_of_part(part, spacing_um=0.125)
    assert np.abs(part.distance_um(mesh.vertices_xyz_um[:, ::-1].astype(float))).max() < 0.04
    if kind == "mitosis":
        assert mesh.volume_um3 == pytest.approx(part.surface.volume_um3, rel=0.01)
    else:
        assert mesh.volume_um3 == pytest.approx(family.cell.volume_um3, rel=0.05)


@pytest.mark.parametrize(("kind", "mean", "std"), [("mitosis", 34.7, 12.5), ("filopodia", 50.8, 3.1)])
def test_sizes_are_spread_as_in_the_paper(kind, mean, std):
    """Those of its table 1, within the 5 % and 25 % in which the masks have them too."""
    sizes_um3 = [family.cell.volume_um3 for family in families_of(kind, n_cells=33, n_frames=2)]
    assert np.mean(sizes_um3) == pytest.approx(mean, rel=0.05)
    assert np.std(sizes_um3, ddof=1) == pytest.approx(std, rel=0.25)


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "grid", "size", "surface"),
    [("mitosis", 96, (34.7, 12.5), (62.8, 16.1)), ("filopodia", 128, (50.8, 3.1), (117.8, 19.9))],
)
def test_defaults_stand_in_for_the_papers_cells(kind, grid, size, surface, tmp_path):
    """Means within 5 % and standard deviations within 25 % of the paper's table 1, as `evaluate` measures them.

    Of the 30 frames every fourteenth is written, which is a tenth of the work and the same population.
    """
    write(
        kind,
        tmp_path / "cells",
        n_cells=33,
        n_frames=3,
        time_step_s=14 * TIME_STEP_S[kind],
        spacing_zyx_um=(0.125,) * 3,
        workers=2,
    )
    store = tmp_path / "shapes.zarr"
    prepare([tmp_path / "cells"], store, grid_size=grid, workers=2)
    found = evaluate(store, store, paired=False, workers=2).to_json()["descriptors"]
    for name, (mean, std) in (("size_um3", size), ("surface_um2", surface)):
        assert found[name]["reference"]["mean"] == pytest.approx(mean, rel=0.05)
        assert found[name]["reference"]["std"] == pytest.approx(std, rel=0.25)
