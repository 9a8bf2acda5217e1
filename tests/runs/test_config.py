"""Settings: presets, refusals, and no dead knobs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytoform.errors import InputError
from cytoform.runs.config import Config, check_config, load_config, preset_names, read_config

SOURCE = Path(__file__).parents[2] / "src" / "cytoform"


def test_preset_paper_is_the_paper() -> None:
    config = load_config(preset="paper")
    model, training = config.model, config.training
    assert (model.width, model.depth, model.code_dim, model.code_layers) == (128, 9, 192, (1, 5, 8))
    assert (model.activation, model.omega) == ("sine", 30)
    assert (training.epochs, training.learning_rate, training.halving_epochs) == (1250, 1e-4, 100)
    assert training.code_penalty == pytest.approx(1 / training.code_sigma**2)
    assert config.sampling.near_share == 0.7


@pytest.mark.parametrize("name", preset_names())
def test_presets_hold_only_what_differs(name: str) -> None:
    import tomllib

    values = tomllib.loads((SOURCE / "runs" / "presets" / f"{name}.toml").read_text())
    defaults = Config().model_dump(mode="json")
    for section, settings in values.items():
        for key, value in settings.items():
            assert value != defaults[section][key], f"{section}.{key}"


def test_every_knob_is_read() -> None:
    text = "".join(path.read_text() for path in SOURCE.rglob("*.py") if path.name != "config.py")
    # The decoder takes the whole model section by name.
    for section in ("data", "training", "sampling"):
        for key in Config.model_fields[section].annotation.model_fields:
            assert f".{key}" in text, f"{section}.{key} is never read"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.witdh=3", "did you mean model.width"),
        ("modle.width=3", "did you mean model"),
        ("model.width=-1", "model.width"),
        ("model.width=wide", "model.width"),
        ("training.learning_rate=nan", "training.learning_rate"),
        ("model.code_layers=[12]", "code_layers"),
        ("data.same_cell=cell(", "data.same_cell"),
        ("training.epochs", "section.key=value"),
        ("epochs=3", "section.key=value"),
        ("training.epochs=1\nmodel.width=3", "training.epochs"),
        (f"training.epochs={{{'a.' * 10_000}a=1}}", "training.epochs"),
    ],
)
def test_wrong_settings_are_named(setting: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as fault:
        load_config(settings=[setting])
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("kind", [{}, [1], 3, "spline"])
def test_a_kind_of_model_that_is_no_known_name(kind: object) -> None:
    with pytest.raises(InputError, match=r"unknown model\.kind = "):
        check_config({"model": {"kind": kind}}, where="config.toml")


def test_unknown_preset_and_broken_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="quick"):
        load_config(preset="fast")
    with pytest.raises(InputError, match="no such file"):
        load_config(file=tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("a = = 1")
    with pytest.raises(InputError, match="not valid TOML"):
        load_config(file=tmp_path / "bad.toml")


def test_file_then_settings_win_over_the_preset(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[training]\nepochs = 7\nlearning_rate = 0.5\n")
    config = load_config(preset="quick", file=tmp_path / "mine.toml", settings=["training.epochs=9"])
    assert (config.training.epochs, config.training.learning_rate) == (9, 0.5)


@given(
    width=st.integers(1, 4096),
    omega=st.floats(0.1, 100),
    activation=st.sampled_from(["sine", "relu"]),
    names=st.lists(st.text(min_size=1, max_size=8), max_size=3),
)
def test_toml_round_trip(width: int, omega: float, activation: str, names: list[str]) -> None:
    import tempfile

    values = {
        "model": {"width": width, "omega": omega, "activation": activation},
        "data": {"sequences": names},
    }
    config = check_config(values, where="test")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_text(config.to_toml(), encoding="utf-8")
        assert read_config(path) == config
