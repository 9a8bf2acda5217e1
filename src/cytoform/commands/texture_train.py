"""`cytoform texture train`: pairs of images and masks to a texture model."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.base.options import FIRST_LAST, LENGTH_UM
from cytoform.commands.common import Common, Device


def train(
    sources: Annotated[list[Path], Parameter(negative=())],
    /,
    *,
    out: Path,
    preset: str | None = None,
    config: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative=())] = None,
    planes: Literal["projection", "slices"] = "projection",
    frames: Annotated[tuple[int, int] | None, FIRST_LAST] = None,
    voxel_size: Annotated[tuple[float, float, float] | None, LENGTH_UM] = None,
    resume: Annotated[bool, Parameter(negative=())] = False,
    device: Device = "auto",
    common: Common = Common(),  # noqa: B008 (frozen)
) -> int:
    """Train a texture model on real images and their masks: it makes images for masks.

    Parameters
    ----------
    sources
        Cell Tracking Challenge folders with images and masks, or pairs IMAGE.zarr:LABELS.zarr of OME-Zarr images.
    out
        Folder of the texture model to write.
    preset
        Settings to start from: small (one or two CPU cores, a quarter of an hour; the default) or
        paper (pix2pixHD with its local enhancer, for a GPU).
    config
        TOML file of settings that differ from the preset.
    set_
        One more setting, for example --set training.epochs=10; may be repeated.
    planes
        For 3D images: learn maximum projections, or all slices one by one.
    frames
        First and last frame to learn; by default all.
    voxel_size
        Voxel size Z Y X in µm; replaces the recorded one.
    resume
        Continue the training in --out with its settings.
    device
        Where to compute.
    """
    from cytoform.base.kinds import paths_of
    from cytoform.errors import InputError
    from cytoform.imaging.networks.config import TextureConfig
    from cytoform.imaging.networks.stage import train_texture
    from cytoform.movies.pairs.pairs import FEWEST_PAIRS, open_pairs
    from cytoform.training.folder import RunOutput
    from cytoform.training.metrics import NO_BOARD, has_board

    if resume and (preset or config or set_):
        raise InputError(
            f"--resume keeps the settings of {out / 'config.toml'}; leave --preset, --config and --set out"
        )
    inputs = [path for source in sources for path in paths_of(source)]
    RunOutput.at(out, inputs=[*inputs, config], overwrite=common.overwrite).check(resume=resume)
    settings = None if resume else TextureConfig.load(preset=preset or "small", file=config, settings=set_)
    pairs = open_pairs(sources, planes=planes, spacing_zyx_um=voxel_size)
    if frames is not None:
        pairs = pairs.frames(*frames)
        if len(pairs) < FEWEST_PAIRS:
            raise InputError(
                f"--frames {frames[0]} {frames[1]}: {len(pairs)} pairs of image and mask, at least {FEWEST_PAIRS} are needed"
            )
    trained = train_texture(
        pairs,
        out,
        settings,
        device=device,
        seed=common.seed,
        resume=resume,
        overwrite=common.overwrite,
        progress=common.progress,
    )
    if not trained.finished:
        common.say(f"stopped after {trained.epochs} epochs; a checkpoint is in {trained.path}")
        common.suggest("texture", "train", *sources, "--out", out, "--resume")
        return 130
    common.say(f"{trained.epochs} epochs of {len(pairs)} pairs")
    if not has_board():
        common.say(NO_BOARD)
    common.done(out, "texture", "render", out, "new.zarr", "--out", "images")
    return 0
