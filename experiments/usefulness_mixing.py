"""How real and synthetic crops are mixed while a segmenter learns: the share of synthetic ones over the training."""

from collections.abc import Callable

# From the progress of the training (0 to 1) to the share of crops that are synthetic.
Share = Callable[[float], float]
# The learning rate of the segmenter has its maximum at 0.3 and falls to 0 from there on.
MIXINGS: dict[str, Share] = {
    "both": lambda _: 0.5,
    "falling": lambda progress: 1 - progress,
    "before": lambda progress: float(progress < 0.5),  # pretraining
}
