"""Common parts of the three experiments: options, data sets, trained models, results.json, rows of the docs.

Everything is in one folder, by default out/experiments/SIZE:

DATA SET/shapes.zarr       prepared cells, including held-out ones
         RUN               trained models, shared by the experiments: sine, relu, default, every-second
         *.zarr            rendered cells
         kept/*.json       what was measured, by which an interrupted experiment goes on
EXPERIMENT/results.json    all results, by data set
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from cyclopts import App, Parameter, validators

import cytoform
from cytoform.assess.results import null_nan
from cytoform.base.digest import folder_sha256
from cytoform.base.files import write_json
from cytoform.base.options import FLAG
from cytoform.base.provenance import software_versions
from cytoform.cli import run as run_command
from cytoform.commands.common import Common, Device, WorkerOptions
from cytoform.runs.auto import automatic
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.choice import Choice
from cytoform.synthesis.trial import choose_prior
from data_sets import NAMES, SIZES, Name, Size, Split, make_simulated, make_tcells
from tables import Row, update_table

ROOT = Path(__file__).parents[1]
T = TypeVar("T")
# The model that `cytoform train` learns by default, by the name of its run.
DEFAULT = "default"
DOCS, SHARED = ROOT / "docs" / "results.md", ROOT.parent / "shared" / "data"
TCELLS = SHARED / "tcells"


# Number of repetitions of an experiment; --seed is the first of their seeds.
Seeds = Annotated[int, Parameter(validator=validators.Number(gte=1), help="Number of repetitions.")]


@Parameter(name="*")
@dataclass(frozen=True)
class Places:
    """Where the real data are, and the table of an experiment."""

    shared: Annotated[Path, Parameter(help="Folder of the real data sets.")] = SHARED
    docs: Annotated[Path, Parameter(help="Markdown file with the table to update.")] = DOCS
    no_docs: Annotated[bool, FLAG, Parameter(help="Update no table.")] = False

    def update(self, name: str, columns: Row, rows: Sequence[Row]) -> None:
        """Write the rows of an experiment into its table, unless there is to be none."""
        if not self.no_docs:
            update_table(self.docs, name, columns, rows)


@dataclass(frozen=True)
class Options:
    """Options of the command line."""

    size: Size
    out: Path
    tcells: Path
    device: Device
    n_workers: int
    common: Common


@dataclass(frozen=True)
class DataSet:
    """A prepared data set, with methods to train on it and to measure."""

    name: Name
    options: Options
    split: Split

    @property
    def folder(self) -> Path:
        """Folder of everything made from the data set."""
        return self.options.out / self.name

    @property
    def shapes(self) -> Path:
        """Store of its cells, training and held-out."""
        return self.folder / "shapes.zarr"

    @property
    def size(self) -> Size:
        """Amount of computation."""
        return self.options.size.of(self.name)

    def say(self, line: str) -> None:
        """Print a progress message."""
        self.options.common.say(f"{self.name}: {line}")

    @property
    def by_default(self) -> bool:
        """Whether one model is learned, as `cytoform train` does without options, and no networks are compared."""
        return self.size.preset == "auto"

    def kept(self, name: str, work: Callable[[], T]) -> T:
        """The outcome of `work`, lists and dictionaries of numbers and words, which is found once and kept on disk."""
        path = self.folder / "kept" / f"{name}.json"
        if self.options.common.overwrite or not path.exists():
            path.parent.mkdir(exist_ok=True)
            write_json(path, null_nan({"value": work()}))
        found: T = json.loads(path.read_text())["value"]
        return found

    def learned(self, run: str, *settings: str, frame_stride: int = 1) -> Cells:
        """Train on the training cells with these settings in addition to the size's; a finished run is reused."""
        path, options, common = self.folder / run, self.options, self.options.common
        if common.overwrite or not (path / "model.safetensors").exists():
            self.say(f"learning {len(self.split.training)} sequences, run {run}")
            resume = path.exists() and not common.overwrite
            trained = cytoform.train(
                self.shapes,
                path,
                None if resume else self._config(settings, frame_stride),
                resume=resume,
                device=options.device,
                seed=common.seed,
                workers=options.n_workers,
                overwrite=common.overwrite,
                progress=common.progress,
            )
            if not trained.finished:
                raise KeyboardInterrupt
        return cytoform.load(path, device=options.device)

    def _config(self, settings: Sequence[str], frame_stride: int) -> cytoform.Config:
        preset, all_settings, training = self.size.preset, [*self.size.settings, *settings], self.split.training
        if self.by_default:
            found = self.kept("automatic", partial(self._automatic, all_settings))
            self.say(f"preset {' '.join([found['preset'], *found['settings']])}: {found['reason']}")
            preset, all_settings = found["preset"], [*found["settings"], *all_settings]
        config = cytoform.load_config(preset=preset, settings=all_settings)
        which = {"sequences": training, "frame_stride": frame_stride}
        return config.model_copy(update={"data": config.data.model_copy(update=which)})

    def _automatic(self, settings: Sequence[str]) -> dict[str, Any]:
        store, training = cytoform.ShapeStore.open(self.shapes), self.split.training
        return asdict(automatic(store, names=training, settings=settings, workers=self.options.n_workers))

    def chosen(self, cells: Cells) -> Choice:
        """The prior of a run, chosen by measurement as `cytoform train` does, and recorded in the run."""
        found, common = Choice.read(cells.run.path), self.options.common
        if found is None:
            workers = self.options.n_workers
            found = choose_prior(cells, self.shapes, seed=common.seed, workers=workers, progress=common.progress)
            found.write(cells.run.path)
        return found

    def reconstructed(self, cells: Cells, store: str, *, n_frames: int | None = None) -> Path:
        """Render the training cells from their codes, with the original or the given number of frames, once."""
        path, common = self.folder / f"{store}.zarr", self.options.common
        if common.overwrite or not path.exists():
            rendering = cytoform.Rendering(n_frames=n_frames)
            cytoform.reconstruct(
                cells, path, rendering=rendering, seed=common.seed, overwrite=True, progress=common.progress
            )
        return path

    def compared(self, other: Path) -> dict[str, Any]:
        """The results of a reconstruction beside the training cells, frame by frame, found once."""
        common, training = self.options.common, list(self.split.training)

        def compare() -> dict[str, Any]:
            with common.progress("measuring", len(training)) as advance:
                return cytoform.evaluate(
                    self.shapes, other, paired=True, sequences=training, workers=self.options.n_workers, done=advance
                ).to_json()

        return self.kept(f"compared-{other.stem}", compare)


@dataclass(frozen=True)
class Experiment:
    """One of the paper's experiments: measurement on a data set, and rows of the table in docs/results.md."""

    name: str
    columns: Row
    measure: Callable[[DataSet], dict[str, Any]]
    # Results of the paper and ours for a data set: rows that begin with data set and source.
    published: Callable[[Name], Sequence[Row]]
    rows: Callable[[Name, str, dict[str, Any]], Sequence[Row]]


def main(experiment: Experiment, arguments: list[str]) -> int:
    """Run an experiment from the command line; returns the exit status, as for cytoform's commands."""

    def command(
        *,
        size: Literal["tiny", "cpu", "thin", "unseen", "paper"] = "cpu",
        preset: str | None = None,
        data: Annotated[list[Name], Parameter(consume_multiple=True, negative=())] = list(NAMES),  # noqa: B006
        out: Path | None = None,
        tcells: Path = TCELLS,
        docs: Path = DOCS,
        no_docs: Annotated[bool, Parameter(negative=())] = False,
        device: Device = "auto",
        workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
        common: Common = Common(),  # noqa: B008 (frozen)
    ) -> None:
        """Measure each data set without a result yet, write results.json, and update the table in the docs.

        Parameters
        ----------
        size
            tiny only tests that everything runs; cpu takes under an hour on two cores for all three experiments; thin is for
            filopodial cells on a finer grid, and unseen for all T cells, each with the preset of this name and hours on two
            cores; paper is the paper's size with the model that 'cytoform train' takes by default, an evening on two cores.
        preset
            Preset for all models in place of the size's. With --size paper, --preset paper is the paper's own network, for a
            GPU.
        data
            The data sets.
        out
            Working folder, shared by the experiments; default: out/experiments/SIZE, or SIZE-PRESET, in the project.
        tcells
            Folder of the T cells.
        docs
            Markdown file with the table to update; tiny updates it only if it is given explicitly.
        no_docs
            Update no table.
        device
            Where to compute.
        """
        chosen = SIZES[size] if preset is None else SIZES[size].with_preset(preset)
        place = size if preset is None else f"{size}-{preset}"
        folder = ROOT / "out" / "experiments" / place if out is None else out
        table = None if no_docs or (size == "tiny" and docs == DOCS) else docs
        with workers.ready() as n_workers:
            run(experiment, data, Options(chosen, folder, tcells, device, n_workers, common), table)

    return run_script(experiment.name, command, arguments)


def run_script(name: str, command: Callable[..., None], arguments: Sequence[str]) -> int:
    """Run an experiment from the command line; returns the exit status, as for cytoform's commands."""
    app = App(
        name=f"experiments/{name}.py",
        help=command.__doc__,
        help_format="plaintext",
        version_flags=[],
        suppress_keyboard_interrupt=False,
    )
    app.default(command)
    # Without arguments, run with the defaults instead of showing the help.
    return run_command(list(arguments) or ["--seed", "0"], app)


def run(experiment: Experiment, names: Sequence[Name], options: Options, docs: Path | None) -> None:
    """Measure data sets that are missing in results.json, or all with --overwrite."""
    path = options.out / experiment.name / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    for name in names:
        if name not in results or options.common.overwrite:
            results[name] = _measured(experiment, name, options)
            write_json(path, results)
            options.common.say(f"{name}: {experiment.name} took {results[name]['provenance']['seconds']:.0f} s")
        if docs is not None:
            rows = experiment.rows(name, options.size.name, results[name])
            update_table(docs, experiment.name, experiment.columns, [*experiment.published(name), *rows])
    options.common.done(path)


def _measured(experiment: Experiment, name: Name, options: Options) -> dict[str, Any]:
    """Results of a data set with their provenance."""
    start = time.perf_counter()
    data = DataSet(name, options, _made(name, options))
    figures = experiment.measure(data)
    provenance = {
        "size": asdict(data.size),
        "seed": options.common.seed,
        "sequences": asdict(data.split),
        "data_sha256": folder_sha256(data.shapes),
        "versions": software_versions(),
        "seconds": time.perf_counter() - start,
    }
    found: dict[str, Any] = null_nan(json.loads(json.dumps({**figures, "provenance": provenance})))
    return found


def _made(name: Name, options: Options) -> Split:
    folder, common = options.out / name, options.common
    folder.mkdir(parents=True, exist_ok=True)
    common.say(f"{name}: cells")
    if name == "tcells":
        return make_tcells(
            options.tcells,
            options.size.of(name),
            folder,
            workers=options.n_workers,
            overwrite=common.overwrite,
            progress=common.progress,
        )
    return make_simulated(
        name,
        options.size.of(name),
        folder,
        seed=common.seed,
        workers=options.n_workers,
        overwrite=common.overwrite,
        progress=common.progress,
    )
