"""Starts and ends the processes of a training together: by Fabric, or already started by torchrun or srun.

Processes started by Fabric are children of this process, which does not train itself. They receive Ctrl-C directly, SIGTERM
and SIGHUP through this process; if it is killed, the system sends them SIGINT.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

from lightning_fabric import Fabric
from torch import distributed
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from cytoform.base.stops import STOPS
from cytoform.base.system import hold_back, let_through, start_resource_tracker
from cytoform.errors import InputError, SaidElsewhere
from cytoform.training.team import Team

QUIET_TRACKER = "ignore:resource_tracker"  # silences its warning about killed processes
logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)  # it logs every process that it ends


class _Outcome:
    """Result or exception of process 0. Not a dataclass: Fabric searches results for tensors and rejects frozen ones."""

    def __init__(self, result: Any = None, fault: BaseException | None = None, trace: str = "") -> None:
        self.result, self.fault, self.trace = result, fault, trace


def run_in_processes(work: Callable[[Team], Any], fabric: Fabric) -> Any:
    """Run `work` in all processes of `fabric` and return the result of process 0.

    `work` must be picklable if Fabric starts several processes. Raises InputError in process 0, SaidElsewhere in the
    others.
    """
    if not getattr(fabric.strategy, "starts_processes", False):
        return fabric.launch(partial(_take_part, work))
    try:
        with _stops_left_to_children():
            outcome = fabric.launch(partial(_take_part_in_child, work))
    except (ProcessExitedException, ProcessRaisedException) as fault:
        if -getattr(fault, "exit_code", 0) in STOPS:  # stopped before it began
            raise KeyboardInterrupt from None
        reason = str(fault).strip().splitlines()[-1]
        raise InputError(
            f"process {fault.error_index} of this training is lost ({reason}); go on with --resume"
        ) from fault
    finally:
        os.environ.pop("MASTER_PORT", None)  # otherwise Fabric would reuse it
    if outcome.fault:
        raise outcome.fault from RuntimeError(outcome.trace)  # for --debug
    return outcome.result


def _take_part(work: Callable[[Team], Any], fabric: Fabric) -> Any:
    try:
        return work(Team(fabric))
    except InputError as fault:
        if fabric.is_global_zero:
            raise
        raise SaidElsewhere(str(fault)) from fault
    finally:
        if fabric.world_size > 1:
            distributed.destroy_process_group()


def _take_part_in_child(work: Callable[[Team], Any], fabric: Fabric) -> _Outcome:
    leads, parent = fabric.is_global_zero, multiprocessing.parent_process()
    if not leads:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    try:
        _answer_stops(_interrupt)
        let_through(STOPS)
        if parent and not parent.is_alive():  # it ended before the system was told to signal its death
            raise KeyboardInterrupt
        return _Outcome(_take_part(work, fabric))
    except (Exception, KeyboardInterrupt) as fault:
        if not leads and not isinstance(fault, SaidElsewhere | KeyboardInterrupt):
            raise
        return _Outcome(fault=fault, trace=traceback.format_exc())
    finally:
        _answer_stops(signal.SIG_IGN)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    _answer_stops(signal.SIG_IGN)  # a signal to the whole process group arrives a second time from the parent
    raise KeyboardInterrupt


def _answer_stops(handler: Any) -> None:
    for number in STOPS:
        signal.signal(number, handler)


@contextlib.contextmanager
def _stops_left_to_children() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    others = set(multiprocessing.active_children())

    def pass_on(_signal: int, _frame: FrameType | None) -> None:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()

    before = {number: signal.signal(number, pass_on) for number in STOPS}
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Children inherit the mask: Ctrl-C waits until their imports are done, and causes no traceback.
    if QUIET_TRACKER not in sys.warnoptions:
        sys.warnoptions.append(QUIET_TRACKER)
    start_resource_tracker()
    held_before = hold_back({signal.SIGINT})
    try:
        yield
    finally:
        let_through({signal.SIGINT} - held_before)
        for number, handler in before.items():
            signal.signal(number, handler)
