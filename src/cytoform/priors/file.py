"""The fitted priors beside the codes that they were fitted to: RUN/priors.safetensors."""

import hashlib
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from cytoform.base.tensors import read_tensors, write_tensors
from cytoform.errors import InputError
from cytoform.priors.fitted import PRIORS, Codes, chosen_prior, fit_prior
from cytoform.priors.prior import Prior

PRIORS_FILE = "priors.safetensors"
TRIAL_DRAWS = 64


def write_priors(run: Path, codes: Float[np.ndarray, "sequences ..."]) -> None:
    """Fit all priors and write them as tensors PRIOR.FIELD; a prior that these codes do not allow is left out."""
    tensors, codes = {}, codes.reshape(len(codes), -1)
    for name, kind in PRIORS.items():
        try:
            prior = fit_prior(name, codes)
        except InputError:
            continue
        for field in fields(kind.kind):
            tensors[f"{name}.{field.name}"] = torch.tensor(np.asarray(getattr(prior, field.name), float))
    write_tensors(run / PRIORS_FILE, tensors, {"codes_sha256": _sha256(codes)})


def read_prior(run: Path, codes: Codes, name: str) -> Prior:
    """A prior as stored, or fitted now where the run does not have it. Raises InputError for a damaged file."""
    path = run / PRIORS_FILE
    if not path.is_file():
        return fit_prior(name, codes)
    kind = chosen_prior(name).kind
    try:
        tensors, metadata = read_tensors(path)
        if metadata.get("codes_sha256") != _sha256(codes):
            raise InputError("fitted to other codes")
        arrays = {key.removeprefix(f"{name}."): t.numpy() for key, t in tensors.items() if key.startswith(f"{name}.")}
        if arrays and arrays.keys() != {field.name for field in fields(kind)}:
            raise InputError(f"the prior {name} is incomplete")
    except InputError as fault:
        why = str(fault).removeprefix(f"{path}: ").partition(";")[0]
        raise InputError(f"{path}: {why}; delete it, and the priors are fitted anew") from None
    if not arrays:  # there were too few codes
        return fit_prior(name, codes)
    values = {key: float(array) if array.ndim == 0 else array for key, array in arrays.items()}
    prior: Prior = kind(**values)
    _refuse_unsound(path, name, prior, codes.shape[1])
    return prior


def _refuse_unsound(path: Path, name: str, prior: Prior, code_dim: int) -> None:
    """Raise InputError for a stored prior that does not give finite codes of the right length."""
    try:
        drawn = prior.draw(TRIAL_DRAWS, np.random.default_rng(0)).codes
    except (ValueError, IndexError, TypeError):  # LinAlgError is a ValueError
        drawn = np.empty(0)
    if drawn.shape != (TRIAL_DRAWS, code_dim) or not np.isfinite(drawn).all():
        raise InputError(f"{path}: the prior {name} is damaged; delete it, and the priors are fitted anew")


def _sha256(codes: Codes) -> str:
    return hashlib.sha256(np.ascontiguousarray(codes, np.float32).tobytes()).hexdigest()
