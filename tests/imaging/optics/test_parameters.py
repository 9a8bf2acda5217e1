"""Parameter files: physical units in every name, wrong ones named in one line, no dead ones."""

from pathlib import Path

import pytest

from cytoform.errors import InputError
from cytoform.imaging.optics.parameters import OpticsParameters, optics_presets, read_parameters

SOURCE = Path(__file__).parents[3] / "src" / "cytoform" / "imaging" / "optics"


def test_a_file_holds_what_differs_and_comes_back_whole(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[camera]\nbit_depth = 12\n")
    parameters = read_parameters(file)
    assert parameters.camera.bit_depth == 12
    assert parameters.microscope == OpticsParameters().microscope
    file.write_text(parameters.to_toml())
    assert read_parameters(file) == parameters


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[microscope]\nnumerical_apperture = 1.2", "did you mean microscope.numerical_aperture"),
        ("[mikroscope]\nnumerical_aperture = 1.2", "did you mean microscope"),
        (
            "[microscope]\nnumerical_aperture = 1.4",
            "microscope: .*numerical_aperture = 1.4 is above immersion_index = 1.333",
        ),
        ("[microscope]\nemission_nm = -525", "microscope.emission_nm"),
        ("[microscope]\nemission_nm = 0.525", "microscope.emission_nm"),
        ("[microscope]\nexcitation_nm = 600", "excitation_nm = 600 is longer than emission_nm = 525"),
        ("[microscope]\nkind = 'sted'", "microscope.kind"),
        ("[camera]\nquantum_efficiency = 80", "camera.quantum_efficiency"),
        ("[camera]\nbit_depth = 32", "camera.bit_depth"),
        ("[camera]\nread_noise_electrons = nan", "camera.read_noise_electrons"),
        ("[camera]\noffset_adu = 'dark'", "camera.offset_adu"),
        ("camera = 3", "camera"),
        ("[camera", "not valid TOML"),
    ],
)
def test_wrong_settings_are_named(line: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(line + "\n")
    with pytest.raises(InputError, match=message) as fault:
        read_parameters(file)
    assert "\n" not in str(fault.value)
    assert "wrong.toml" in str(fault.value)


def test_every_parameter_is_read() -> None:
    text = "".join(path.read_text() for path in SOURCE.glob("*.py") if path.name != "parameters.py")
    for section, values in OpticsParameters().model_dump().items():
        for key in values:
            assert f".{key}" in text, f"{section}.{key} is never read"


@pytest.mark.parametrize("name", optics_presets())
def test_presets_are_read_by_name(name: str) -> None:
    assert read_parameters(name) != OpticsParameters()


def test_an_unknown_preset_is_a_file_that_is_missing() -> None:
    with pytest.raises(InputError, match="no-such: no such file"):
        read_parameters("no-such")
