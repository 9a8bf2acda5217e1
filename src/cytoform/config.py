"""Every knob of a run: checked once, then frozen. Presets are TOML files of what differs from the defaults."""

import difflib
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from cytoform.errors import InputError

SPLINE_DEGREE = 3  # of a code that changes with time


class Section(BaseModel):
    """A frozen group of settings that refuses names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Settings = TypeVar("Settings", bound=BaseModel)


class DataConfig(Section):
    """Which part of the shape store is learned."""

    sequences: tuple[str, ...] = ()  # names to learn; none means all
    mirrored: bool = False  # learn every sequence's mirror images too, each with a code of its own: cells have no sides
    frame_stride: int = Field(1, ge=1)  # learn every n-th frame; the rest can test interpolation in time (section 3.3)
    align: Literal["none", "principal"] = "none"  # principal: every sequence is turned into its principal axes


class ModelConfig(Section):
    """The decoder (paper section 2.2)."""

    width: int = Field(128, ge=1, le=4096)
    depth: int = Field(9, ge=1, le=64)
    code_dim: int = Field(192, ge=1, le=4096)
    code_layers: tuple[int, ...] = (1, 5, 8)  # hidden layers that take the code, counted from 1
    code_knots: int = Field(1, ge=1)  # control points in time that share `code_dim`; 1 is the paper's constant code
    activation: Literal["sine", "relu"] = "sine"
    omega: float = Field(30.0, gt=0)  # frequency of the sine; ReLU has none
    rotations: Literal["none", "learned"] = "none"  # learned: one for each sequence, beside its code

    @model_validator(mode="after")
    def _code_layers_exist(self) -> "ModelConfig":
        if not self.code_layers or not all(1 <= layer <= self.depth for layer in self.code_layers):
            raise ValueError(f"code_layers {self.code_layers} must lie in 1 to depth {self.depth}")
        return self

    @model_validator(mode="after")
    def _knots_share_the_code(self) -> "ModelConfig":
        if 1 < self.code_knots <= SPLINE_DEGREE or self.code_dim % self.code_knots:
            raise ValueError(
                f"code_knots {self.code_knots} must be 1 or at least {SPLINE_DEGREE + 1}, and divide code_dim {self.code_dim}"
            )
        return self


class TrainingConfig(Section):
    """Loss and optimiser (paper sections 2.1 and 3)."""

    epochs: int = Field(1250, ge=1)  # an epoch shows every frame once, with `points_per_frame` points
    frames_per_batch: int = Field(30, ge=1)
    points_per_frame: int = Field(2048, ge=8)
    optimizer: Literal["adam", "muon"] = "adam"  # muon: for the weights of the hidden layers; Adam for all else
    learning_rate: float = Field(1e-4, gt=0)
    matrix_learning_rate: float = Field(2e-3, gt=0)  # of what Muon trains
    code_learning_rate: float = Field(1e-4, gt=0)
    rotation_learning_rate: float = Field(1e-3, gt=0)  # of learned rotations; a step turns by up to 4 × that, in rad
    schedule: Literal["step", "cosine"] = "step"  # step: halved every `halving_epochs`; cosine: warm-up, then to zero
    halving_epochs: int = Field(100, ge=1)
    code_sigma: float = Field(0.1, gt=0)  # σ of the codes' prior: N(0, σ²) at the start
    code_penalty: float = Field(100.0, ge=0)  # weight of ‖z‖², 1/σ² in eq. 2.1
    code_noise: float = Field(0.0, ge=0)  # σ of noise added to the codes at every step, not in the paper
    gradient_clip: float = Field(1e9, gt=0)  # largest norm of the gradient; the default clips nothing, as in the paper
    checkpoint_epochs: int = Field(50, ge=1)
    precision: Literal["32-true", "bf16-mixed"] = "32-true"  # bf16-mixed: on a CPU only for the way back


Sigma = Annotated[float, Field(gt=0, le=1)]


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, int | float) else value


class SamplingConfig(Section):
    """Training points (paper section 2.3)."""

    near_share: float = Field(0.7, ge=0, le=1)  # share of points around the surface; the rest is spread over Ω
    # How far around, as a share of the half extent; of several, each is for an equal part of those points.
    near_sigma: Annotated[tuple[Sigma, ...], BeforeValidator(_as_tuple)] = Field((0.05,), min_length=1)
    pool_points: int = Field(100_000, ge=100)  # points kept per frame, from which every batch draws
    truncation: float = Field(2.0, gt=0)  # distances are cut at ± this share of the half extent; 2 cuts nothing


class Config(Section):
    """All settings of a run."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    sampling: SamplingConfig = SamplingConfig()

    @property
    def turns(self) -> bool:
        """Whether sequences are turned into a pose that they share."""
        return self.data.align != "none" or self.model.rotations != "none"

    def to_toml(self) -> str:
        """The complete settings, as written to config.toml."""
        return tomli_w.dumps(self.model_dump(mode="json"))


def preset_names() -> list[str]:
    """Names of the presets that come with cytoform."""
    return sorted(entry.name.removesuffix(".toml") for entry in _presets().iterdir() if entry.name.endswith(".toml"))


def load_config(*, preset: str = "paper", file: Path | None = None, settings: list[str] | None = None) -> Config:
    """A preset, then what `file` changes, then each "section.key=value" of `settings`. Raises InputError."""
    if preset not in preset_names():
        raise InputError(f"--preset {preset}: unknown; use one of {', '.join(preset_names())}")
    values = tomllib.loads((_presets() / f"{preset}.toml").read_text())
    if file is not None:
        _merge(values, read_toml(file))
    for setting in settings or []:
        _merge(values, _parse_setting(setting))
    return check_config(values, where=str(file or "--set" if settings or file else f"preset {preset}"))


def check_config(values: dict[str, Any], *, where: str) -> Config:
    """Check a nested dictionary of settings. Raises InputError that names the first wrong one and its nearest known."""
    return checked(Config, values, where=where)


def checked(model: type[Settings], values: dict[str, Any], *, where: str) -> Settings:
    """Check a nested dictionary of any model's settings, likewise."""
    try:
        return model.model_validate(values)
    except ValidationError as fault:
        first = fault.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise InputError(f"{where}: unknown setting {name}{_nearest(name, model)}") from None
        what = name if isinstance(first["input"], dict | BaseModel) else f"{name} = {first['input']!r}"
        raise InputError(f"{where}: {what}: {first['msg']}") from None


def read_config(path: Path) -> Config:
    """Read the complete config.toml of a run."""
    return check_config(read_toml(path), where=str(path))


def _presets() -> Any:
    return resources.files("cytoform") / "presets"


def read_toml(path: Path) -> dict[str, Any]:
    """The values of a TOML file. Raises InputError."""
    try:
        return tomllib.loads(Path(path).read_text())
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: cannot be read ({fault}); give a TOML file of settings") from None
    except tomllib.TOMLDecodeError as fault:
        raise InputError(f"{path}: not valid TOML ({fault})") from None


def _parse_setting(setting: str) -> dict[str, Any]:
    name, equals, text = setting.partition("=")
    parts = name.strip().split(".")
    if not equals or len(parts) != 2:
        raise InputError(f"--set {setting}: write it as section.key=value, for example training.epochs=10")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()  # a bare word, such as relu
    return {parts[0]: {parts[1]: value}}


def _merge(values: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, change in changes.items():
        if isinstance(change, dict) and isinstance(values.get(key), dict):
            _merge(values[key], change)
        else:
            values[key] = change


def _nearest(name: str, model: type[BaseModel]) -> str:
    known = [f"{section}.{key}" for section, keys in model().model_dump().items() for key in keys]
    near = difflib.get_close_matches(name, [*known, *model.model_fields], n=1, cutoff=0.4)
    return f"; did you mean {near[0]}?" if near else f"; sections are {', '.join(model.model_fields)}"
