"""What a user can put right: every such fault is an InputError with one line that says what, where and what to do."""


class InputError(Exception):
    """A fault in the user's files, options or surroundings; the command line makes it one line and exit status 2."""


class EmptyFrame(InputError):
    """A frame without a single foreground voxel where a shape is needed."""


class UnknownSetting(InputError):
    """A setting of a name that there is not; `likeness` is that of the nearest name, from 0 to 1."""

    likeness = 0.0


class SaidElsewhere(InputError):
    """A fault that another process of the same training tells the user about."""
