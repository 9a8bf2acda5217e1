"""Stores compared as sets: near-duplicates are found, and comparisons with one reference do not change each other."""

import pytest
from stores import ball, write_store

from cytoform.assess import stores
from cytoform.assess.statistics import cloud_sets
from cytoform.assess.statistics.near_duplicates import SetReference


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> list[stores.MeasuredStore]:
    """Four balls; copies of two of them under other names; and five other balls, over fewer frames."""
    home = tmp_path_factory.mktemp("sets")
    frames = {name: [ball(radius)] * 4 for name, radius in zip("abcd", (2.0, 3.0, 4.0, 5.0), strict=True)}
    paths = [
        write_store(home / "ref.zarr", frames),
        write_store(home / "copies.zarr", {"x": frames["c"], "y": frames["a"]}),
        write_store(home / "new.zarr", {f"n{i}": [ball(2.5 + 0.5 * i)] * 2 for i in range(5)}),
    ]
    return stores.measure_stores(stores.select(paths[0], paths[1:], paired=[False, False]))


def test_near_duplicates_are_named(measured: list[stores.MeasuredStore]) -> None:
    reference, copies, new = measured
    found = SetReference(reference, seed=0, workers=1).compare(copies)
    assert found.nearest == {"x": "c", "y": "a"}
    # Random points on the surface of a ball of radius r: 2 · area / (π · points) apart.
    assert found.novelty_um2["x"] == pytest.approx(8 * 4.0**2 / found.points, rel=0.3)
    # Neighbours of the reference differ by 1 µm in radius, there and back.
    assert min(found.reference_um2.values()) == pytest.approx(2, rel=0.25)
    other = SetReference(reference, seed=0, workers=1).compare(new)
    assert other.frames == 2
    assert other.nearest["n1"] == "b"
    assert other.novelty_um2["n1"] < 0.3 < other.novelty_um2["n0"]


def test_comparisons_with_one_reference_do_not_change_each_other(
    measured: list[stores.MeasuredStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where sequences are drawn, and where the distances come in several blocks."""
    monkeypatch.setattr(cloud_sets, "MOST_SEQUENCES", 3)
    monkeypatch.setattr(cloud_sets, "BLOCK", 2)
    reference, copies, new = measured
    alone = [SetReference(reference, seed=1, workers=1).compare(other).to_json() for other in (new, copies, new)]
    shared = SetReference(reference, seed=1, workers=1)
    assert repr([shared.compare(other).to_json() for other in (new, copies, new)]) == repr(alone)
    assert len(alone[0]["novelty_um2"]["per_sequence"]) == 3
    assert len(alone[0]["reference_nearest_um2"]["per_sequence"]) == 3
