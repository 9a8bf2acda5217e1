"""Settings in sections: presets, TOML files and single values, checked once, then frozen."""

import difflib
import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cytoform.base.gate import first_fault, parse_toml, read_toml, shown
from cytoform.errors import InputError, UnknownSetting


class SettingsSection(BaseModel):
    """A frozen group of settings of exact types that refuses unknown names."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


Count = Annotated[int, Field(ge=1, le=1_000_000)]
Rate = Annotated[float, Field(ge=1e-30, le=1e38)]  # of learning, in single precision
Weight = Annotated[float, Field(ge=0, le=1e9)]  # of a part of a loss
SettingsT = TypeVar("SettingsT", bound="SettingsFile")
ModelT = TypeVar("ModelT", bound=BaseModel)


class SettingsFile(SettingsSection):
    """All settings of one kind of run. Presets are TOML files of values that differ from the defaults."""

    presets: ClassVar[str]  # folder of the presets within the package

    def to_toml(self) -> str:
        """The complete settings, as written to config.toml."""
        return tomli_w.dumps(self.model_dump(mode="json"))

    @classmethod
    def preset_names(cls) -> list[str]:
        """Names of the presets that come with cytoform."""
        names = (entry.name for entry in cls._folder().iterdir())
        return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))

    @classmethod
    def load(
        cls: type[SettingsT], *, preset: str, file: Path | None = None, settings: list[str] | None = None
    ) -> SettingsT:
        """Combine a preset, the TOML file `file` and "section.key=value" strings; later ones win. Raises InputError."""
        if preset not in cls.preset_names():
            raise InputError(f"--preset {preset}: unknown; use one of {', '.join(cls.preset_names())}")
        values = tomllib.loads((cls._folder() / f"{preset}.toml").read_text("utf-8"))
        changes = {} if file is None else read_toml(file)
        for setting in settings or []:
            _merge(changes, _parse_setting(setting))
        cls._drop_inapplicable(values, changes)
        _merge(values, changes)
        return cls.check(values, where=str(file or "--set" if settings or file else f"preset {preset}"))

    @classmethod
    def check(cls: type[SettingsT], values: dict[str, Any], *, where: str) -> SettingsT:
        """Validate a nested dictionary of settings. Raises InputError with the first wrong key and the nearest valid one."""
        return check_settings(cls, values, where=where)

    @classmethod
    def read(cls: type[SettingsT], path: Path) -> SettingsT:
        """Read a complete config.toml."""
        return cls.check(read_toml(path), where=str(path))

    @classmethod
    def _drop_inapplicable(cls, preset: dict[str, Any], changes: dict[str, Any]) -> None:
        """Remove settings of a preset that are for another choice than `changes` make."""

    @classmethod
    def _folder(cls) -> Any:
        return resources.files("cytoform") / cls.presets


def check_settings(model: type[ModelT], values: dict[str, Any], *, where: str) -> ModelT:
    """Validate a nested dictionary of settings. Raises InputError with the first wrong key and the nearest valid one."""
    try:
        # As JSON, whose lists pass for the tuples of a strict model.
        return model.model_validate_json(json.dumps(values, default=str))
    except RecursionError:
        raise InputError(f"{where}: values nested too deep; settings have sections and values") from None
    except ValidationError as fault:
        first = fault.errors()[0]
        if first["type"] == "extra_forbidden":
            raise _unknown(shown(".".join(str(part) for part in first["loc"]))[1:-1], model, where) from None
        raise InputError(f"{where}: {first_fault(fault)}; correct it") from None


def _unknown(name: str, model: type[BaseModel], where: str) -> UnknownSetting:
    known = [f"{section}.{key}" for section, keys in model().model_dump().items() for key in keys]
    near = difflib.get_close_matches(name, [*known, *model.model_fields], n=1, cutoff=0.4)
    what = f"did you mean {near[0]}?" if near else f"sections are {', '.join(model.model_fields)}"
    fault = UnknownSetting(f"{where}: unknown setting {name}; {what}")
    fault.likeness = difflib.SequenceMatcher(None, near[0], name).ratio() if near else 0.0
    return fault


def _parse_setting(setting: str) -> dict[str, Any]:
    name, equals, text = setting.partition("=")
    parts = name.strip().split(".")
    if not equals or len(parts) != 2:
        raise InputError(f"--set {setting}: write it as section.key=value, for example training.epochs=10")
    try:
        found = parse_toml(f"value = {text}")
    except (ValueError, RecursionError):
        found = {}
    # Else a bare word, such as relu; text of several lines is no value.
    value = found["value"] if len(found) == 1 else text.strip()
    return {parts[0]: {parts[1]: value}}


def _merge(values: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, change in changes.items():
        if isinstance(change, dict) and isinstance(values.get(key), dict):
            _merge(values[key], change)
        else:
            values[key] = change
