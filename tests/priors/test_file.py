"""What is stored with a run draws what was fitted; a file that does not fit the codes is refused."""

from pathlib import Path

import numpy as np
import pytest

from cytoform.errors import InputError
from cytoform.priors.file import PRIORS_FILE, read_prior, write_priors
from cytoform.priors.fitted import PRIORS, fit_prior

CODES = np.random.default_rng(0).normal(0.1, 0.1, (9, 12)).astype(np.float32)


@pytest.mark.parametrize("name", PRIORS)
def test_stored_and_fitted_draw_the_same(name: str, tmp_path: Path) -> None:
    fitted_now = read_prior(tmp_path, CODES, name)
    assert list(tmp_path.iterdir()) == []  # a run without the file stays without
    write_priors(tmp_path, CODES)
    drawn = [
        prior.draw(5, np.random.default_rng(3)).codes
        for prior in (fit_prior(name, CODES), fitted_now, read_prior(tmp_path, CODES, name))
    ]
    assert np.array_equal(drawn[0], drawn[1])
    assert np.array_equal(drawn[0], drawn[2])


def test_same_codes_same_bytes(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        write_priors(tmp_path, CODES)
        found.append((tmp_path / PRIORS_FILE).read_bytes())
    assert found[0] == found[1]


def test_what_cannot_be_fitted_is_not_stored_and_says_why(tmp_path: Path) -> None:
    write_priors(tmp_path, CODES[:3])
    read_prior(tmp_path, CODES[:3], "around")
    with pytest.raises(InputError, match=r"^--prior covariance: needs at least 4 learned codes, there are 3"):
        read_prior(tmp_path, CODES[:3], "covariance")


def test_a_file_that_is_no_good_is_one_line(tmp_path: Path) -> None:
    write_priors(tmp_path, CODES)
    path = tmp_path / PRIORS_FILE
    whole = path.read_bytes()
    with pytest.raises(InputError, match="fitted to other codes; delete it"):
        read_prior(tmp_path, CODES + 1, "mixture")
    for damaged in (whole[:-9], whole[:20], b"", b"x" * 100, whole.replace(b"mixture.axes", b"mixture.axis")):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"priors.safetensors: .*; delete it, and the priors are") as fault:
            read_prior(tmp_path, CODES, "mixture")
        assert "\n" not in str(fault.value)
