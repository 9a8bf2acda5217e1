"""How an output records its origin: versions of software, and paths without the folders of a machine."""

import os
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


def recorded_path(path: str | Path) -> str:
    """A path for provenance: relative to the working folder where it lies in that, else its last part."""
    whole = Path(os.path.abspath(path))
    return whole.relative_to(Path.cwd()).as_posix() if whole.is_relative_to(Path.cwd()) else whole.name
