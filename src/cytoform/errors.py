"""What a user can put right: every such fault is an InputError with one line that says what, where and what to do."""


class InputError(Exception):
    """A fault in the user's files, options or surroundings; the command line makes it one line and exit status 2."""


class EmptyFrame(InputError):
    """A frame without a single foreground voxel where a shape is needed."""


class SaidElsewhere(InputError):
    """A fault that another process of the same training tells the user about."""
