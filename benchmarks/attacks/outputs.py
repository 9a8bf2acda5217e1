"""Attacks by the place that an output is given."""

from random import Random

from place import Attack, Place


def output_is_input(place: Place, random: Random) -> None:
    """`--out` names an input, a folder around it or a place inside it."""
    command, source = random.choice([("train", "shapes.zarr"), ("reconstruct", "run"), ("export", "shapes.zarr")])
    given = place.copy(source, f"inner/{source}")
    where = random.choice([given, given.parent, given / "new", given / "zarr.json"])
    options = ["--to", "masks"] if command == "export" else []
    place.run(command, given, *options, "--out", where, "--overwrite", refuses=True)


def foreign_output(place: Place, random: Random) -> None:
    """`--overwrite` onto a folder of a user that has a file named like one of ours."""
    given, theirs = place.copy("shapes.zarr"), place.folder / "theirs"
    theirs.mkdir()
    (theirs / random.choice(["config.toml", "zarr.json", "provenance.json"])).write_text(
        random.choice(["", "{}", "a = 1"])
    )
    (theirs / "thesis.tex").write_text("years of work")
    command = random.choice([("train",), ("export", "--to", "masks"), ("evaluate", given)])
    place.run(command[0], given, *command[1:], "--out", theirs, "--overwrite", refuses=True)


KINDS: dict[str, Attack] = {
    "output is an input": output_is_input,
    "output is foreign": foreign_output,
}
