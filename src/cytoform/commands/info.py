"""`cytoform info`: describes a file or folder."""

from pathlib import Path

from cytoform.commands.common import Common, Incomplete


def info(
    path: Path,
    /,
    *,
    incomplete: Incomplete = Incomplete(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Describe a shape store, a run, a texture model, a report, label movies, or another output of cytoform.

    Parameters
    ----------
    path
        File or folder to describe.
    """
    from cytoform.reports.contents import info as describe

    for line in describe(path, allow_incomplete=incomplete.allow_incomplete):
        common.say(line)
