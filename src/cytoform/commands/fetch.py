"""`cytoform fetch`: public data sets."""

from pathlib import Path
from typing import Annotated

from cytoform.base.options import real
from cytoform.commands.common import Common, Glob


def fetch(
    dataset: str,
    /,
    *,
    out: Path,
    sha256: str | None = None,
    mirror: str | None = None,
    cache: Path | None = None,
    timeout: Annotated[float, real(1e-3, 1e6)] = 30.0,
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Download and unpack a public data set. Downloads are kept, verified and resumed.

    Parameters
    ----------
    dataset
        celltracking:NAME for a 3D training set of the Cell Tracking Challenge, such as celltracking:Fluo-N3DH-CE;
        implicit-shapes:cele, filo, plat, plat-rotated, all or models for data of the paper; or the https address of
        any file.
    out
        Folder to write.
    sha256
        Expected checksum of the downloaded file.
    mirror
        Base address of another server with the same files, for example https://mirror.example/ctc
    cache
        Folder for downloads; by default the user's cache folder.
    timeout
        Seconds without an answer before the next attempt.
    """
    from cytoform.datasets.download import Patience
    from cytoform.datasets.fetch import fetch as fetch_dataset

    fetched = fetch_dataset(
        dataset,
        out,
        sha256=sha256,
        mirror=mirror,
        cache=cache,
        patience=Patience(timeout_s=timeout),
        overwrite=common.overwrite,
        progress=common.progress,
    )
    common.say(f"SHA-256 {fetched.sha256}")
    if fetched.dataset.page:
        common.say(f"conditions of use: {fetched.dataset.page}")
    common.done(out, *_next(out, fetched.dataset.voxel_size_zyx_um, fetched.dataset.time_step_s))


def _next(out: Path, voxel_size_zyx_um: tuple[float, float, float] | None, time_step_s: float | None) -> list[object]:
    """The words of the next command for the unpacked files."""
    movies = sorted({path.parent for path in out.rglob("[0-9][0-9]_GT")})
    if movies:
        size = [f"{side:g}" for side in voxel_size_zyx_um or ()] or ["Z", "Y", "X"]
        step = ["--time-step", f"{time_step_s:g}"] if time_step_s else []
        return ["prepare", movies[0], "--voxel-size", *size, *step, "--out", "shapes.zarr"]
    checkpoints = sorted(out.rglob("*.pth"))
    codes = sorted(out.rglob("*lat_vecs.mat"))
    if checkpoints and codes:
        return ["import", checkpoints[0], "--codes", codes[0], "--voxel-size", "UM", "--out", "run"]
    distances = sorted({path.parent for path in out.rglob("*.h5")})
    if distances:
        return ["import", Glob(distances[0], ".h5"), "--voxel-size", "UM", "--out", "shapes.zarr"]
    return ["info", out]
