"""Shapes in signatures are checked at run time in every test; where the real cells lie."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

# The networks of the tests are tiny: a second thread only waits, and on a busy machine for long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Numba tells OpenMP its own number, and PyTorch keeps to that ever after.
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import pytest
from hypothesis import settings
from runtime_types import install
from threadpoolctl import threadpool_limits

threadpool_limits(1)  # a plugin has imported NumPy already
install("cytoform")
# A job in the background of a shell ignores Ctrl-C, and so would the commands that the tests start and stop.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["division", "discs_fixtures"]
SHARED = Path(__file__).parents[2] / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis gives an example any time; `make test` draws a quarter of the usual hundred, `make test-all` all."""
    settings.register_profile("all", settings(), deadline=None)
    settings.register_profile("few", settings(), deadline=None, max_examples=25)
    settings.load_profile("few" if "not long" in config.getoption("markexpr") else "all")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real cells."""
    return _shared("data", "the real cells")


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """The folder of small inputs as users have them."""
    return _shared("cases/inputs", "the inputs of users")


def _shared(name: str, what: str) -> Path:
    """A folder beside the repository: a missing one fails in CI and skips elsewhere."""
    folder = SHARED / name
    if not folder.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{folder}: {what} are missing")
        pytest.skip(f"{what} are not on this machine")
    return folder


@pytest.fixture(scope="session")
def balls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shape store of two growing balls."""
    from tiny import write_balls

    return write_balls(tmp_path_factory.mktemp("balls") / "balls.zarr")


@pytest.fixture(scope="session")
def trained(balls: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has learned the balls well enough to be rendered."""
    from tiny import small_config

    from cytoform.runs.stage import train

    run = tmp_path_factory.mktemp("trained") / "run"
    train(balls, run, small_config("training.epochs=150"))
    return run


@pytest.fixture
def blank_figures() -> Iterator[None]:
    """Matplotlib leaves its figures blank: a report takes seconds to draw, and the test does not look at them."""
    from matplotlib.figure import Figure

    save = Figure.savefig
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", lambda _, *where, **options: save(Figure((1, 1)), *where, **options))
        yield
