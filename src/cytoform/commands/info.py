"""`cytoform info`: what is in a file or folder."""

from pathlib import Path

from cytoform.commands.common import Common


def info(path: Path, /, *, common: Common = Common()) -> None:  # noqa: B008 (frozen)
    """Say what is in a shape store, a run, an assessment, a look at a latent space, or a label movie.

    Parameters
    ----------
    path
        File or folder to look into.
    """
    from cytoform.errors import InputError

    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if (path / "config.toml").is_file():
        lines = _texture(path) if "[generator]" in (path / "config.toml").read_text("utf-8") else _run(path)
    elif (path / "results.json").is_file():
        lines = _assessment(path)
    elif (path / "codes.csv").is_file():
        lines = _latent_space(path)
    elif (path / "zarr.json").is_file() and '"cytoform"' in (path / "zarr.json").read_text():
        lines = _store(path)
    else:
        lines = _movies(path)
    for line in lines:
        common.say(line)


def _store(path: Path) -> list[str]:
    from cytoform.shapes.store import ShapeStore

    store = ShapeStore.open(path)
    grid = store.grid
    head = f"shape store: {len(store)} sequences, {grid.size}³ voxels of {grid.spacing_um:.4g} µm"
    return [head, f"made by: cytoform {store.attributes.get('command', '?')}"] + [
        f"  {sequence.info.name}: {sequence.info.n_frames} frames"
        + (f" of {sequence.info.time_step_s:g} s" if sequence.info.time_step_s else "")
        for sequence in store
    ]


def _run(path: Path) -> list[str]:
    from cytoform.runs.config import read_config
    from cytoform.runs.run import load_run
    from cytoform.training.folder import WEIGHTS

    config = read_config(path / "config.toml")
    model, training = config.model, config.training
    lines = [
        f"run: {model.depth} layers of {model.width} units ({model.activation}), codes of {model.code_dim}, "
        f"{training.epochs} epochs"
    ]
    if not (path / WEIGHTS).is_file():
        return [*lines, "not finished; go on with 'cytoform train ... --resume'"]
    run = load_run(path)
    n_weights = sum(parameter.numel() for parameter in run.decoder.parameters())
    lines.append(f"decoder of {n_weights:,} parameters, steepest slope {run.learned.bounds.slope:.2f}")
    if config.has_rotations:
        lines.append(f"one rotation a sequence: aligned {config.data.align}, learned {model.rotations}")
    return [*lines, f"learned {len(run.names)} sequences: {', '.join(run.names[:8])}{' …' * (len(run.names) > 8)}"]


def _texture(path: Path) -> list[str]:
    from cytoform.imaging.networks.config import TextureConfig
    from cytoform.imaging.networks.model import TextureModel
    from cytoform.training.folder import WEIGHTS

    generator = TextureConfig.read(path / "config.toml").generator
    lines = [f"texture model: {generator.kind} generator of {generator.channels} channels"]
    if not (path / WEIGHTS).is_file():
        return [*lines, "not finished; go on with 'cytoform texture train ... --resume'"]
    learned = TextureModel.open(path, device="cpu").learned
    spacing = learned.spacing_zyx_um
    pixels = "unknown size" if spacing is None else f"{spacing[1]:g} × {spacing[2]:g} µm"
    return [*lines, f"learned {learned.planes} of {learned.scale.dtype}, pixels of {pixels}"]


def _assessment(path: Path) -> list[str]:
    import json

    results = json.loads((path / "results.json").read_text())
    jaccard = results.get("jaccard")
    lines = [f"assessment: {path / 'report.html'}"]
    if jaccard:
        lines.append(f"Jaccard index {jaccard['mean']:.3f} ± {jaccard['std']:.3f}")
    return lines


def _latent_space(path: Path) -> list[str]:
    kinds = [line.split(",")[0] for line in (path / "codes.csv").read_text("utf-8").splitlines()[1:]]
    n_components = len((path / "components.csv").read_text("utf-8").splitlines()) - 1
    return [
        f"look at a latent space: {path / 'index.html'}",
        f"{kinds.count('learned')} learned and {kinds.count('generated')} generated cells, {n_components} components",
    ]


def _movies(path: Path) -> list[str]:
    from cytoform.errors import InputError
    from cytoform.movies.readers import open_movies

    try:
        movies, unknown = open_movies(path, flat=True), False
    except InputError as fault:
        if "--voxel-size" not in str(fault):
            raise
        movies, unknown = open_movies(path, voxel_size_zyx_um=(1.0, 1.0, 1.0), flat=True), True
    lines = [f"{len(movies)} label movies"]
    for movie in movies:
        spacing = "not recorded" if unknown else " × ".join(f"{s:g}" for s in movie.spacing_zyx_um) + " µm"
        step = "not recorded" if movie.time_step_s is None else f"{movie.time_step_s:g} s"
        tracks = "no lineage" if movie.lineage is None else f"{len(movie.lineage.tracks)} tracks"
        shape = " × ".join(str(n) for n in (movie.n_frames, *movie.shape_zyx))
        lines.append(f"  {movie.name}: {shape} (t z y x), voxels {spacing}, time step {step}, {tracks}")
    return lines
