"""Where the result of `prepare` goes: a new store, one that replaces another, or an existing store to add to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cytoform.errors import InputError
from cytoform.prepare.cells import Followed
from cytoform.prepare.failures import Failure, Failures
from cytoform.prepare.notices import Notices
from cytoform.prepare.partial import PartialStore
from cytoform.prepare.plan import Plan
from cytoform.prepare.request import Request
from cytoform.shapes.store import ShapeStore


@dataclass(frozen=True)
class Target:
    """The request, with the source names of an earlier call when resuming, and the destination of the result.

    It is the existing store `base`, or a new store if `base` is None.
    """

    request: Request
    partial: PartialStore
    base: ShapeStore | None
    resume: bool


def find_target(request: Request, partial: PartialStore, *, resume: bool) -> Target:
    """What an interrupted call was about, with `resume`; otherwise a new store, or the one at `out` to add to."""
    out, interrupted = partial.out, partial.plan() if resume else None
    if interrupted is not None:
        request = request.resuming(interrupted["store"]["attributes"], out)
    adds = resume and out.exists() and not partial.overwrite
    if interrupted is not None and interrupted["replaces"]:
        adds, partial = False, replace(partial, overwrite=True)
    if not adds:
        partial.refuse_existing()
        return Target(request, partial, None, resume)
    base = ShapeStore.open(out, writable=True)
    request = request.resuming(base.attributes, out)
    return Target(request, partial, base, resume)


def refuse_nothing(left: Sequence[object], target: Target, failures: Failures) -> None:
    """Raise InputError if no movie is left, unless there is a store to record the failures in."""
    if left or target.base is not None:
        return
    first, *others = failures
    raise InputError(f"none of {1 + len(others)} movies can be prepared; {first.reason}" if others else first.reason)


def finish(target: Target, plan: Plan, followed: Followed, notices: Notices, failures: Failures) -> None:
    """Move the store to its place, or its sequences into the existing store."""
    partial, base = target.partial, target.base
    if all(failures.has(cell.movie) for cell in plan.cells):
        partial.give_up()
        refuse_nothing([], target, failures)
    request = target.request
    news: dict[str, list[Any]] = {
        "left_out": [{"name": lost.name, "reason": lost.reason} for lost in followed.left_out],
        "failed": [_recorded(failure, request) for failure in failures],
    }
    recorded = {} if base is None else base.attributes
    copies = [{"movie": request.recorded(c.movie.source)} for c in followed.copies if c.is_left_out]
    for name, more in (("notices", [request.without_folders(line) for line in notices]), ("copies", copies)):
        # Stores without notices have the attributes of older stores.
        if more:
            news[name] = recorded.get(name, []) + more
    if base is None:
        ShapeStore.open(partial.store, writable=True).note(news)
        partial.finish()
    else:
        news["left_out"] = base.attributes["left_out"] + news["left_out"]
        added = {cell.movie.source: cell.movie for cell in plan.cells if not failures.has(cell.movie)}
        unsure = failures.interrupted(added.values())
        base.note({"failed": news["failed"] + [_recorded(failure, target.request) for failure in unsure]})
        partial.finish_into(base, news)


def _recorded(failure: Failure, request: Request) -> dict[str, str]:
    return {
        "source": request.recorded(failure.source),
        "movie": request.recorded(failure.movie) if failure.movie else "",
        "reason": request.without_folders(failure.reason),
    }
