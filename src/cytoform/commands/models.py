"""`cytoform models`: the trained models that come with cytoform."""

from cytoform.commands.common import Common

QUICKEST = "zoo:mitosis"


def models(*, common: Common = Common()) -> None:  # noqa: B008 (frozen)
    """List the trained models that come with cytoform; each name stands for a run in other commands."""
    from cytoform.zoo.find import models as packaged

    for model in packaged():
        common.say(f"{model.name}: {model.title} ({model.n_bytes / 1e6:.2f} MB, {model.licence})")
    common.suggest("generate", QUICKEST, "--out", "new.zarr", "-n", 5)
