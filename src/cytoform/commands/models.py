"""`cytoform models`: the trained models that come with cytoform."""

from cytoform.commands.common import Common


def models(*, common: Common = Common()) -> None:  # noqa: B008 (frozen)
    """List the trained models that come with cytoform; each name stands for a run in other commands."""
    from cytoform.zoo.find import models as packaged

    found = packaged()
    for model in found:
        common.say(f"{model.name}: {model.title} ({model.n_bytes / 1e6:.2f} MB, {model.licence})")
    common.suggest("generate", found[0].name, "--out", "new.zarr", "-n", 5)
