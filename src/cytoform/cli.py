"""The command line: one subcommand a stage, and the only place that turns an exception into a line and an exit status.

Subcommands live in `cytoform.commands`. Each is imported when it is called, so that --help answers at once.
"""

import contextlib
import errno
import os
import signal
import sys
import traceback
import warnings
from keyword import iskeyword
from types import FrameType

from cyclopts import App, CycloptsError, Parameter

import cytoform
from cytoform.base.lines import one_line, printable
from cytoform.base.stops import STOPS
from cytoform.errors import InputError, SaidElsewhere

COMMANDS = {
    "demo": "The whole path on simulated cells; ends with a report.",
    "simulate": "Living cells with known truth: movies of dividing, filopodial or blebbing cells.",
    "fetch": "Download a public data set: resumed, verified, kept.",
    "prepare": "Label movies to a shape store: signed distances of every cell family.",
    "train": "Learn the cells of a shape store.",
    "reconstruct": "Render the learned cells from their codes.",
    "fill": "Fill missing frames and planes from what is known, without a run.",
    "fit": "Fit cells that the run has not seen, and fill in their gaps.",
    "generate": "Render new cells from random codes.",
    "interpolate": "Render cells between two learned cells.",
    "latent": "Explore the latent space: components, map, traversals, neighbours.",
    "evaluate": "Compare two shape stores: results.json, figures, report.html.",
    "texture": "Microscope images for masks: from a trained network, or from a microscope's optics.",
    "view": "Show the cells of a shape store in 3D: one page for the browser.",
    "studio": "Make cells from a run in the browser: one page with sliders for its code.",
    "protrusions": "Follow the protrusions of cells over time: tables and graphs.",
    "export": "Convert a shape store to masks, meshes, points or another format.",
    "movie": "Show cells as a movie: time-lapse or turntable, MP4, GIF or PNG.",
    "benchmark": "Many cells in one movie: images, masks, tracks and lineage as a benchmark data set.",
    "import": "Read files of the published code: distances or a checkpoint with its codes.",
    "models": "List the trained models that come with cytoform.",
    "publish": "A finished run with its model card, as a folder or archive for others.",
    "info": "Describe a file or folder.",
}
DISK_FAULTS = {errno.ENOSPC: "no space left on the disk", errno.EDQUOT: "the disk quota is used up"}

app = App(
    name="cytoform",
    help=cytoform.__doc__,
    version=cytoform.__version__,
    help_format="plaintext",
    default_parameter=Parameter(negative_iterable=()),  # no --empty-sequences, which would mean all of them
    suppress_keyboard_interrupt=False,  # `run` reports it
)
for name, summary in COMMANDS.items():
    python_name = f"{name}_" if iskeyword(name) else name
    app.command(f"cytoform.commands.{python_name}:{python_name}", name=name, help=summary)


def run(arguments: list[str], other: App | None = None) -> int:
    """Run one command and return its exit status: 0, 2 for a fault that the user can fix, 130 if stopped, 1 for a bug.

    `other` is another app to run, with the same reports of faults.
    """
    chosen, name = (app, "cytoform") if other is None else (other, other.name[0])
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    for number in set(STOPS) - {signal.SIGINT}:  # Python raises KeyboardInterrupt by itself, unless Ctrl-C is ignored
        signal.signal(number, _interrupt)
    with contextlib.suppress(AttributeError, OSError):  # it may be another kind of stream
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal may not know a sign
    if not __debug__:
        return _fail(
            "Python leaves its checks out (-O or PYTHONOPTIMIZE), and some of the Zarr library's work; unset it", 2
        )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", append=True)  # of libraries: nothing stands beside the one line
            status = chosen(
                arguments or ["--help"], exit_on_error=False, print_error=False, result_action="return_value"
            )
        return status if isinstance(status, int) else 0
    except KeyboardInterrupt as stop:
        return _fail(_with_notes("stopped", stop), 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as fault:
        if debug:
            print("\n".join(map(printable, traceback.format_exc().splitlines())), file=sys.stderr)
        return _explain(fault, name)


def _explain(fault: Exception, name: str) -> int:
    if isinstance(fault, SaidElsewhere):
        return 2
    if isinstance(fault, InputError):
        return _fail(_with_notes(str(fault), fault), 2)
    if isinstance(fault, CycloptsError):
        return _fail(f"{fault}; see '{' '.join([name, *(fault.command_chain or [])])} --help'", 2)
    # PyTorch has no type of its own for memory that a processor cannot give.
    if isinstance(fault, MemoryError) or (isinstance(fault, RuntimeError) and "allocate memory" in str(fault)):
        return _fail(_with_notes("not enough memory; choose a smaller --grid or fewer --workers", fault), 2)
    if isinstance(fault, OSError):
        what = DISK_FAULTS.get(fault.errno or 0, fault.strerror or str(fault))
        return _fail(_with_notes(f"{fault.filename or 'output'}: {what}; nothing was left half written", fault), 2)
    return _fail(f"internal fault: {type(fault).__name__}: {fault}; please report it, with the output of --debug", 1)


def _with_notes(message: str, fault: BaseException) -> str:
    """The message, and the notes of a stage on how to resume."""
    return "; ".join([message, *getattr(fault, "__notes__", [])])


def _fail(message: str, status: int) -> int:
    with contextlib.suppress(OSError):  # the terminal is gone
        print(f"cytoform: {one_line(message)}", file=sys.stderr)
    return status


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
