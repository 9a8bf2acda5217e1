"""Attacks by damaged movies, texture models, optics, reports, HDF5 files, archives, checkpoints and addresses."""

from random import Random

from damage import any_file, cut, flip, hostile_text, mutate_json, mutate_safetensors, mutate_toml, other_thing
from fixtures import SCENE, SMALL_TEXTURE
from place import Attack, Place

MOVIES = (
    "info movies",
    "prepare movies --grid 16 --workers 1 --out new.zarr",
    "prepare movies --grid 16 --gaps keep --workers 1 --out new.zarr",
    "texture render optics.toml movies --workers 1 --out new",
    "fit run movies/01_GT --steps 2 --grid 16 --frames 2 --out new.zarr",
)
PAIRS = (
    f"texture train discs {SMALL_TEXTURE} --out new",
    "texture calibrate discs --voxel-size 1 0.5 0.5 --out new.toml",
    "texture evaluate discs scene --segmenter none --out new",
    "texture evaluate scene discs --segmenter none --out new",
    "info discs",
)
TEXTURES = (
    "info texture",
    "texture render texture masks --workers 1 --out new",
    f"benchmark shapes.zarr {SCENE} --texture texture --projection --out new",
)
OPTICS = (
    "texture render optics.toml masks --workers 1 --out new",
    f"benchmark shapes.zarr {SCENE} --texture optics.toml --out new",
    "texture calibrate discs --voxel-size 1 0.5 0.5 --parameters optics.toml --out new.toml",
)
TRACKS = ("1 0 2", "1 0 2 0 0", "x y z w", "1 2 0 0", "1 0 99999999999999999999 0", "-1 0 2 0", "1 0 2 1", "1 0 2 2\n2 0 2 1",
          "1 0 2 0\n1 0 2 0", "1 0 1e9 0", "1.5 0 2 0", "\x00", "é 0 2 0", "1 0 2 99", "0 0 2 0", "1 -1 2 0")  # fmt: skip


def _damage_any_file(place: Place, name: str, random: Random) -> None:
    folder = place.copy(name)
    path = any_file(folder, random)
    place.about = f"{path.relative_to(folder)}: {random.choice([cut, flip, hostile_text, other_thing])(path, random)}"


def damaged_movie(place: Place, random: Random) -> None:
    """A file of a movie is cut short, has flipped bits, is another thing, or is gone."""
    _damage_any_file(place, "movies", random)
    place.read(random.choice(MOVIES), allowed=True)


def damaged_tracks(place: Place, random: Random) -> None:
    """A man_track.txt that is none, or tells of cells and frames that there are not."""
    folder = place.copy("movies")
    text = random.choice(TRACKS)
    (folder / "01_GT/TRA/man_track.txt").write_text(text)
    place.about = f"tracks {text!r}"
    words = random.choice(MOVIES[:3])
    ran = place.read(words, refuses="info" not in words, allowed=True)
    # It describes what prepare will do.
    if ran.status == 0 and "refused" not in ran.out:
        place.blame("silent", words, "not said to be refused")


def damaged_pairs(place: Place, random: Random) -> None:
    """A file of images with masks is damaged."""
    _damage_any_file(place, "discs", random)
    place.read(random.choice(PAIRS), allowed=True)


def damaged_texture(place: Place, random: Random) -> None:
    """A file of a texture model is damaged."""
    model = place.copy("texture")
    path = random.choice([model / "config.toml", model / "model.safetensors"])
    structured = {".toml": mutate_toml, ".safetensors": mutate_safetensors}[path.suffix]
    place.about = random.choice([structured, structured, structured, hostile_text, cut, other_thing])(path, random)
    place.read(random.choice(TEXTURES))


def damaged_optics(place: Place, random: Random) -> None:
    """A parameter file of optics has a value of a wrong kind, or is no TOML."""
    path = place.copy("optics.toml")
    place.about = random.choice([mutate_toml, mutate_toml, mutate_toml, hostile_text, other_thing])(path, random)
    # A missing setting takes its default.
    place.read(random.choice(OPTICS), allowed=True)


def damaged_output(place: Place, random: Random) -> None:
    """A file of an output is damaged. `info` refuses or describes it; --overwrite replaces the output only if it is whole."""
    name = random.choice(["report", "latent", "scene", "masks", "view.html", "optics.toml"])
    out = place.copy(name)
    path = out if out.is_file() else random.choice([any_file(out, random), *out.glob("*.json"), *out.glob("*.csv")])
    ways = [hostile_text, cut, flip, other_thing, *[mutate_json] * 4 * (path.suffix == ".json")]
    place.about = f"{name}/{path.name}: {random.choice(ways)(path, random)}"
    place.read(f"info {name}", allowed=True)


def no_lists(place: Place, random: Random) -> None:
    """One of several movies is missing, of another kind, or given twice. It is named, and the others are prepared."""
    place.copy("movies")
    kind = random.choice(
        ["none", "optics.toml", "run", "shapes.zarr", "movies", "movies/../movies", "empty", "text.tif", "masks"]
    )
    (place.folder / "empty").mkdir()
    (place.folder / "text.tif").write_text("no TIFF")
    place.about = f"movies and {kind}"
    place.read(
        f"prepare movies {kind} --grid 16 --workers 1 --out new.zarr", allowed=kind == "masks", refuses=kind != "masks"
    )


KINDS: dict[str, Attack] = {
    "movie: damaged files": damaged_movie,
    "movie: tracks": damaged_tracks,
    "movie: lists": no_lists,
    "pairs of image and mask": damaged_pairs,
    "texture model": damaged_texture,
    "optics.toml": damaged_optics,
    "reports and other outputs": damaged_output,
}
