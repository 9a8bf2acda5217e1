"""Renders images of given masks and writes both in the Cell Tracking Challenge layout.

OUT/01/t000.tif                    images
OUT/01_GT/SEG/man_seg000.tif       masks: instance labels
OUT/README.md, provenance.json     texture, source, seed and versions
"""

import contextlib
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from cytoform.base.digest import file_sha256, folder_sha256
from cytoform.base.files import write_json
from cytoform.base.lines import encodable
from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress, run_all
from cytoform.base.provenance import software_versions
from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.imaging.masks import numbered, open_masks
from cytoform.imaging.texture import OPTICS, Texture, open_texture
from cytoform.movies.ctc import CtcWriter
from cytoform.movies.movie import LabelMovie
from cytoform.movies.pairs.pairs import project_labels


@dataclass(frozen=True)
class TextureSpec:
    """The texture and how to open it; sent to every worker process."""

    texture: str
    sha256: str  # so that a long-lived worker notices a replaced model
    device: str
    projection: bool


@dataclass(frozen=True)
class Target:
    """A movie of masks, and the folders of its pairs: NUMBER and NUMBER_GT/SEG."""

    movie: LabelMovie
    number: str
    seed: int
    frames: tuple[int, ...]


def render_pairs(
    texture: str | Path,
    source: Path,
    out: Path,
    *,
    projection: bool = False,
    seed: int = 0,
    device: str = "auto",
    frames: tuple[int, int] | None = None,
    sequences: Collection[str] | None = None,
    voxel_size_zyx_um: Triple | None = None,
    time_step_s: float | None = None,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> list[Target]:
    """Render an image of every frame of masks in parallel; returns the written movies.

    `texture` is an argument of `open_texture`, `source` a shape store or label movies, `frames` the first and last frame
    to render (file numbers are kept). Equal seeds give equal bytes for any number of workers. Raises InputError.
    """
    output = Output.at(out, inputs=[texture, source], overwrite=overwrite)
    output.check()
    movies = open_masks(source, voxel_size_zyx_um=voxel_size_zyx_um, time_step_s=time_step_s)
    targets = _targets(numbered(movies, sequences), frames, seed)
    origin = _origin(texture)
    spec = TextureSpec(_everywhere(texture), origin.get("sha256", ""), device, projection)
    _opened(spec)  # raises errors here instead of in a worker
    with output.staged() as folder:
        tasks = [(spec, target, frame, folder) for target in targets for frame in target.frames]
        with progress("rendering", len(tasks)) as advance:
            run_all(_render_frame, tasks, workers=workers, done=advance)
        about = _provenance(origin, _origin(source), targets, seed=seed, projection=projection)
        write_json(folder / "provenance.json", about)
        (folder / "README.md").write_text(encodable(data_card(about)), "utf-8")
    return targets


def _targets(movies: dict[int, LabelMovie], frames: tuple[int, int] | None, seed: int) -> list[Target]:
    targets = []
    for folder, (place, movie) in enumerate(movies.items(), start=1):
        first, last = frames or (0, movie.n_frames - 1)
        if not 0 <= first <= last < movie.n_frames:
            raise InputError(f"--frames {first} {last}: {movie.name} has the frames 0 to {movie.n_frames - 1}")
        # Each sequence has its own seed, otherwise cells of equal label would look the same in all. It depends on the
        # index among all sequences, so that a sequence looks the same when rendered alone.
        own = int(np.random.SeedSequence(seed, spawn_key=(place,)).generate_state(1)[0])
        targets.append(Target(movie, f"{folder:02d}", own, tuple(range(first, last + 1))))
    return targets


def _everywhere(texture: str | Path) -> str:
    """The texture with an absolute path, for processes with another working directory."""
    path = Path(texture)
    return str(path.absolute()) if path.exists() and str(texture) != OPTICS else str(texture)


@lru_cache(maxsize=1)
def _opened(spec: TextureSpec) -> Texture:
    return open_texture(spec.texture, device=spec.device)


def _render_frame(spec: TextureSpec, target: Target, frame: int, folder: Path) -> None:
    movie = target.movie
    labels, spacing = movie.read(frame), movie.spacing_zyx_um
    with _one_thread():
        image = _opened(spec).render(
            labels, spacing_zyx_um=spacing, frame=frame, seed=target.seed, projection=spec.projection
        )
    masks = project_labels(labels)[None] if spec.projection else labels
    CtcWriter(folder, movie.n_frames, spacing, movie.time_step_s, target.number, tracking=False).write(
        frame, masks, image
    )


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Limit PyTorch to one thread, as in worker processes: sums over several threads round differently."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _provenance(
    texture: dict[str, str], source: dict[str, str], targets: list[Target], *, seed: int, projection: bool
) -> dict[str, Any]:
    return {
        "command": "cytoform texture render",
        "texture": texture,
        "source": source,
        "seed": seed,
        "projection": projection,
        "sequences": {
            target.number: {
                "name": target.movie.name,
                "frames": [target.frames[0], target.frames[-1]],
                "shape_zyx": list(target.movie.shape_zyx),
                "spacing_zyx_um": list(target.movie.spacing_zyx_um),
                "time_step_s": target.movie.time_step_s,
            }
            for target in targets
        },
        "versions": software_versions(),
    }


def _origin(of: str | Path) -> dict[str, str]:
    """Name and SHA-256 of a file or folder; only the name for a preset."""
    path = Path(of)
    if str(of) == OPTICS or not path.exists():
        return {"name": str(of)}
    return {"name": path.absolute().name, "sha256": folder_sha256(path) if path.is_dir() else file_sha256(path)}


def data_card(about: dict[str, Any]) -> str:
    """Markdown summary of provenance.json."""
    rows = [_row(number, sequence) for number, sequence in about["sequences"].items()]
    kind = "maximum projections" if about["projection"] else "images"
    versions = ", ".join(f"{package} {version}" for package, version in about["versions"].items())
    return f"""# Image and mask pairs

Made by `{about["command"]}`, not taken at a microscope: {kind} for given masks, pair by pair.

| | |
|---|---|
| images of | {_origin_text(about["texture"])} |
| masks of | {_origin_text(about["source"])} |
| seed | {about["seed"]} |
| versions | {versions} |

| folder | sequence | frames | size of the masks (z y x) | voxel in µm (z y x) | time step |
|---|---|---|---|---|---|
{chr(10).join(rows)}

Images are `NN/tTTT.tif`, masks `NN_GT/SEG/man_segTTT.tif` (every label an instance, 0 background), in the layout of the
Cell Tracking Challenge; voxel size and time step are in the files, as ImageJ writes them. A projection shows the brightest
voxel along z, its mask the label of the lowest plane that has one. `provenance.json` holds the same for machines.
"""


def _origin_text(origin: dict[str, str]) -> str:
    return f"`{origin['name']}`" + (f", SHA-256 {origin['sha256']}" if "sha256" in origin else "")


def _row(number: str, sequence: dict[str, Any]) -> str:
    first, last = sequence["frames"]
    size = "×".join(str(n) for n in sequence["shape_zyx"])
    voxel = "×".join(f"{um:.4g}" for um in sequence["spacing_zyx_um"])
    step = "unknown" if sequence["time_step_s"] is None else f"{sequence['time_step_s']:g} s"
    return f"| `{number}` | {sequence['name']} | {first}–{last} | {size} | {voxel} | {step} |"
