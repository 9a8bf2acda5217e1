"""All settings of a run: checked once, then frozen. A preset is a TOML file of the settings that differ from the defaults."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny, create_model

from cytoform.base.settings import Count, Rate, SettingsFile, SettingsSection, Weight, check_settings
from cytoform.representations.config import RepresentationConfig
from cytoform.representations.global_code.config import GlobalCodeConfig
from cytoform.representations.table import DEFAULT, chosen_kind


def _as_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as fault:
        raise ValueError(f"no regular expression: {fault}") from None
    return text


class DataConfig(SettingsSection):
    """Which part of the shape store is learned."""

    sequences: tuple[str, ...] = ()  # names to learn; none means all
    mirrored: bool = False  # learn every sequence's mirror images too, each with a code of its own: cells have no sides
    frame_stride: int = Field(
        1, ge=1, le=10_000
    )  # learn every n-th frame; the rest can test interpolation in time (section 3.3)
    # Sequences in whose names this regular expression finds the same text are of one cell; none means each of its own.
    same_cell: Annotated[str, Field(max_length=200), AfterValidator(_as_expression)] = ""
    align: Literal["none", "principal"] = "none"  # principal: every sequence is turned into its principal axes


class TrainingConfig(SettingsSection):
    """Loss and optimiser (paper sections 2.1 and 3)."""

    epochs: Count = 1250  # an epoch shows every frame once, with `points_per_frame` points
    frames_per_batch: Count = 30
    points_per_frame: int = Field(2048, ge=8, le=1_000_000)
    optimizer: Literal["adam", "muon"] = "adam"  # muon: for the weights of the hidden layers; Adam for all else
    learning_rate: Rate = 1e-4
    matrix_learning_rate: Rate = 2e-3  # for the matrices that Muon trains
    code_learning_rate: Rate = 1e-4
    rotation_learning_rate: Rate = 1e-3  # of learned rotations; a step turns by up to 4 × that, in rad
    schedule: Literal["step", "cosine"] = "step"  # step: halved every `halving_epochs`; cosine: warm-up, then to zero
    halving_epochs: Count = 100
    code_sigma: float = Field(0.1, ge=1e-9, le=1e3)  # σ of the codes' prior: N(0, σ²) at the start
    code_penalty: Weight = 100.0  # weight of ‖z‖², 1/σ² in eq. 2.1
    code_noise: float = Field(0.0, ge=0, le=1e3)  # σ of noise added to the codes at every step, not in the paper
    gradient_clip: float = Field(
        1e9, ge=1e-9, le=1e12
    )  # largest norm of the gradient; the default clips nothing, as in the paper
    checkpoint_epochs: Count = 50
    precision: Literal["32-true", "bf16-mixed"] = "32-true"  # bf16-mixed: on a CPU only for the way back


Sigma = Annotated[float, Field(ge=1e-6, le=1)]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else (value,) if isinstance(value, int | float) else value


class SamplingConfig(SettingsSection):
    """Training points (paper section 2.3)."""

    near_share: float = Field(0.7, ge=0, le=1)  # share of points around the surface; the rest is spread over Ω
    # Standard deviation of their distance, as a share of the half extent; of several, each is for an equal part of the points.
    near_sigma: Annotated[tuple[Sigma, ...], BeforeValidator(_as_tuple)] = Field((0.05,), min_length=1)
    pool_points: int = Field(100_000, ge=100, le=10_000_000)  # points kept per frame, from which every batch draws
    truncation: float = Field(
        2.0, ge=1e-3, le=1e3
    )  # distances are cut at ± this share of the half extent; 2 cuts nothing


class Config(SettingsFile):
    """All settings of a run."""

    presets = "runs/presets"

    data: DataConfig = DataConfig()
    model: SerializeAsAny[RepresentationConfig] = GlobalCodeConfig()
    training: TrainingConfig = TrainingConfig()
    sampling: SamplingConfig = SamplingConfig()

    @property
    def has_rotations(self) -> bool:
        """Whether sequences are rotated into a common pose."""
        return self.data.align != "none" or self.model.rotations != "none"

    @classmethod
    def check(cls, values: dict[str, Any], *, where: str) -> "Config":
        """Check a nested dictionary of settings. Raises InputError that names the first wrong one and its nearest known."""
        kind = chosen_kind(values.get("model", {}), where=where)
        return check_settings(_config_with(kind.config), values, where=where)

    @classmethod
    def _drop_inapplicable(cls, preset: dict[str, Any], changes: dict[str, Any]) -> None:
        """A preset's section `model` is for one kind of representation."""
        model = changes.get("model", {})
        if (
            isinstance(model, dict)
            and "kind" in model
            and model["kind"] != preset.get("model", {}).get("kind", DEFAULT)
        ):
            preset.pop("model", None)

    def __reduce__(self) -> tuple[Callable[..., "Config"], tuple[Any, ...]]:
        # The class that `check` makes has no name of its own by which pickle could find it.
        return _restored, (self.model_dump(mode="json"),)


@cache
def _config_with(model: type[RepresentationConfig]) -> type[Config]:
    """`Config` with the settings of one kind of representation in its section `model`."""
    return create_model("Config", __base__=Config, model=(model, model()))  # type: ignore[call-arg]


def _restored(values: dict[str, Any]) -> Config:
    return Config.check(values, where="the settings of a run")


def preset_names() -> list[str]:
    """Names of the presets that come with cytoform."""
    return Config.preset_names()


def load_config(*, preset: str = "paper", file: Path | None = None, settings: list[str] | None = None) -> Config:
    """A preset, changed by `file`, then by each "section.key=value" of `settings`. Raises InputError."""
    return Config.load(preset=preset, file=file, settings=settings)


def check_config(values: dict[str, Any], *, where: str) -> Config:
    """Check a nested dictionary of settings. Raises InputError that names the first wrong one and its nearest known."""
    return Config.check(values, where=where)


def read_config(path: Path) -> Config:
    """Read the complete config.toml of a run."""
    return Config.read(path)
