"""What is trained: a decoder, and a code for each sequence (paper section 2.1, after DeepSDF)."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from cytoform.representations.global_code.decoder import Decoder
from cytoform.representations.global_code.fused_error import Reconstruction
from cytoform.representations.rotation import of_images, rotate
from cytoform.runs.config import Config
from cytoform.runs.run import new_decoder
from cytoform.runs.samples import Batch

CODES = 3  # a stream of random numbers


class AutoDecoder(nn.Module):
    """A decoder and the codes of the training sequences; codes start as N(0, σ²).

    Each sequence has `copies` codes, which are neighbours in the table: of a mirrored pool, one for each image. `rotations`
    turn the sequences into the canonical pose: fixed ones, or where they start if they are a parameter.
    """

    rotations: Tensor | None

    def __init__(
        self,
        decoder: Decoder,
        n_sequences: int,
        *,
        copies: int = 1,
        code_sigma: float,
        seed: int,
        backward_dtype: torch.dtype = torch.float32,
        rotations: Float[Tensor, "sequences 4"] | None = None,
    ) -> None:
        super().__init__()
        self.decoder, self.copies = decoder, copies
        self._reconstruction = Reconstruction(decoder, backward_dtype=backward_dtype)
        codes = np.random.default_rng([seed, CODES]).normal(0, code_sigma, (n_sequences * copies, decoder.code_dim))
        self.codes = nn.Parameter(torch.tensor(codes, dtype=torch.float32))
        if isinstance(rotations, nn.Parameter):
            self.rotations = rotations
        else:
            self.register_buffer("rotations", rotations)

    @property
    def learned_rotations(self) -> nn.Parameter | None:
        """The rotations, if they are learned."""
        return self.rotations if isinstance(self.rotations, nn.Parameter) else None

    def forward(
        self, batch: Batch, code_penalty: float, noise: Float[Tensor, "frames code"] | None = None
    ) -> tuple[Tensor, Tensor]:
        """The loss of eq. 2.1 and its first part, the mean L1 of the distance; `noise` is added to the codes."""
        codes = self.codes[batch.codes]
        noisy = codes if noise is None else codes + noise
        biases = self.decoder.frame_biases(noisy, batch.times)
        points = batch.points
        if self.rotations is not None:
            images = batch.codes % self.copies
            points = rotate(points, of_images(self.rotations[batch.codes // self.copies], images))
        error = self._reconstruction.error(points, biases, batch.distances)
        return error + code_penalty * codes.square().sum(dim=1).mean(), error


def new_model(
    config: Config,
    n_sequences: int,
    *,
    seed: int,
    copies: int = 1,
    rotations: Float[Tensor, "sequences 4"] | None = None,
) -> AutoDecoder:
    """An untrained auto-decoder."""
    training = config.training
    return AutoDecoder(
        new_decoder(config.model, seed=seed),
        n_sequences,
        copies=copies,
        rotations=rotations,
        code_sigma=training.code_sigma,
        seed=seed,
        backward_dtype=torch.float32 if training.precision == "32-true" else torch.bfloat16,
    )
