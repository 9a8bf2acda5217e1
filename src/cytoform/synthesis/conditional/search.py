"""New cells that meet a request: drawn from a prior, chosen by a regression, and measured before they are believed.

Among a large number of draws, codes are tried first if their predicted descriptors lie in the range, or beyond it by
little against the error of the regression: rejection with a Gaussian kernel of that width, as in approximate Bayesian
computation (Beaumont et al. 2002). Every cell that is tried is rendered and measured, which decides whether it is kept,
and teaches the regression, so that it knows best the codes that are asked for.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from cytoform.base.parallel import Progress, no_progress
from cytoform.errors import InputError
from cytoform.priors.prior import Drawn, DrawnCell, Prior
from cytoform.representations.representation import SCALE
from cytoform.synthesis.conditional.regression import Regression, fit_regression
from cytoform.synthesis.conditional.request import Request

ATTEMPTS_A_CELL = 40  # measured at most for each that is wanted, before giving up
ROUND = 8  # are measured between two fits of the regression
DRAWS, MOST_DRAWS = 4096, 65_536  # from the prior for each round: more where few of them promise to do

# Descriptors of a drawn cell that is to be new cell `number`, on a coarse grid or as it is to be written.
Measure = Callable[[DrawnCell, int, bool], Mapping[str, float]]


@dataclass(frozen=True)
class Condition:
    """Requests that new cells have to meet, the measured learned cells, and a way to measure a cell."""

    requests: tuple[Request, ...]
    learned: Drawn
    descriptors: Mapping[str, Float[np.ndarray, " sequences"]]
    measure: Measure
    regressions: dict[str, Regression] = field(init=False)

    def __post_init__(self) -> None:
        """Fit the regressions. Raises InputError for a request that no cell like the learned ones can meet."""
        known = self.features(self.learned)
        found = {request.name: _regression(request, known, self.descriptors) for request in self.requests}
        object.__setattr__(self, "regressions", found)
        for request in self.requests:
            range_ = found[request.name]
            if request.high < range_.lowest or request.low > range_.highest:
                raise InputError(
                    f"--where {request.text}: outside the data's range; {request.name} of the learned cells lies "
                    f"between {range_.lowest:.4g} and {range_.highest:.4g}"
                )

    def features(self, cells: Drawn) -> Float[np.ndarray, "n features"]:
        """What descriptors are predicted from: codes, and the logarithm of the mean size where cells have one.

        The size weighs as much as all numbers of the learned codes together.
        """
        codes = cells.codes.astype(np.float32)
        if SCALE not in cells.variables or SCALE not in self.learned.variables:
            return codes
        sizes, known = (np.log(each.variables[SCALE]).mean(axis=1) for each in (cells, self.learned))
        weight = np.sqrt(self.learned.codes.var(axis=0).sum()) / max(float(known.std()), 1e-6)
        return np.column_stack([codes, weight * (sizes - known.mean())]).astype(np.float32)

    def draw(
        self, prior: Prior, n: int, rng: np.random.Generator, *, progress: Progress = no_progress
    ) -> list[DrawnCell]:
        """`n` cells that meet all requests as measured. Raises InputError if too few do."""
        search = _Search(self)
        kept: list[DrawnCell] = []
        with progress("searching", n) as advance:
            for cell in search.candidates(prior, rng):
                if search.n_tried == ATTEMPTS_A_CELL * n:
                    raise InputError(search.gave_up(len(kept), n))
                if search.meets(cell, len(kept)):
                    kept.append(cell)
                    advance(note=f"{search.n_tried} tried")
                if len(kept) == n:
                    break
        return kept


class _Search:
    """The cells tried so far, with their measured descriptors."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._features = [*condition.features(condition.learned)]
        self._names = {request.name for request in condition.requests}
        self._values = {name: [*condition.descriptors[name]] for name in self._names}
        self._met: Counter[str] = Counter()
        self.n_tried = 0

    def candidates(self, prior: Prior, rng: np.random.Generator) -> Iterator[DrawnCell]:
        """Draws from the prior, without end, in the order of their promise and chance."""
        regressions = self._condition.regressions
        while True:
            cells, weights = self._weighted_draws(prior, regressions, rng)
            # The largest sums of log-weight and Gumbel noise: draws by weight, none of them twice.
            order = np.argsort(-(weights + rng.gumbel(size=len(weights))), kind="stable")
            yield from (cells[number] for number in order[:ROUND])
            tried = np.stack(self._features)
            regressions = {name: r.refitted(tried, np.array(self._values[name])) for name, r in regressions.items()}

    def meets(self, cell: DrawnCell, number: int) -> bool:
        """Whether a cell meets the requests, at first on a coarse grid."""
        self.n_tried += 1
        measured = self._condition.measure(cell, number, False)
        one = Drawn(cell.code[None], {name: np.asarray(values)[None] for name, values in cell.variables.items()})
        self._features.append(self._condition.features(one)[0])
        for name in self._names:
            self._values[name].append(measured[name])
        met = [request for request in self._condition.requests if request.met_by(measured[request.name])]
        self._met.update(request.text for request in met)
        if len(met) < len(self._condition.requests):
            return False
        finally_measured = self._condition.measure(cell, number, True)
        return all(request.met_by(finally_measured[request.name]) for request in met)

    def gave_up(self, n_kept: int, n: int) -> str:
        """The error message where too few cells were found."""
        requests = [f"{r.text} (met by {self._met[r.text]} of {self.n_tried})" for r in self._condition.requests]
        return (
            f"--where {', '.join(requests)}: {n_kept} of {n} cells found in {self.n_tried} attempts; "
            "widen the range, or choose another --prior"
        )

    def _weighted_draws(
        self, prior: Prior, regressions: dict[str, Regression], rng: np.random.Generator
    ) -> tuple[list[DrawnCell], Float[np.ndarray, " draws"]]:
        """Draws and their log-weights; in the range it is 0."""
        cells: list[DrawnCell] = []
        weights = []
        for _ in range(MOST_DRAWS // DRAWS if prior.draws_at_once >= DRAWS else 1):
            drawn = prior.draw(min(DRAWS, prior.draws_at_once), rng)
            drawn = Drawn(drawn.codes.astype(np.float32), drawn.variables)
            cells += drawn
            features = self._condition.features(drawn)
            weights.append(-sum(_misses(r, regressions[r.name], features) for r in self._condition.requests) / 2)
            if np.exp(np.concatenate(weights)).sum() > ROUND:
                break
        return cells, np.concatenate(weights)


def _misses(
    request: Request, predict: Regression, features: Float[np.ndarray, "draws features"]
) -> Float[np.ndarray, " draws"]:
    """Square of how far predictions lie beyond the range, in errors of the regression."""
    predicted = predict(features)
    beyond = np.maximum(np.maximum(request.low - predicted, predicted - request.high), 0)
    # A regression without error (all cells are alike) still has to give finite weights.
    return np.square(beyond / max(predict.rmse, 1e-6 * max(abs(predict.highest), 1.0)))


def _regression(
    request: Request,
    codes: Float[np.ndarray, "sequences code"],
    descriptors: Mapping[str, Float[np.ndarray, " sequences"]],
) -> Regression:
    try:
        return fit_regression(codes, descriptors[request.name])
    except InputError as fault:
        raise InputError(f"--where {request.text}: only {fault}; learn more cells, or leave it out") from None
