"""The kinds of representation: `[model] kind` in a run's settings chooses one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cytoform.errors import InputError
from cytoform.representations.config import RepresentationConfig
from cytoform.representations.global_code.config import GlobalCodeConfig
from cytoform.representations.linear.config import LinearConfig
from cytoform.representations.parts.config import PartsConfig
from cytoform.representations.refined.config import RefinedConfig

if TYPE_CHECKING:
    import torch

    from cytoform.representations.representation import Representation

DEFAULT = "global"


@dataclass(frozen=True)
class RepresentationKind:
    """The settings of a kind, and how an untrained one is built from them with a seed.

    `build` takes the settings, `seed`, `n_dims` (of space) and `backward_dtype`, the number type that backward passes may
    be computed in. It imports torch only when called, so that settings can be read without it.
    """

    config: type[RepresentationConfig]
    build: "Callable[..., Representation]"


def _build_global(
    config: GlobalCodeConfig, *, seed: int, n_dims: int, backward_dtype: "torch.dtype"
) -> "Representation":
    from cytoform.representations.global_code.representation import GlobalCode

    sizes = config.model_dump(exclude={"kind", "rotations"})
    return GlobalCode(**sizes, seed=seed, n_dims=n_dims, backward_dtype=backward_dtype)


def _build_parts(config: PartsConfig, *, seed: int, n_dims: int, backward_dtype: "torch.dtype") -> "Representation":
    from cytoform.representations.parts.representation import Parts

    sizes = config.model_dump(exclude={"kind", "rotations", "opening_radius_um", "body"})
    return Parts(**sizes, seed=seed, n_dims=n_dims, backward_dtype=backward_dtype)


def _build_linear(config: LinearConfig, *, seed: int, n_dims: int, backward_dtype: "torch.dtype") -> "Representation":
    from cytoform.representations.linear.representation import Linear

    return Linear(**config.model_dump(exclude={"kind", "rotations"}), n_dims=n_dims)


def _build_refined(config: RefinedConfig, *, seed: int, n_dims: int, backward_dtype: "torch.dtype") -> "Representation":
    from cytoform.representations.refined.representation import Refined

    sizes = config.model_dump(exclude={"kind", "rotations"})
    return Refined(**sizes, seed=seed, n_dims=n_dims, backward_dtype=backward_dtype)


REPRESENTATIONS: dict[str, RepresentationKind] = {
    "global": RepresentationKind(GlobalCodeConfig, _build_global),
    "linear": RepresentationKind(LinearConfig, _build_linear),
    "parts": RepresentationKind(PartsConfig, _build_parts),
    "refined": RepresentationKind(RefinedConfig, _build_refined),
}


def chosen_kind(values: Any, *, where: str) -> RepresentationKind:
    """The kind that a section of settings chooses; without one, "global". Raises InputError for an unknown kind."""
    name = values.get("kind", DEFAULT) if isinstance(values, dict) else DEFAULT
    if not isinstance(name, str) or name not in REPRESENTATIONS:
        raise InputError(f"{where}: unknown model.kind = {name!r}; use one of {', '.join(REPRESENTATIONS)}")
    return REPRESENTATIONS[name]


def unbuilt_representation(config: RepresentationConfig, *, n_dims: int = 3) -> "Representation":
    """A representation that knows the shapes of its tensors and takes no memory for them (PyTorch's device `meta`)."""
    import torch

    with torch.device("meta"):
        return new_representation(config, seed=0, n_dims=n_dims)


def new_representation(
    config: RepresentationConfig, *, seed: int, n_dims: int = 3, backward_dtype: "torch.dtype | None" = None
) -> "Representation":
    """An untrained representation of shapes in `n_dims` dimensions; `backward_dtype` is float32 if not given."""
    import torch

    return REPRESENTATIONS[config.kind].build(
        config, seed=seed, n_dims=n_dims, backward_dtype=backward_dtype or torch.float32
    )
