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
    """A decoder and the codes of the training sequences; codes start as N(0, σ²), or where `start` says.

    Each sequence has `copies` codes, which are neighbours in the table: of a mirrored pool, one for each image. `rotations`
    turn the sequences into the canonical pose: fixed ones, or where they start if they are a parameter. With `signs`, each
    sequence has one code, and its images have the same with other signs.
    """

    rotations: Tensor | None
    signs: Tensor | None

    def __init__(
        self,
        decoder: Representation,
        n_sequences: int,
        *,
        copies: int = 1,
        code_sigma: float,
        seed: int,
        rotations: Float[Tensor, "sequences 4"] | None = None,
        start: Float[Tensor, "sequences ..."] | None = None,
        signs: Float[Tensor, "copies values"] | None = None,
    ) -> None:
        super().__init__()
        self.decoder, self.copies = decoder, copies
        self.register_buffer("signs", signs, persistent=False)
        if start is None:
            shape = (n_sequences * copies, *decoder.code_shape)
            codes = np.random.default_rng([seed, CODES]).normal(0, code_sigma, shape)
            start = torch.tensor(codes, dtype=torch.float32)
        self.codes = nn.Parameter(start)
        if isinstance(rotations, nn.Parameter):
            self.rotations = rotations
        else:
            self.register_buffer("rotations", rotations)

    @property
    def own_codes(self) -> Tensor:
        """One code a sequence: that of the sequence itself, not of an image."""
        return self.codes.detach()[:: 1 if self.signs is not None else self.copies]

    @property
    def learned_rotations(self) -> nn.Parameter | None:
        """The rotations, if they are learned."""
        return self.rotations if isinstance(self.rotations, nn.Parameter) else None

    def forward(
        self, batch: Batch, code_penalty: float, noise: Float[Tensor, "frames ..."] | None = None
    ) -> tuple[Tensor, Tensor]:
        """The loss of eq. 2.1 and its first part, the mean L1 of the distance; `noise` is added to the codes."""
        if self.signs is None:
            codes = self.codes[batch.codes]
        else:
            codes = self.codes[batch.codes // self.copies] * self.signs[batch.codes % self.copies][:, None]
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
    start: Float[Tensor, "sequences ..."] | None = None,
    signs: Float[Tensor, "copies values"] | None = None,
) -> AutoDecoder:
    """An untrained auto-decoder."""
    training = config.training
    backward_dtype = torch.float32 if training.precision == "32-true" else torch.bfloat16
    return AutoDecoder(
        new_representation(config.model, seed=seed, n_dims=n_dims, backward_dtype=backward_dtype).trained(),
        n_sequences,
        copies=copies,
        rotations=rotations,
        start=start,
        signs=signs,
        code_sigma=training.code_sigma,
        seed=seed,
    )
