"""A look at the codes of a run: files, page, neighbours, and runs with next to nothing to look at."""

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from matplotlib.image import imread
from pages import assert_self_contained, assert_well_formed

import cytoform
from cytoform.errors import InputError
from cytoform.reports.latent.stage import LatentView, write_latent_report
from cytoform.representations.rotation import identity
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.sequences import Rendering, generate

QUICK = LatentView(grid_size=20, n_frames=3)


@pytest.fixture(scope="module")
def cells(trained: Path) -> Cells:
    return load(trained)


@pytest.fixture(scope="module")
def folder(cells: Cells, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A look at two learned cells and two generated ones: too few for a UMAP."""
    home = tmp_path_factory.mktemp("latent")
    generate(cells, home / "new.zarr", 2, prior="around", sigma=0.001, rendering=Rendering(16, 1))
    write_latent_report(cells, home / "out", generated=home / "new.zarr", look=QUICK)
    return home / "out"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def with_codes(cells: Cells, codes: np.ndarray) -> Cells:
    """The same run with other codes; every one is named."""
    one = cells.run.learned.sequences[0]
    sequences = tuple(replace(one, name=f"cell{i}") for i in range(len(codes)))
    learned = replace(cells.run.learned, sequences=sequences)
    n = len(codes)
    made = {"codes": torch.tensor(codes), "rotations": identity(n), "scales": torch.ones(n, 1)}
    return Cells(replace(cells.run, learned=learned, **made))


def test_files(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        *("index.html", "components.csv", "codes.csv", "neighbours.csv", "meshes", "provenance.json"),
        *("map.png", "map.svg", "components.png", "components.svg", "traversal_1.png", "neighbours.png"),
    }
    meshes = sorted(path.name for path in (folder / "meshes" / "traversal_1").iterdir())
    assert len(meshes) == 15
    assert meshes[0] == "sigma+0_time+0.ply"
    for path in folder.glob("*.png"):
        assert np.ptp(imread(path)) > 0.5


def test_tables(folder: Path, cells: Cells) -> None:
    assert rows(folder / "components.csv") == [{"component": "pc1", "share_of_variance": "1", "cumulative": "1"}]
    codes = rows(folder / "codes.csv")
    assert [row["name"] for row in codes] == ["a", "b", "new0000", "new0001"]
    assert [row["kind"] for row in codes] == ["learned"] * 2 + ["generated"] * 2
    apart = float(np.linalg.norm(cells.codes[0] - cells.codes[1]))
    assert abs(float(codes[0]["pc1"]) - float(codes[1]["pc1"])) == pytest.approx(apart, rel=1e-4)
    # Balls that grow from 2 µm to 3 µm and to 4 µm.
    assert float(codes[0]["growth"]) == pytest.approx(1.5**3, rel=0.25)
    assert float(codes[1]["growth"]) > float(codes[0]["growth"])
    assert float(codes[1]["size_um3"]) > float(codes[0]["size_um3"])
    assert float(codes[0]["sphericity"]) == pytest.approx(1, rel=0.05)


def test_generated_cells_are_nearest_to_those_they_were_drawn_around(folder: Path) -> None:
    found = rows(folder / "neighbours.csv")
    first = {(row["cell"], row["measure"]): row for row in found if row["rank"] == "1" and row["kind"] == "generated"}
    assert len(first) == 4
    around = [first[f"new{i:04d}", "code"]["name"] for i in range(2)]
    assert sorted(around) == ["a", "b"]
    for i, name in enumerate(around):
        shape = first[f"new{i:04d}", "shape"]
        assert shape["name"] == name
        assert float(shape["distance"]) < 0.1
    learned = [row for row in found if row["kind"] == "learned" and row["measure"] == "shape"]
    assert [(row["cell"], row["name"]) for row in learned] == [("a", "b"), ("b", "a")]


def test_traversal_meshes_are_those_of_the_codes(folder: Path, cells: Cells) -> None:
    middle = trimesh.load(folder / "meshes" / "traversal_1" / "sigma+0_time-1.ply", process=False)
    mesh = cells.field(cells.codes.mean(axis=0)).render(-1.0, 20).mesh()
    assert middle.volume == pytest.approx(mesh.volume_um3, rel=1e-3)


def test_the_page_is_whole(folder: Path) -> None:
    text = (folder / "index.html").read_text()
    assert_self_contained(text)
    assert_well_formed(text)
    links = re.findall(r'href="([^"]+)"', text)
    assert links
    assert all((folder / link).exists() for link in links if not link.startswith("#"))
    assert {link[1:] for link in links if link.startswith("#")} <= set(re.findall(r'\bid="([^"]+)"', text))
    assert len(re.findall(r"<img ", text)) == 4
    assert not re.search(r"\bnan\b", re.sub(r'src="[^"]+"', "", text))


def test_same_seed_same_bytes(cells: Cells, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_latent_report(cells, tmp_path / name, look=LatentView(16, 2))
    files = [
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("one", "two")
    ]
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("codes", "n_components"),
    [
        (lambda codes: codes[:1], 0),
        (lambda codes: np.repeat(codes[:1], 3, axis=0), 0),
        (lambda codes: np.concatenate([codes, codes.mean(axis=0, keepdims=True)]), 1),
    ],
    ids=["one", "equal", "on a line"],
)
def test_fewer_directions_than_asked_for(
    cells: Cells, tmp_path: Path, codes: Callable[[np.ndarray], np.ndarray], n_components: int
) -> None:
    few = with_codes(cells, codes(cells.codes))
    write_latent_report(few, tmp_path / "out", look=LatentView(16, 1, 3))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {name for name in names if name.startswith("traversal")} == {
        f"traversal_{number}.png" for number in range(1, n_components + 1)
    }
    assert "neighbours.csv" not in names
    assert len(rows(tmp_path / "out" / "components.csv")) == n_components
    assert len(rows(tmp_path / "out" / "codes.csv")) == len(few.names)
    assert "no direction" in (tmp_path / "out" / "index.html").read_text() or n_components


def test_empty_cells_are_said_not_drawn(cells: Cells, tmp_path: Path) -> None:
    """Codes far from all learned ones may hold no cell."""
    outside = with_codes(cells, np.array(cells.codes))
    with torch.no_grad():
        decoder = outside.run.decoder
        before = decoder.output.bias.clone()
        decoder.output.bias += 5
        try:
            write_latent_report(outside, tmp_path / "out", look=LatentView(16, 2))
        finally:
            decoder.output.bias.copy_(before)
    first = rows(tmp_path / "out" / "codes.csv")[0]
    assert (first["size_um3"], first["sphericity"], first["growth"]) == ("0", "", "")
    assert list((tmp_path / "out" / "meshes").rglob("*.ply")) == []


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (LatentView(n_components=0), "--components 0"),
        (LatentView(grid_size=2), "--grid 2"),
        (LatentView(n_frames=0), "--frames 0"),
    ],
)
def test_a_look_at_nothing(cells: Cells, tmp_path: Path, look: LatentView, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cytoform.write_latent_report(cells, tmp_path / "out", look=look)
    assert list(tmp_path.iterdir()) == []


def test_only_stores_of_this_run_are_compared(cells: Cells, balls: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not rendered by a run"):
        write_latent_report(cells, tmp_path / "out", generated=balls)
    generate(cells, tmp_path / "new.zarr", 1, rendering=Rendering(16, 1))
    ShapeStore.open(tmp_path / "new.zarr", writable=True).note({"weights_sha256": "of another"})
    with pytest.raises(InputError, match="rendered by another run"):
        write_latent_report(cells, tmp_path / "out", generated=tmp_path / "new.zarr")
    assert not (tmp_path / "out").exists()
