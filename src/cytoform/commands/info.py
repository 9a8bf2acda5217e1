"""`cytoform info`: describes a file or folder."""

from pathlib import Path

from cytoform.commands.common import Common


def info(path: Path, /, *, common: Common = Common()) -> None:  # noqa: B008 (frozen)
    """Describe a shape store, a run, a texture model, a report, label movies, or another output of cytoform.

    Parameters
    ----------
    path
        File or folder to describe.
    """
    from cytoform.reports.contents import info as describe

    for line in describe(path):
        common.say(line)
