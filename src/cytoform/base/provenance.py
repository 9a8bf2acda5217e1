"""What a result was made with, for every file that records its origin."""

from importlib.metadata import PackageNotFoundError, version

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
