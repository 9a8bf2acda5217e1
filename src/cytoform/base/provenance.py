"""How an output records its origin: versions of software, and paths without the folders of a machine."""

import os
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cytoform

PACKAGES = ("numpy", "scipy", "torch", "zarr", "diplib", "scikit-image", "libigl", "connected-components-3d")


def software_versions() -> dict[str, str]:
    """Versions of cytoform and of the libraries that its numbers depend on."""
    versions = {"cytoform": cytoform.__version__}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "missing"
    return versions


def recorded_names(paths: Sequence[str | Path]) -> list[str]:
    """Paths as outputs record them: without the folders of the machine.

    A path inside the working folder is relative to it; any other path is its last part. If that is also the end of another
    of the paths, more parts are kept.
    """
    wholes = [Path(os.path.abspath(path)) for path in paths]
    return ["/".join(whole.parts[-_n_parts(whole, wholes) :]) for whole in wholes]


def _n_parts(whole: Path, others: Sequence[Path]) -> int:
    n = len(whole.relative_to(Path.cwd()).parts) if whole.is_relative_to(Path.cwd()) else 1
    n = max(n, 1)
    while n < len(whole.parts) and any(o != whole and o.parts[-n:] == whole.parts[-n:] for o in others):
        n += 1
    return n


def is_recorded_as(path: str | Path, name: str) -> bool:
    """Whether an output may record this path as `name`: as its end, or whole in older versions."""
    parts = [part for part in Path(os.path.normpath(name)).parts if part not in ("..", ".")]
    return Path(os.path.abspath(path)).parts[-len(parts) :] == tuple(parts) if parts else True
