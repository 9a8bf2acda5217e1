"""A run of the kind "parts" without training: bodies that are balls, by weights of our own, and protrusions by hand."""

from pathlib import Path

import numpy as np
import torch

from cytoform.base.tensors import write_tensors
from cytoform.protrusions.bulge_fit import Learned as LearnedBulges
from cytoform.protrusions.units import ALONG, OVER, PHASES, PLACES, Units, joined
from cytoform.representations.bounds import Bounds
from cytoform.representations.parts.representation import Parts
from cytoform.representations.table import new_representation
from cytoform.runs.config import load_config
from cytoform.runs.parts import PARTS, tensors_of
from cytoform.runs.run import Learned, LearnedSequence, write_weights
from cytoform.training.folder import CONFIG

WIDTH, CODE_DIM = 257, 2
HALF_UM, GRID, N_FRAMES, TIME_STEP_S = 8.0, 64, 6, 20.0
BODY_RADIUS = 0.32  # half extents
MODEL = ["model.kind=parts", "model.opening_radius_um=0.6", "model.fillet=0.02", f"model.width={WIDTH}", "model.depth=1",
         f"model.code_dim={CODE_DIM}", "model.code_layers=[1]", "model.activation=relu"]  # fmt: skip


def directions(n: int) -> np.ndarray:
    """Unit vectors, evenly over the sphere (a Fibonacci lattice)."""
    z = 1 - (2 * np.arange(n) + 1) / n
    azimuth = np.pi * (1 + 5**0.5) * np.arange(n)
    return np.stack([np.sqrt(1 - z**2) * np.cos(azimuth), np.sqrt(1 - z**2) * np.sin(azimuth), z], axis=1)


def ball_decoder() -> Parts:
    """The distance to a ball in the middle: the mean of |n·x| over all directions n is |x|/2. A code changes its radius."""
    decoder = new_representation(load_config(settings=MODEL).model, seed=0)
    assert isinstance(decoder, Parts)
    (layer,) = decoder.layers
    n = WIDTH - 1
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
        layer.weight[:n, :3] = torch.tensor(directions(n), dtype=torch.float32)
        layer.weight[n, 4] = 1.0  # after x, y, z and the time
        layer.bias[n] = 1.0
        decoder.output.weight[0, :n] = 4 / n
        decoder.output.weight[0, n] = -0.1
        decoder.output.bias[0] = 0.1 - BODY_RADIUS
    return decoder


def unit(
    direction: np.ndarray, window: tuple[float, float], *, length: float = 0.35, angle: float = 0.0, at: float = -1.0
) -> Units:
    """A straight protrusion that grows and withdraws evenly; with `at`, a branch of row 0 at this place."""
    direction = direction / np.linalg.norm(direction)
    across = np.eye(3)[int(np.argmin(np.abs(direction)))]
    angles = np.zeros((1, 2, ALONG, OVER))
    angles[0, 0, 0, 0] = angle
    return Units(
        np.array([-1 if at < 0 else 0]),
        np.array([window]),
        np.tile(BODY_RADIUS * direction, (1, 2, 1)),
        np.tile(direction, (1, 2, 1)),
        across[None],
        np.array([max(at, 0.0)]),
        np.array([length]),
        np.interp(np.linspace(0, 1, PHASES), [0, 0.4, 0.6, 1], [0, 1, 1, 0])[None],
        np.full((1, PLACES), 0.05),
        angles,
    )


def hand_made_units(rng: np.random.Generator) -> Units:
    """Six protrusions, each with a branch."""
    found = []
    for direction in directions(6) + rng.normal(0, 0.2, (6, 3)):
        born, lasts = rng.uniform(-0.2, 0.6), rng.uniform(0.4, 0.7)
        parent = unit(direction, (born, born + lasts))
        branch = unit(direction, (born + 0.1, born + lasts - 0.1), length=0.2, angle=1.0, at=0.12)
        found.append(Units(*(np.concatenate([getattr(u, f) for u in (parent, branch)]) for f in vars(parent))))
        found[-1].parent[1] = 0
    return joined(found)


def write_parts_run(path: Path, n: int = 5, bulges: LearnedBulges | None = None) -> Path:
    """Write a run of `n` learned sequences; cells of the prior `compose` have about six protrusions in a frame.

    With `bulges`, every cell has some of them instead.
    """
    path.mkdir()
    rng = np.random.default_rng(1)
    names = [f"cell{number}" for number in range(n)]
    sequences = tuple(LearnedSequence(name, N_FRAMES, TIME_STEP_S) for name in names)
    codes = torch.tensor(rng.normal(0, 0.1, (n, CODE_DIM)), dtype=torch.float32)
    (path / CONFIG).write_text(load_config(settings=MODEL).to_toml())
    write_weights(path, ball_decoder(), codes, Learned(sequences, HALF_UM, GRID, Bounds.of_slope(1.1)))
    volumes = np.tile(4 / 3 * np.pi * BODY_RADIUS**3 * np.array([1.1, 1.0]), (N_FRAMES, 1))
    tensors = {}
    for number, name in enumerate(names):
        units = Units.none() if bulges else hand_made_units(rng)
        if bulges:
            rows = bulges.cells[number % len(bulges.cells)].to_rows()
            tensors[f"{name}.bulges"] = torch.tensor(rows, dtype=torch.float32)
            tensors |= tensors_of(bulges.moments)
        tensors[f"{name}.protrusions"] = torch.tensor(units.to_rows(), dtype=torch.float32)
        tensors[f"{name}.volumes"] = torch.tensor(volumes, dtype=torch.float32)
    write_tensors(path / PARTS, tensors, {})
    return path
