"""The optimisers: every weight is trained by just one of them, and each kind learns."""

import pytest
import torch

from cytoform.representations.global_code.representation import GlobalCode
from cytoform.runs.config import TrainingConfig
from cytoform.runs.optimizers import OPTIMIZERS


@pytest.mark.parametrize("kind", sorted(OPTIMIZERS))
def test_every_weight_has_one_optimizer_and_a_rate(kind: str) -> None:
    decoder, codes = small_decoder(), torch.nn.Parameter(torch.zeros(2, 4))
    training = TrainingConfig(learning_rate=0.1, code_learning_rate=0.2, matrix_learning_rate=0.3)
    groups = [group for each in OPTIMIZERS[kind](decoder, codes, training) for group in each.param_groups]
    trained = [parameter for group in groups for parameter in group["params"]]
    assert {id(parameter) for parameter in trained} == {id(p) for p in [*decoder.parameters(), codes]}
    assert len(trained) == len(set(map(id, trained)))
    rates = {id(parameter): group["rate"] for group in groups for parameter in group["params"]}
    assert rates[id(codes)] == 0.2
    assert rates[id(decoder.output.weight)] == 0.1
    assert {rates[id(layer.weight)] for layer in decoder.layers} == {0.3 if kind == "muon" else 0.1}
    assert {rates[id(layer.bias)] for layer in decoder.layers} == {0.1}


@pytest.mark.parametrize("kind", sorted(OPTIMIZERS))
def test_learned_rotations_have_a_rate_of_their_own(kind: str) -> None:
    decoder, codes, rotations = small_decoder(), *(torch.nn.Parameter(torch.zeros(2, 4)) for _ in range(2))
    training = TrainingConfig(rotation_learning_rate=0.4)
    groups = [group for each in OPTIMIZERS[kind](decoder, codes, training, rotations) for group in each.param_groups]
    assert [group["rate"] for group in groups if any(p is rotations for p in group["params"])] == [0.4]


def test_muon_moves_all_directions_of_a_matrix_alike() -> None:
    """Its step is close to orthogonal (Newton-Schulz brings singular values to between 0.7 and 1.2); Adam's is not."""
    decoder, codes = small_decoder(), torch.nn.Parameter(torch.zeros(2, 4))
    training = TrainingConfig(matrix_learning_rate=0.01)
    _, muon = OPTIMIZERS["muon"](decoder, codes, training)
    weight = decoder.hidden[1].weight
    before = weight.detach().clone()
    # One direction of the gradient is ten times as steep as the rest.
    weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    weight.grad += 4 * torch.outer(weight.grad[:, 0], weight.grad[0])
    muon.step()
    steps = torch.linalg.svdvals((weight.detach() - before) / 0.01)
    assert steps.max() < 1.4
    assert steps.median() > 0.6
    gradients = torch.linalg.svdvals(weight.grad)
    assert gradients.median() < 0.1 * gradients.max()


def small_decoder() -> GlobalCode:
    return GlobalCode(width=16, depth=3, code_dim=4, code_layers=(1, 2), activation="sine", omega=5.0, seed=0)
