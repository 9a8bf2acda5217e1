"""The command line as a whole: help, exit statuses, one line on stderr."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cytoform import cli
from cytoform.errors import InputError


def cytoform(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "cytoform", *arguments], capture_output=True, text=True, cwd=cwd)


def test_warnings_of_libraries_at_the_end_of_the_process_are_not_heard() -> None:
    code = (
        "import atexit, sys, warnings\nfrom cytoform.__main__ import main\n"
        "atexit.register(warnings.warn, 'late', DeprecationWarning)\nsys.argv = ['cytoform', '--version']\nmain()"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_backend_of_a_notebook_that_is_not_installed_here_does_no_harm() -> None:
    code = (
        "import sys\nfrom cytoform.__main__ import main\nsys.argv = ['cytoform', '--version']\n"
        "try:\n    main()\nexcept SystemExit:\n    import matplotlib\n    print(matplotlib.get_backend(auto_select=False))"
    )
    notebook = os.environ | {"MPLBACKEND": "module://ipympl.backend_nbagg"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=notebook)
    assert done.stdout.endswith("agg\n"), done.stderr


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom cytoform.cli import run\nstatus = run(['--help'])\n"
        "print([m for m in ('torch', 'numpy', 'scipy', 'zarr', 'lightning_fabric', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.rstrip().endswith("[]")
    for name in cli.COMMANDS:
        assert name in done.stdout


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    done = cytoform(command, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


def test_the_help_of_no_command_loads_anything_heavy() -> None:
    """Options are the library's own dataclasses, so their modules must be light."""
    commands = [[name] for name in cli.COMMANDS] + [["simulate", kind] for kind in ("mitosis", "filopodia", "blebs")]
    commands += [["texture", name] for name in ("train", "calibrate", "render", "evaluate")]
    code = (
        f"import sys\nfrom cytoform.cli import run\nfor command in {commands}:\n    run([*command, '--help'])\n"
        "print([m for m in ('torch', 'scipy', 'zarr', 'lightning_fabric', 'matplotlib', 'distributed') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("[]")


@pytest.mark.parametrize(
    "arguments",
    [
        ["prepar"],
        ["prepare", "x.tif"],
        ["train", "x.zarr", "--out", "run", "--epochs", "3"],
        ["generate", "run", "--out", "a.zarr", "-n", "many"],
        ["info", "no-such-thing"],
        ["reconstruct", "no-such-run", "--out", "a.zarr"],
        ["evaluate", "a.zarr", "b.zarr", "--out", "c"],
        ["train", "no.zarr", "--out", "run"],
    ],
)
def test_wrong_use_is_one_line_and_status_2(arguments: list[str], tmp_path: Path) -> None:
    done = cytoform(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("cytoform: ")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["texture", "render", "optics", "masks", "--out", "new", "--empty-frames"],
        ["texture", "calibrate", "pairs", "--out", "new.toml", "--empty-voxel-size"],
        ["evaluate", "a.zarr", "b.zarr", "--out", "new", "--empty-sequences"],
    ],
)
def test_no_option_empties_a_list(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == 2
    assert "Unknown option: --empty" in capsys.readouterr().err


def test_wrong_use_points_to_the_help_of_the_command(tmp_path: Path) -> None:
    assert cytoform("evaluate", "a.zarr", cwd=tmp_path).stderr.endswith("see 'cytoform evaluate --help'\n")


def test_python_without_assertions_is_refused() -> None:
    """Zarr takes its metadata apart within assertions."""
    done = subprocess.run([sys.executable, "-O", "-m", "cytoform", "info"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("cytoform: Python leaves its checks out")
    assert done.stderr.count("\n") == 1


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = cytoform("info", "no-such-thing", "--debug", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (InputError("a\nb"), 2, "a b"),
        (OSError(28, "No space left on device", "x.zarr"), 2, "no space left"),
        (MemoryError(), 2, "not enough memory"),
        (KeyboardInterrupt(), 130, "stopped"),
        (ZeroDivisionError("0/0"), 1, "internal fault"),
    ],
)
def test_faults_become_a_line_and_a_status(
    fault: BaseException, status: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(cli, "app", fail)
    assert cli.run(["info"]) == status
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
