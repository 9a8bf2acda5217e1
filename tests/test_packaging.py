"""What the built package says of itself: one version, a page without dead links, a typed package."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

import cytoform
from cytoform.cli import app

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def index_page() -> str:
    """The page of the package index, put together as hatch-fancy-pypi-readme does; `.ci/run` looks at the built one."""
    page = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    text = ""
    for fragment in page["fragments"]:
        part = (ROOT / fragment["path"]).read_text("utf-8")
        start = part.index(fragment["start-at"]) if "start-at" in fragment else 0
        text += part[start:].split(fragment["end-before"])[0] if "end-before" in fragment else part[start:]
    for rule in page["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    return text


def test_the_version_stands_in_one_place() -> None:
    assert "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "src/cytoform/__init__.py"
    assert f"\nversion: {cytoform.__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\n## {cytoform.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_plugin_has_the_version_of_cytoform() -> None:
    plugin = tomllib.loads((ROOT / "napari" / "pyproject.toml").read_text("utf-8"))
    assert plugin["project"]["version"] == cytoform.__version__


def test_the_page_of_the_package_index_has_no_link_into_the_repository() -> None:
    page = index_page()
    assert re.findall(r"\]\((?!https?://)[^)]*\)", page) == []
    assert "pip install cytoform" in page
    for kept in ("cytoform generate run", "## How good it is", "BSD-3-Clause"):
        assert kept in page
    for left_out in ("make test", "docs/images", "*Blue:", "In order"):
        assert left_out not in page


def test_the_workflow_asks_for_three_systems_and_commands_that_exist() -> None:
    """It cannot be run here; this is what can be checked without."""
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "systems.yml").read_text("utf-8"))
    job = flow["jobs"]["test"]
    assert {name.partition("-")[0] for name in job["strategy"]["matrix"]["os"]} == {"ubuntu", "macos", "windows"}
    script = "\n".join(step.get("run", "") for step in job["steps"])
    assert {"generate", "prepare", "train", "evaluate"} <= set(re.findall(r"^cytoform ([a-z]+)", script, re.MULTILINE))
    for words in re.findall(r"^cytoform (.+)$", script, re.MULTILINE):
        app.parse_args(words, exit_on_error=False, print_error=False)
    for path in re.findall(r"tests/[\w./]+", script):
        assert (ROOT / path).exists()


def test_container_and_environment_name_files_that_are_there() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    assert environment["dependencies"][-1] == {"pip": ["."]}
    assert "\nCOPY . /source\n" in (ROOT / "Dockerfile").read_text("utf-8")


def test_the_package_is_typed() -> None:
    assert (ROOT / "src" / "cytoform" / "py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["project"]["classifiers"]


def test_the_extras_of_users_are_in_dev_too() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    dev = set(extras["dev"])
    for name in set(extras) - {"dev", "bioio", "h5", "optics"}:
        assert set(extras[name]) <= dev, name
