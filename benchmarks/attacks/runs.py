"""Attacks by damaged runs, through every command that reads one or goes on with one."""

from collections.abc import Callable
from random import Random

import torch
from damage import any_file, cut, flip, hostile_text, mutate_json, mutate_safetensors, mutate_toml, other_thing
from fixtures import SCENE, SMALL_RUN
from place import Attack, Place, Ran
from safetensors import safe_open
from safetensors.torch import save_file
from stores import pick
from torch import Tensor

from cytoform.shapes.store import ShapeStore

RENDER = "--grid 16 --frames 2"
READERS = (
    "info run",
    f"reconstruct run {RENDER} --out new.zarr",
    f"generate run -n 2 {RENDER} --out new.zarr",
    f"generate run -n 2 --prior around {RENDER} --out new.zarr",
    f"generate run -n 2 --prior gaussian {RENDER} --out new.zarr",
    f"generate run -n 1 --prior covariance {RENDER} --out new.zarr",
    f"latent run --components 1 {RENDER} --out new",
    f"latent run --generated made.zarr --components 1 {RENDER} --out new",
    f"fit run shapes.zarr --steps 2 {RENDER} --out new.zarr",
    f"benchmark run {SCENE} --texture none --out new",
    "evaluate shapes.zarr made.zarr --run run --workers 1 --out new",
)
LINEAR = tuple(
    words.replace("run", "linear", 1)
    for words in READERS
    if words.startswith(("info", "rec", "gen", "lat", "fit")) and "made" not in words
)
RESUME = "train shapes.zarr --out stopped --resume --workers 1"
WEIGHTS = "model.safetensors"


def damaged_config(place: Place, random: Random) -> None:
    """One value of config.toml is of a wrong kind."""
    name = random.choice(["run", "linear"])
    place.about = mutate_toml(place.copy(name) / "config.toml", random)
    read(place, random, name)


def hostile_file(place: Place, random: Random) -> None:
    """A file of a run holds other text, is cut short, or is another thing."""
    name = random.choice(["run", "run", "linear"])
    run = place.copy(name)
    path = random.choice([run / "config.toml", run / WEIGHTS])
    place.about = random.choice([hostile_text, cut, other_thing])(path, random)
    # A TOML file that is cut short may be a valid file with fewer settings; without weights, `info` says "not finished".
    absent = path.name == WEIGHTS and not path.exists()
    read(place, random, name, refuses=path.name == WEIGHTS and not absent, allowed=absent)


def damaged_header(place: Place, random: Random) -> None:
    """One value of the metadata of weights is of a wrong kind."""
    name = random.choice(["run", "linear"])
    place.about = mutate_safetensors(place.copy(name) / WEIGHTS, random)
    read(place, random, name)


def damaged_tensors(place: Place, random: Random) -> None:
    """Weights, codes and rotations that are NaN, huge, zero, of another shape or type, missing, or too many."""
    name = random.choice(["run", "run", "linear"])
    path = place.copy(name) / WEIGHTS
    with safe_open(path, framework="pt") as file:
        metadata, tensors = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    key = random.choice(sorted(tensors))
    how = random.choice(sorted(CHANGES))
    changed = CHANGES[how](tensors.pop(key))
    if changed is not None:
        tensors[key] = changed.contiguous()
    if how == "too many":
        tensors["more"] = torch.zeros(3)
    save_file(tensors, path, metadata)
    place.about = f"{key} {how}"
    read(place, random, name, refuses=how in REFUSED, allowed=how in LEGAL)


CHANGES: dict[str, Callable[[Tensor], Tensor | None]] = {
    "NaN": lambda tensor: tensor.float() * torch.nan,
    "infinite": lambda tensor: tensor.float() + torch.inf,
    "times 1e30": lambda tensor: tensor.float() * 1e30,
    "times 1e6": lambda tensor: tensor * 1_000_000,
    "zero": lambda tensor: tensor * 0,
    "longer": lambda tensor: torch.cat([tensor, tensor]) if tensor.ndim else tensor.reshape(1),
    "flat": lambda tensor: tensor.reshape(-1) if tensor.ndim > 1 else tensor[None],
    "empty": lambda tensor: tensor[:0] if tensor.ndim else tensor.reshape(1)[:0],
    "double": lambda tensor: tensor.double(),
    "whole numbers": lambda tensor: tensor.long(),
    "missing": lambda tensor: None,
    "too many": lambda tensor: tensor,
}
# Numbers that a decoder could have; nothing tells them from learned ones but the cells.
LEGAL = ("times 1e30", "times 1e6", "zero")
REFUSED = ("NaN", "infinite", "longer", "flat", "empty", "double", "whole numbers")


def damaged_beside(place: Place, random: Random) -> None:
    """The choice of a prior, priors, provenance or losses of a run are damaged."""
    run = place.copy("run")
    path = random.choice(
        [run / "choice.json", run / "priors.safetensors", run / "provenance.json", run / "metrics.csv"]
    )
    structured = {".json": mutate_json, ".safetensors": mutate_safetensors}
    ways = [hostile_text, cut, flip, other_thing, *[structured.get(path.suffix, cut)] * 3]
    place.about = f"{path.name}: {random.choice(ways)(path, random)}"
    # Without its choice a run draws from another prior, and says so.
    read(place, random, "run", allowed=path.name in ("choice.json", "priors.safetensors", "metrics.csv"))


def damaged_before_resume(place: Place, random: Random) -> None:
    """A file of an unfinished run is damaged; --resume refuses, or goes on to a run without harm."""
    run = place.copy("stopped")
    checkpoints = sorted((run / "checkpoints").iterdir())
    path = random.choice([any_file(run, random), *checkpoints, run / "config.toml", run / "provenance.json"])
    structured = {".json": mutate_json, ".safetensors": mutate_safetensors, ".toml": mutate_toml}
    ways = [hostile_text, cut, flip, other_thing, *[structured.get(path.suffix, cut)] * 2]
    place.about = f"{path.name}: {random.choice(ways)(path, random)}"
    place.copy("shapes.zarr")
    place.run(*RESUME.split(), may_change=[run, place.folder / ".stopped.partial"])


def other_settings(place: Place, random: Random) -> None:
    """--resume with other settings, another seed, other cells, or of a finished run."""
    place.copy("shapes.zarr")
    run = place.copy("stopped")
    words = [*RESUME.split(), *random.choice([["--set", "model.width=8"], ["--preset", "quick"], ["--seed", "7"], []])]
    if len(words) == len(RESUME.split()):
        place.copy("made.zarr")
        words[1] = random.choice(["made.zarr", "none.zarr", "stopped"])
    place.run(*words, refuses=True, may_change=[run / "checkpoints"])


def untrained(place: Place, random: Random) -> None:
    """A run of settings that learn nothing, or diverge: said by train and by what reads it."""
    place.copy("shapes.zarr")
    odd = random.choice(
        ["training.learning_rate=1e-30", "training.learning_rate=1e3", "training.code_sigma=1e3", "model.omega=1e-3"]
    )
    ran = place.run(
        "train", "shapes.zarr", "--preset", "quick", *SMALL_RUN.split(), "--set", odd, "--out", "run", "--workers", "1"
    )
    place.about = odd
    if ran.status == 0:
        read(place, random, "run", allowed=True)


def foreign_run(place: Place, random: Random) -> None:
    """Something else where a run is expected."""
    kind = random.choice(["shapes.zarr", "texture", "stopped", "report", "optics.toml", "empty"])
    if kind == "empty":
        (place.folder / "run").mkdir()
    else:
        place.copy(kind, "run")
    place.about = f"{kind} as a run"
    place.read(
        pick(random, tuple(words for words in READERS if words.split()[0] not in ("info", "benchmark"))), refuses=True
    )


def read(place: Place, random: Random, name: str, *, refuses: bool = False, allowed: bool = False) -> Ran:
    """Read a run by some command; a store that it makes of empty or full cells needs a remark."""
    words = pick(random, READERS if name == "run" else LINEAR)
    if words.split()[0] == "generate" and "--prior" not in words:
        allowed = True
    ran = place.read(words, refuses=refuses, allowed=allowed)
    out = place.folder / "new.zarr"
    if (
        ran.status == 0
        and out.is_dir()
        and "notice: " not in ran.out
        and any(map(_shows_nothing, ShapeStore.open(out)))
    ):
        place.blame("silent", words, "empty or full cells without a remark")
    return ran


def _shows_nothing(sequence: object) -> bool:
    inside = [sequence.sdf_um(frame) <= 0 for frame in range(sequence.info.n_frames)]  # type: ignore[attr-defined]
    return any(frame.all() or not frame.any() for frame in inside)


KINDS: dict[str, Attack] = {
    "run: a wrong value in config.toml": damaged_config,
    "run: a file is no such file": hostile_file,
    "run: a wrong value in metadata": damaged_header,
    "run: NaN, huge, misshapen tensors": damaged_tensors,
    "run: choice, priors, provenance, losses": damaged_beside,
    "run: damaged before --resume": damaged_before_resume,
    "run: --resume with other settings": other_settings,
    "run: untrained or diverged": untrained,
    "run: something else": foreign_run,
}
