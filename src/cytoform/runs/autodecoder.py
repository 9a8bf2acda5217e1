"""The auto-decoder: a decoder and a latent code for each sequence, trained together (paper section 2.1, after DeepSDF)."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from cytoform.representations.representation import Representation
from cytoform.representations.rotation import of_images, rotate
from cytoform.representations.table import new_representation
from cytoform.runs.config import Config
from cytoform.runs.samples import Batch

CODES = 3  # a stream of random numbers


class AutoDecoder(nn.Module):
    """A decoder and the codes of the training sequences; codes start as N(0, σ²), unless fixed ones are given.

    Each sequence has `copies` codes, which are neighbours in the table: of a mirrored pool, one for each image. `rotations`
    turn the sequences into the canonical pose: fixed ones, or where they start if they are a parameter.
    """

    rotations: Tensor | None
    codes: Tensor

    def __init__(
        self,
        decoder: Representation,
        n_sequences: int,
        *,
        copies: int = 1,
        code_sigma: float,
        seed: int,
        rotations: Float[Tensor, "sequences 4"] | None = None,
        fixed_codes: Float[Tensor, "codes ..."] | None = None,
    ) -> None:
        super().__init__()
        self.decoder, self.copies = decoder, copies
        if fixed_codes is None:
            shape = (n_sequences * copies, *decoder.code_shape)
            codes = np.random.default_rng([seed, CODES]).normal(0, code_sigma, shape)
            self.codes = nn.Parameter(torch.tensor(codes, dtype=torch.float32))
        else:
            self.register_buffer("codes", fixed_codes, persistent=False)
        if isinstance(rotations, nn.Parameter):
            self.rotations = rotations
        else:
            self.register_buffer("rotations", rotations)

    @property
    def learned_codes(self) -> nn.Parameter | None:
        """The codes, if they are learned."""
        return self.codes if isinstance(self.codes, nn.Parameter) else None

    @property
    def learned_rotations(self) -> nn.Parameter | None:
        """The rotations, if they are learned."""
        return self.rotations if isinstance(self.rotations, nn.Parameter) else None

    def forward(
        self, batch: Batch, code_penalty: float, noise: Float[Tensor, "frames ..."] | None = None
    ) -> tuple[Tensor, Tensor]:
        """The loss of eq. 2.1 and its first part, the mean L1 of the distance; `noise` is added to the codes."""
        codes = self.codes[batch.codes]
        noisy = codes if noise is None else codes + noise
        points = batch.points
        if self.rotations is not None:
            images = batch.codes % self.copies
            points = rotate(points, of_images(self.rotations[batch.codes // self.copies], images, self.decoder.n_dims))
        error = self.decoder.error(noisy, batch.times, points, batch.distances)
        return error + code_penalty * self.decoder.penalty(codes), error


def new_model(
    config: Config,
    n_sequences: int,
    *,
    seed: int,
    n_dims: int = 3,
    copies: int = 1,
    rotations: Float[Tensor, "sequences 4"] | None = None,
    fixed_codes: Float[Tensor, "codes ..."] | None = None,
) -> AutoDecoder:
    """An untrained auto-decoder."""
    training = config.training
    backward_dtype = torch.float32 if training.precision == "32-true" else torch.bfloat16
    return AutoDecoder(
        new_representation(config.model, seed=seed, n_dims=n_dims, backward_dtype=backward_dtype).trained(),
        n_sequences,
        copies=copies,
        rotations=rotations,
        fixed_codes=fixed_codes,
        code_sigma=training.code_sigma,
        seed=seed,
    )
