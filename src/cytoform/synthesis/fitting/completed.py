"""How well a run describes a cell that it has not seen, for a person and for the store."""

import math
from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from cytoform.completion.beyond import ChosenBeyond
from cytoform.completion.stage import FilledSequence
from cytoform.runs.run import Run
from cytoform.synthesis.fitting.fit import Fit
from cytoform.synthesis.fitting.out_of_distribution import relative_score
from cytoform.training.metrics import final_loss

# A cell lies outside a run if its error is more than this many times the error of the learned cells, or its code
# farther from the learned ones than any of them from the others (docs/LOG.md).
OUTSIDE = 2.0


@dataclass(frozen=True)
class Completed:
    """How a cell of the store was fitted; lengths are in µm."""

    name: str
    n_known: int
    n_gaps: int
    error_um: float
    learned_error_um: float | None
    expected_error_um: tuple[float, ...]  # of the surface, in each frame
    out_of_distribution: float | None  # score of the code; 1 is the score of the most unusual learned code
    filled: FilledSequence | None = None  # where known frames were kept
    beyond: ChosenBeyond | None = None  # how frames were made before the first known one and after the last

    @property
    def outside(self) -> bool:
        """Whether the run cannot describe this cell as it does the learned ones, or only by a code unlike theirs."""
        badly = self.learned_error_um is not None and self.error_um > OUTSIDE * self.learned_error_um
        return badly or (self.out_of_distribution is not None and self.out_of_distribution > 1)


def completed_of(run: Run, fitted: Fit, *, n_known: int, n_gaps: int) -> Completed:
    """How well a run describes a cell by a fit."""
    return Completed(
        fitted.name,
        n_known,
        n_gaps,
        fitted.error_um,
        _times(final_loss(run.path), run.learned.half_extent_um),
        tuple(map(float, fitted.expected_error_um)),
        relative_score(*(_over_time(run, codes) for codes in (fitted.field.code[None], run.codes))),
    )


def record_of(completed: Completed) -> dict[str, object]:
    """As JSON: nothing is expected of a frame without a surface."""
    record = {key: value for key, value in asdict(completed).items() if key not in {"filled", "beyond"}}
    expected = [None if math.isnan(value) else value for value in completed.expected_error_um]
    score = record.pop("out_of_distribution")
    return {**record, "remoteness": score, "expected_error_um": expected, "outside": completed.outside}


def _over_time(run: Run, codes: Tensor) -> Float[np.ndarray, "n knots values"]:
    return run.decoder.over_time(codes).cpu().numpy()


def _times(loss: float | None, half_extent_um: float) -> float | None:
    return None if loss is None else loss * half_extent_um
