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
    from cytoform.reports.contents import info as describe

    for line in describe(path):
        common.say(line)
