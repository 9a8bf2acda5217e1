"""macOS and Windows: the commands of the README run without what those systems lack, and no other module asks for it."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "cytoform"
# Names of calls, flags, signals and modules that some systems lack.
PARTIAL = re.compile(
    r"\b(fcntl|msvcrt|posix_fallocate|sched_getaffinity|cpu_count|pthread_sigmask|SIGKILL|O_NONBLOCK|O_NOFOLLOW|O_DIRECTORY"
    r"|ensure_running|os\.sync|os\.fork|os\.uname|os\.getuid|os\.rename|os\.replace|import resource)\b"
)
TEXT_CALLS = {"read_text", "write_text"}
SMALLER = {
    "simulate": ["--voxel-size", "0.5", "0.5", "0.5"],
    "prepare": ["--grid", "24"],
    "train": ["--preset", "linear"],
    "generate": ["--frames", "2"],
}
# What the README does not show: a training in steps, its replacement, outputs that are replaced.
MORE = [
    "cytoform train shapes.zarr --out net --preset quick --set training.epochs=2 --set data.frame_stride=2",
    "cytoform train shapes.zarr --out net --preset quick --set training.epochs=1 --set data.frame_stride=2 --overwrite",
    "cytoform export shapes.zarr --to ctc --out ctc",
    "cytoform export shapes.zarr --to masks --out ctc --overwrite",
    "cytoform view new.zarr --out view.html",
    "cytoform info net",
]


def commands_of_the_readme() -> list[list[str]]:
    lines = re.findall(r"^ {4}cytoform (.*?)(?: +#.*)?$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    commands = [
        line.replace("--cells 6 --frames 12", "--cells 2 --frames 3").replace("-n 6", "-n 1").split() for line in lines
    ]
    return [[*command, *SMALLER.get(command[0], [])] for command in commands]


@pytest.mark.long
def test_the_readme_runs_without_what_other_systems_lack(tmp_path: Path) -> None:
    commands = commands_of_the_readme()
    assert [command[0] for command in commands] == ["simulate", "prepare", "train", "generate", "evaluate"]
    commands += [line.split()[1:] for line in MORE]
    (tmp_path / "commands.json").write_text(json.dumps(commands), "utf-8")
    other = ROOT / "tests" / "support" / "other_system.py"
    python = [sys.executable, "-X", "warn_default_encoding", "-W", "error::EncodingWarning:cytoform"]
    done = subprocess.run([*python, str(other), "commands.json"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "report" / "report.html").stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_calls_that_some_systems_lack_are_in_one_module() -> None:
    sources = {path: path.read_text("utf-8") for path in SOURCE.rglob("*.py")}
    assert [path for path, text in sources.items() if path.stem != "system" and PARTIAL.search(text)] == []


def test_text_is_never_in_the_encoding_of_the_machine() -> None:
    wrong = [
        f"{path.relative_to(SOURCE)}:{call.lineno}"
        for path in SOURCE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and not names_encoding(call)
    ]
    assert wrong == []


def names_encoding(call: ast.Call) -> bool:
    """Whether a call that may open a file as text names its encoding."""
    is_method = isinstance(call.func, ast.Attribute)
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if any(keyword.arg == "encoding" for keyword in call.keywords):
        return True
    if is_method and name in TEXT_CALLS:
        return any(isinstance(value, ast.Constant) and value.value == "utf-8" for value in call.args)
    if name == "open":
        mode = call.args[0 if is_method else 1 :][:1]
        return not any(isinstance(m, ast.Constant) and re.fullmatch("[rwxa+t]+", str(m.value)) for m in mode)
    return True
