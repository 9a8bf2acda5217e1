"""Attacks by options: every number of every command, words, settings, and inputs that are not there."""

import shlex
from collections.abc import Iterator
from random import Random
from typing import Any

from cyclopts import App
from fixtures import SCENE, SMALL_RUN
from place import Attack, Place

from cytoform.base.options import Range
from cytoform.cli import app

# A good call of every command, without --out.
CALLS = {
    "demo": "demo",
    "simulate mitosis": "simulate mitosis --cells 1 --frames 2 --voxel-size 1 1 1",
    "simulate filopodia": "simulate filopodia --cells 1 --frames 2 --voxel-size 1 1 1",
    "simulate blebs": "simulate blebs --cells 1 --frames 2 --voxel-size 1 1 1",
    "fetch": "fetch https://127.0.0.1:1/cells.bin",
    "prepare": "prepare movies --grid 16",
    "train": f"train shapes.zarr --preset quick {SMALL_RUN}",
    "publish": "publish run --title Cells --licence CC0-1.0 --data simulated",
    "reconstruct": "reconstruct run --grid 16 --frames 2",
    "fit": "fit run shapes.zarr --steps 2 --grid 16 --frames 2",
    "fill": "fill shapes.zarr --every-frame 2",
    "generate": "generate run -n 1 --prior around --grid 16 --frames 2",
    "interpolate": "interpolate run --from a --to b --grid 16 --frames 2",
    "latent": "latent run --components 1 --grid 16 --frames 2",
    "evaluate": "evaluate shapes.zarr made.zarr",
    "texture train": "texture train discs",
    "texture calibrate": "texture calibrate discs",
    "texture render": "texture render optics.toml masks",
    "texture evaluate": "texture evaluate discs scene --segmenter none",
    "view": "view shapes.zarr",
    "protrusions": "protrusions shapes.zarr",
    "export": "export shapes.zarr --to masks",
    "movie": "movie shapes.zarr",
    "benchmark": f"benchmark shapes.zarr {SCENE} --texture none",
    "import": "import cell.h5 --voxel-size 0.5",
    "info": "info shapes.zarr",
}
ENDINGS = {"view": ".html", "movie": ".gif", "texture calibrate": ".toml"}
NUMBERS = (
    "nan", "inf", "-inf", "-1", "0", "1.5", "16.7", "1e3", "1e308", "-1e308", "1e-320", "1e400", str(10**30), str(2**63), "",
    " ", "x", "0x10", "1,5", "١٢", "1_0", "--", "None", "9" * 5000, "-0.0", "+5", "a\nb", "\x1b[31m", "½",
)  # fmt: skip
WORDS = ("", " ", "nothing", "a/b", "../..", "a\nb", "\x1b[2J", "x" * 5000, "-", "--", "\u202e", "<script>")
UNKNOWN = (
    "--no",
    "--empty-frames",
    "--empty-sequences",
    "--empty-voxel-size",
    "--empty-size",
    "--voxel-size",
    "--Seed",
)
SETTINGS = (
    "", "=", "a", "a.b", "a.b=c", "training.epochs", "training.epochs=", "training.epochs=-1", "training.epochs=0",
    "training.epochs=1.5", "training.epochs=1e308", "training.epochs=nan", "training.epochs=[1]", "training.epochs=true",
    "training.learning_rate=nan", "training.learning_rate=inf", "training.learning_rate=0", "training.learning_rate=-1",
    "training.points_per_frame=10000000000", "training.optimizer=none", "training.precision=64", "training.epochs.x=1",
    "model.width=0", "model.width=-5", "model.width=1000000000", "model.depth=100000", "model.omega=0", "model.omega=nan",
    "model.omega=1e300", "model.code_dim=0", "model.code_dim=1000000000", "model.code_layers=[99]", "model.code_layers=[-1]",
    "model.code_layers=x", "model.kind=none", "model.kind=3", "model={}", "model.width={a=1}", "model.x=1",
    "data.sequences=['none']", "data.sequences=[1]", "data.frame_stride=0", "data.align=x", "sampling.pool_points=1",
    "sampling.pool_points=10000000000000", "sampling.near_share=2", "sampling.near_sigma=[]", "sampling.near_sigma=0",
    "sampling.truncation=-1", "training.epochs=" + "[" * 10_000, "training.epochs='" + "9" * 10_000, "\x1b[31m.a=1",
    "a\nb.c=1", "training.epochs=1\nmodel.width=3", "training..=1", ".=", "training.code_sigma=1e300",
)  # fmt: skip
# Words that a command has to refuse, beyond the options of fixed words.
REFUSED = {
    "fetch": ("--mirror x", "--sha256 x", "--cache /dev/null/x", "--cache optics.toml"),
    "prepare": ("--axes TT", "--axes x", "--half-extent nan", "--gaps x", "--jumps x", "--voxel-size 1 1", "--frames 99 1"),
    "train": ("--config none.toml", "--config shapes.zarr", "--preset none", "--resume", "--resume --preset quick"),
    "reconstruct": ("--sequences none", "--sequences ''", "--device tpu", "--grid"),
    "fit": ("--sequences none", "--voxel-size 1 1 1"),
    "fill": ("--sequences none", "--run none", "--run shapes.zarr", "--every-plane 0", "--device tpu", "none", "run"),
    "generate": ("--prior none", "--prior compose", "--where x", "--where size_um3=", "--where size_um3=nan",
                 "--where size_um3=1e308..1", "--where 'size_um3=1±-1'", "--where none=3", "--where ''", "--span 2",
                 "--pose x"),
    "interpolate": ("--from none", "--path curved", "--to ''"),
    "latent": ("--generated shapes.zarr", "--generated none.zarr", "--generated run"),
    "evaluate": ("--sequences none", "--held-out none.zarr", "--held-out run", "--run shapes.zarr", "--run none", "none.zarr"),
    "texture train": ("--preset none", "--frames 9 9", "--frames 3 1", "--frames 0", "none", "--planes x", "a.zarr:b.zarr"),
    "texture calibrate": ("--parameters none.toml", "--frames 9 9", "--parameters shapes.zarr", "none"),
    "texture render": ("--frames 9 9", "--sequences none", "--scheduler x", "--scheduler 127.0.0.1:1 --workers 1"),
    "texture evaluate": ("--names a", "--names a a b", "--frames 9 9", "--train-on none", "--segmenter x"),
    "view": ("--sequences none", "--against none.zarr", "--against run"),
    "protrusions": ("--sequences none",),
    "export": ("--sequences none", "--to gif"),
    "movie": ("--sequences none", "--against none.zarr", "--size 1", "--view x"),
    "benchmark": ("--series snr=", "--series x=1", "--series cells=0", "--series cells=1,1", "--series snr=nan",
                  "--series every=99", "--motion none", "--texture none.toml", "--prior none", "--size 4 1000000 1000000",
                  "--gap 100", "--leave x", "none"),
    "import": ("--half-extent 3", "--codes optics.toml", "--grid 16", "none.h5", "optics.toml", "cell.h5"),
    "info": ("more", "--out x"),
    "demo": ("other", "--kind x"),
}  # fmt: skip


def commands(inside: App = app, words: tuple[str, ...] = ()) -> Iterator[tuple[str, App]]:
    """All commands, by their words."""
    for name in (name for name in inside if not name.startswith("-")):
        if any(not each.startswith("-") for each in inside[name]):
            yield from commands(inside[name], (*words, name))
        else:
            yield " ".join((*words, name)), inside[name]


def numbers(place: Place, random: Random) -> None:
    """A number that is none, or is out of the range of its option."""
    ranged = {
        name: [each for each in command.assemble_argument_collection() if isinstance(each.parameter.converter, Range)]
        for name, command in commands()
    }
    name = random.choice([name for name in CALLS if ranged[name]])
    chosen = random.choice(ranged[name])
    value = random.choice([each for each in NUMBERS if not _fits(each, chosen.parameter.converter)])
    values = [value] * (str(chosen.hint).count("int") + str(chosen.hint).count("float"))
    _refuses(place, name, [chosen.names[0], *values])


def _fits(text: str, allowed: Any) -> bool:
    try:
        return bool(allowed.least <= (int(text) if allowed.whole else float(text)) <= allowed.most)
    except ValueError:
        return False


def words(place: Place, random: Random) -> None:
    """A word that is none of the choices of an option, or options that do not exist, or that have no value."""
    name = random.choice(list(CALLS))
    command = dict(commands())[name]
    choices = [each for each in command.assemble_argument_collection() if "Literal" in str(each.hint) and each.names]
    given = [random.choice(UNKNOWN)]
    if choices and random.random() < 0.7:
        given = [random.choice(choices).names[0], random.choice(WORDS)]
    _refuses(place, name, given)


def known_refusals(place: Place, random: Random) -> None:
    """Inputs that are missing or of another kind, names that are unknown, options that contradict each other."""
    name = random.choice(list(REFUSED))
    _refuses(place, name, shlex.split(random.choice(REFUSED[name])))


def settings(place: Place, random: Random) -> None:
    """A setting of a training that is unknown or has a wrong value."""
    _refuses(place, random.choice(["train", "train", "texture train"]), ["--set", random.choice(SETTINGS)])


def outputs(place: Place, random: Random) -> None:
    """A name that no output can have."""
    name = random.choice([each for each in CALLS if each != "info"])
    out = random.choice(
        ["", ".", "..", "/", "none/new", "/dev/null", "/proc/x", "x" * 300, "optics.toml/new", "a\x00b"[:1] + "/b"]
    )
    place.copy("optics.toml")
    _refuses(place, name, ["--out", out], out=False)


def _refuses(place: Place, name: str, given: list[str], *, out: bool = True) -> None:
    call = shlex.split(CALLS[name])
    last = ["--out", "new" + ENDINGS.get(name, "")] if out and name != "info" else []
    place.complete(CALLS[name])
    place.about = name
    place.run(*call, *given, *last, refuses=True)


KINDS: dict[str, Attack] = {
    "options: numbers": numbers,
    "options: words": words,
    "options: unknown names, missing inputs": known_refusals,
    "options: settings": settings,
    "options: names of outputs": outputs,
}
