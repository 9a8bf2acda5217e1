"""The optimisers of a training. Every group of parameters knows its full learning rate, as `rate`."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from cytoform.representations.representation import Representation
from cytoform.runs.config import TrainingConfig

Weights = list[nn.Parameter]

# Steps of one size are a random walk; without it the weights of a long training grow until the field ripples.
MUON_WEIGHT_DECAY = 0.1


def adam(
    decoder: Representation, codes: nn.Parameter, training: TrainingConfig, rotations: nn.Parameter | None = None
) -> list[Optimizer]:
    """Adam for everything, as in the paper."""
    return [_adam(list(decoder.parameters()), codes, training, rotations)]


def muon(
    decoder: Representation, codes: nn.Parameter, training: TrainingConfig, rotations: nn.Parameter | None = None
) -> list[Optimizer]:
    """Muon (Jordan et al. 2024) for the weight matrices of hidden layers, Adam for all else.

    Muon's steps move all directions of a matrix alike, where Adam's follow the few that rule the gradient.
    """
    matrices = decoder.matrices()
    if not matrices:
        return adam(decoder, codes, training, rotations)
    others = [weight for weight in decoder.parameters() if all(weight is not matrix for matrix in matrices)]
    groups = [{"params": matrices, "rate": training.matrix_learning_rate}]
    of_matrices = torch.optim.Muon(groups, lr=training.matrix_learning_rate, weight_decay=MUON_WEIGHT_DECAY)
    return [_adam(others, codes, training, rotations), of_matrices]


def _adam(weights: Weights, codes: nn.Parameter, training: TrainingConfig, rotations: nn.Parameter | None) -> Optimizer:
    groups: list[dict[str, Any]] = [
        {"params": weights, "rate": training.learning_rate},
        {"params": [codes], "rate": training.code_learning_rate},
    ]
    if rotations is not None:
        groups.append({"params": [rotations], "rate": training.rotation_learning_rate})
    return torch.optim.Adam(groups, lr=training.learning_rate, fused=True)


OPTIMIZERS: dict[str, Callable[..., list[Optimizer]]] = {"adam": adam, "muon": muon}
