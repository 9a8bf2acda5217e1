"""Settings that fit the data (`cytoform train` without --preset): the kind of representation and the preset, with reasons."""

from collections.abc import Sequence
from dataclasses import dataclass

from cytoform.base.parallel import no_progress
from cytoform.errors import InputError, UnknownSetting
from cytoform.protrusions.verdict import Verdict, judge
from cytoform.representations.linear.config import LinearConfig
from cytoform.representations.linear.representation import nodes_text
from cytoform.runs.components import HELD, fewest_nodes, place_all
from cytoform.runs.config import load_config
from cytoform.runs.samples import training_frames
from cytoform.shapes.store import ShapeStore

# From so many sequences on, codes that describe unseen cells pay; from so many, principal frames do.
MANY, FEW = 12, 4
# Presets among which the data choose; those with networks for whole cells need so many sequences.
PRESETS = ("parts", "linear", "unseen", "quick")
NETWORKS = {"unseen": MANY, "quick": 1}
TRIED_FRAMES = 60  # of a store, at most, on which grids are tried
# Bodies of many frames are learned in fewer epochs than the preset `parts` has: after so many frames shown in all they gain
# nothing more (docs/LOG.md, 2026-12-01). At least a third of the epochs, for each code is learned from its own frames alone.
FRAMES_SHOWN, FEWEST_EPOCHS = 300_000, 150


@dataclass(frozen=True)
class Automatic:
    """A preset with settings, chosen from the data, and the reason in one line."""

    preset: str
    settings: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class CoarseGrid:
    """The coarsest grid that holds the cells, or the finest that was tried, and the Jaccard index at which it does."""

    nodes: int
    jaccard: float
    n_dims: int = 3


def automatic(
    store: ShapeStore, *, names: Sequence[str] = (), settings: Sequence[str] = (), workers: int = 1
) -> Automatic:
    """Look at a store: are its cells bodies with protrusions, does a coarse grid hold them, and how many are there?

    Only the named sequences are looked at, by default all. Presets without one of `settings` ("section.key=value") are left
    out. Raises InputError for settings that no preset has.
    """
    for name in names:
        store[name]  # raises where there is none
    names, presets = names or store.names, presets_with(settings)
    verdict = judge(store, names=names, workers=workers)
    if verdict.applies and "parts" in presets:
        return taken_apart(verdict, sum(store[name].info.n_frames for name in names))
    wanted = next((each for each in settings if is_of_networks(each)), None)
    grid = None if wanted or "linear" not in presets else coarse_grid(store, names, len(names) >= FEW, workers=workers)
    return chosen_for(verdict, grid, len(names), presets, wanted)


def presets_with(settings: Sequence[str]) -> tuple[str, ...]:
    """Presets that have all `settings`; the data choose one of them. Raises InputError if no preset has all."""
    found: list[str] = []
    faults: list[InputError] = []
    for preset in PRESETS:
        kind = load_config(preset=preset).model.kind
        try:
            config = load_config(preset=preset, settings=list(settings))
        except InputError as fault:
            faults.append(fault)
            continue
        # Protrusions are followed through all frames.
        if config.model.kind == kind and (kind != "parts" or config.data.frame_stride == 1):
            found.append(preset)
    if not found:
        # The one by the preset that knows the settings, or has the name that is nearest to one of them.
        raise max(faults, key=lambda fault: fault.likeness if isinstance(fault, UnknownSetting) else 2.0)
    return tuple(found)


def taken_apart(verdict: Verdict, n_frames: int) -> Automatic:
    """The settings for bodies with protrusions: thin ones on a body opened by a ball, thick ones on what lasts."""
    epochs = max(FRAMES_SHOWN // n_frames, FEWEST_EPOCHS)
    settings: tuple[str, ...] = ("model.body=lasting",) if verdict.lasting else ()
    if epochs < load_config(preset="parts").training.epochs:
        settings += (f"training.epochs={epochs}",)
    how = " into what lasts and what comes and goes" if verdict.lasting else ""
    return Automatic("parts", settings, f"cells are taken apart{how}, since they are {verdict.sentence}")


def is_of_networks(setting: str) -> bool:
    """Whether only networks have a setting, "section.key=value": they are trained, components are not."""
    section, _, key = setting.partition("=")[0].strip().partition(".")
    if section in {"training", "sampling"} or (section, key) == ("data", "mirrored"):
        return True
    return section == "model" and key not in LinearConfig.model_fields


def coarse_grid(store: ShapeStore, names: Sequence[str], aligned: bool, *, workers: int = 1) -> CoarseGrid:
    """Try grids on frames spread over the named sequences. Raises EmptyFrame for a frame without a cell."""
    frames = training_frames(store, list(names), 1)
    frames = frames[:: -(-len(frames) // TRIED_FRAMES)]
    align = "principal" if aligned else "none"
    placed = place_all(store, frames, align, workers=workers, progress=no_progress)
    return CoarseGrid(*fewest_nodes(store, frames, placed, LinearConfig().cut), store.grid.n_dims)


def chosen_for(
    verdict: Verdict,
    grid: CoarseGrid | None,
    n_sequences: int,
    presets: Sequence[str] = PRESETS,
    wanted: str | None = None,
) -> Automatic:
    """The settings for whole cells: a verdict on protrusions, the grid that holds the cells, and a number of sequences.

    `presets` are those with the user's settings. Without a grid, a network is taken; `wanted` is the setting that asks for one.
    """
    align = "principal" if n_sequences >= FEW else "none"
    frames = "in principal frames" if align == "principal" else "as they lie"
    counted = f"{n_sequences} sequence{'s' * (n_sequences != 1)}"
    held = (
        ""
        if grid is None
        else f"{nodes_text(grid.nodes, grid.n_dims)} hold them at a Jaccard index of {grid.jaccard:.3f}"
    )
    network = next((each for each in NETWORKS if each in presets and n_sequences >= NETWORKS[each]), None)
    why = f"they are {verdict.sentence}, and "
    if grid is not None and (grid.jaccard >= HELD or network is None):
        return Automatic(
            "linear",
            (f"data.align={align}", f"model.nodes={grid.nodes}"),
            f"components of distances for {counted}, {frames}: {why}{held}",
        )
    reason = f"{wanted} is a setting of networks" if wanted else f"{held} only" if held else "settings ask for one"
    # With settings that no network for so few sequences has, the one for many.
    return Automatic(
        network or presets[-1], (f"data.align={align}",), f"a network for {counted}, {frames}: {why}{reason}"
    )
