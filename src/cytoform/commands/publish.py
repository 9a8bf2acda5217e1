"""`cytoform publish`: a finished run with its model card, for others."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cytoform.commands.common import Common


def publish(
    run: Path,
    /,
    *,
    out: Path,
    title: str,
    licence: str,
    data: str,
    author: Annotated[list[str] | None, Parameter(negative=())] = None,
    made_by: Annotated[list[str] | None, Parameter(negative=())] = None,
    name: str = "",
    bioimageio: Annotated[bool, Parameter(negative=())] = False,
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Write a finished run and its model card into a folder or a zip archive, without checkpoints and samples.

    Parameters
    ----------
    run
        Run folder of 'cytoform train'.
    out
        Folder to write, or NAME.zip.
    title
        One line about the cells.
    licence
        Licence of the model, for example CC-BY-4.0.
    data
        Where the cells come from, and the licence of the data.
    author
        Name of an author; may be repeated.
    made_by
        A command by which the data or the run was made, in quotes; may be repeated.
    name
        How others will call the model in commands, an address for example; by default the name of --out.
    bioimageio
        Write a package of bioimage.io instead: the network as ONNX with its description and test (needs an --author).
    """
    from cytoform.reports.models.card import About
    from cytoform.reports.models.publish import publish as publish_run

    about = About(title, licence, data, tuple(author or ()), tuple(made_by or ()), name)
    made = publish_run(run, out, about, bioimageio=bioimageio, overwrite=common.overwrite)
    common.say(f"{made.n_files} files, {made.n_bytes / 1e6:.2f} MB, with a model card")
    if bioimageio:
        common.say(f"wrote {out}")
        return
    common.done(out, "generate", out, "--out", "new.zarr", "-n", 5)
