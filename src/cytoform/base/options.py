"""Dataclasses of options: name, default and help of an option in one place, for calls and commands.

The command line makes an option of every field. `Parameter` gives an option its name where that is not the field's, and
the text below a field is its help.
"""

from typing import get_type_hints

from cyclopts import Parameter

FLAG = Parameter(negative=())  # a switch without its --no- form
NOT_AN_OPTION = Parameter(parse=False)


def option_names(options: type) -> dict[str, str]:
    """Names on the command line, such as --voxel-size, of the fields of a dataclass of options."""
    names = {}
    for field, hint in get_type_hints(options, include_extras=True).items():
        parts = [part for part in getattr(hint, "__metadata__", ()) if isinstance(part, Parameter)]
        given = [str(name) for part in parts for name in part.name or ()]
        names[field] = given[0] if given else f"--{field.replace('_', '-')}"
    return names
