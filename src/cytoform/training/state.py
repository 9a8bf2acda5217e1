"""Everything that the next step of a training depends on, as named tensors: weights, and what optimisers remember."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.optim import Optimizer

from cytoform.base.tensors import load_into
from cytoform.errors import InputError
from cytoform.training.checkpoint import Checkpoint


def pack(model: nn.Module, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """Tensors for a checkpoint."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for optimizer in optimizers:
            for key, value in optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{key}.{name}"] = value
    return tensors


def unpack(checkpoint: Checkpoint, model: nn.Module, optimizers: Sequence[Optimizer]) -> None:
    """Go back to what was packed. Raises InputError for a checkpoint that does not fit."""
    tensors = checkpoint.tensors
    weights = {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
    load_into(model, weights, where=checkpoint.path)
    parameters = dict(model.named_parameters())
    owner = {p: o for o in optimizers for group in o.param_groups for p in group["params"]}
    try:
        for key in (key for key in tensors if key.startswith("optimizer.")):
            _, slot, name = key.split(".", 2)
            parameter = parameters[name]
            owner[parameter].state[parameter][slot] = tensors[key].to(parameter.device)
    except (KeyError, ValueError) as fault:
        raise damaged(checkpoint, fault) from None


def damaged(checkpoint: Checkpoint, fault: Exception) -> InputError:
    """What to say of a checkpoint that lacks something."""
    return InputError(f"{checkpoint.path}: damaged checkpoint ({fault}); delete it to go on from an older one")
