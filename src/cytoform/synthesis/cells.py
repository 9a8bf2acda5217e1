"""A trained run as its users see it: named cells, and the fields of their codes."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from cytoform.errors import InputError
from cytoform.priors.prior import Prior
from cytoform.runs.run import Run, load_run
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.field import CodeField
from cytoform.synthesis.priors import prior_of
from cytoform.training.device import torch_device
from cytoform.training.folder import WEIGHTS
from cytoform.zoo.find import find_run


@dataclass(frozen=True)
class Cells:
    """A run as a set of cells: the learned ones by name, and any other by its code."""

    run: Run

    @property
    def names(self) -> list[str]:
        """Names of the learned sequences."""
        return self.run.names

    @property
    def codes(self) -> Float[np.ndarray, "sequences ..."]:
        """Learned codes, one a sequence."""
        return self.run.codes.cpu().numpy()

    @property
    def rotations(self) -> Float[np.ndarray, "sequences 4"]:
        """Quaternions (w, x, y, z) from each learned sequence's own pose to the canonical one, representations/rotation.py."""
        return self.run.rotations.cpu().numpy()

    @property
    def weights_sha256(self) -> str:
        """Fingerprint of the run's weights and codes, by which a store knows the run that it was rendered by."""
        with (self.run.path / WEIGHTS).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def flat_codes(self) -> Float[np.ndarray, "sequences code"]:
        """Learned codes as vectors, one row a sequence."""
        return self.codes.reshape(len(self.names), -1)

    def prior(self, name: str, *, sigma: float | None = None) -> Prior:
        """A prior of new cells: as stored with the run, or fitted anew with a `sigma`. Raises InputError."""
        return prior_of(self, name, sigma=sigma)

    def variables(self, name: str) -> dict[str, np.ndarray]:
        """Arrays that describe a learned sequence beside its code: of cells taken apart, their protrusions."""
        return {key: values.cpu().numpy() for key, values in self.run.variables(name).items()}

    def codes_of(self, store: ShapeStore) -> Float[np.ndarray, "sequences ..."]:
        """Codes that the sequences of a store were rendered from. Raises InputError for a store of another run."""
        if store.attributes.get("weights_sha256") != self.weights_sha256:
            made = store.attributes.get("run")
            of = f"rendered by another run than {self.run.path}, or an older one" if made else "not rendered by a run"
            raise InputError(f"{store.path}: {of}; render it anew with 'cytoform generate {self.run.path}'")
        return np.stack([sequence.latent["code"] for sequence in store])

    def field(
        self,
        code: str | Float[np.ndarray, "..."],
        *,
        rotation: Float[np.ndarray, " 4"] | None = None,
        variables: Mapping[str, Float[np.ndarray, "..."]] | None = None,
    ) -> CodeField:
        """The field of a learned sequence in its own pose, by its name, or of any code in the canonical pose.

        A code may be flat. `rotation` is another pose; `variables` are arrays that a prior draws beside a code. Raises
        InputError for a code or a variable that does not fit.
        """
        turned = None if rotation is None else torch.tensor(np.asarray(rotation, np.float32))
        if isinstance(code, str):
            values = self.run.code(code)
            variables = self.variables(code) if variables is None else variables
            turned = self.run.rotation(code) if turned is None else turned
        else:
            values = torch.tensor(np.asarray(code, np.float32), device=self.run.codes.device)
        shape = self.run.decoder.code_shape
        if values.shape not in {shape, (math.prod(shape),)}:
            raise InputError(
                f"{self.run.path}: a code of shape {tuple(values.shape)}; its codes have {math.prod(shape)} numbers"
            )
        if not torch.isfinite(values).all():
            raise InputError(f"{self.run.path}: the code holds NaN or infinity; pass finite numbers")
        unknown = sorted(set(variables or {}) - self.run.decoder.variables)
        if unknown:
            raise InputError(f"{self.run.path}: its cells have no variable {unknown[0]}; draw from another prior")
        tensors = {
            name: torch.tensor(np.asarray(v, np.float32), device=values.device) for name, v in (variables or {}).items()
        }
        learned = self.run.learned
        return CodeField(
            self.run.decoder, values.reshape(shape), learned.half_extent_um, learned.bounds, turned, tensors
        )


def load(path: str | Path, *, device: str = "auto") -> Cells:
    """Load a trained run, a published archive of one, or a model by name, such as "zoo:mitosis".

    Raises InputError for a folder that is not one, is unfinished or damaged.
    """
    return Cells(load_run(find_run(path), device=torch_device(device)))
