"""Settings in sections: presets, TOML files and single values, checked once, then frozen."""

import difflib
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import tomli_w
from pydantic import BaseModel, ConfigDict, ValidationError

from cytoform.errors import InputError


class Section(BaseModel):
    """A frozen group of settings that refuses names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


S = TypeVar("S", bound="SettingsFile")
M = TypeVar("M", bound=BaseModel)


class SettingsFile(Section):
    """All settings of one kind of run; its presets are TOML files of what differs from the defaults."""

    presets: ClassVar[str]  # their folder, within the package

    def to_toml(self) -> str:
        """The complete settings, as written to config.toml."""
        return tomli_w.dumps(self.model_dump(mode="json"))

    @classmethod
    def preset_names(cls) -> list[str]:
        """Names of the presets that come with cytoform."""
        names = (entry.name for entry in cls._folder().iterdir())
        return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))

    @classmethod
    def load(cls: type[S], *, preset: str, file: Path | None = None, settings: list[str] | None = None) -> S:
        """A preset, then what `file` changes, then each "section.key=value" of `settings`. Raises InputError."""
        if preset not in cls.preset_names():
            raise InputError(f"--preset {preset}: unknown; use one of {', '.join(cls.preset_names())}")
        values = tomllib.loads((cls._folder() / f"{preset}.toml").read_text())
        changes = {} if file is None else read_toml(file)
        for setting in settings or []:
            _merge(changes, _parse_setting(setting))
        cls._drop_what_does_not_apply(values, changes)
        _merge(values, changes)
        return cls.check(values, where=str(file or "--set" if settings or file else f"preset {preset}"))

    @classmethod
    def check(cls: type[S], values: dict[str, Any], *, where: str) -> S:
        """Check a nested dictionary of settings. Raises InputError that names the first wrong one and its nearest known."""
        return checked(cls, values, where=where)

    @classmethod
    def read(cls: type[S], path: Path) -> S:
        """Read a complete config.toml."""
        return cls.check(read_toml(path), where=str(path))

    @classmethod
    def _drop_what_does_not_apply(cls, preset: dict[str, Any], changes: dict[str, Any]) -> None:
        """Remove settings of a preset that are for another choice than `changes` make."""

    @classmethod
    def _folder(cls) -> Any:
        return resources.files("cytoform") / cls.presets


def checked(model: type[M], values: dict[str, Any], *, where: str) -> M:
    """Check a nested dictionary of settings. Raises InputError that names the first wrong one and its nearest known."""
    try:
        return model.model_validate(values)
    except ValidationError as fault:
        first = fault.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise InputError(f"{where}: unknown setting {name}{_nearest(name, model)}") from None
        what = name if isinstance(first["input"], dict | BaseModel) else f"{name} = {first['input']!r}"
        raise InputError(f"{where}: {what}: {first['msg']}") from None


def _nearest(name: str, model: type[BaseModel]) -> str:
    known = [f"{section}.{key}" for section, keys in model().model_dump().items() for key in keys]
    near = difflib.get_close_matches(name, [*known, *model.model_fields], n=1, cutoff=0.4)
    return f"; did you mean {near[0]}?" if near else f"; sections are {', '.join(model.model_fields)}"


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
