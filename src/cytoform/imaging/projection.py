"""Maximum projections of images, and what becomes of labels."""

import numpy as np
from jaxtyping import Integer


def project_labels(labels_zyx: Integer[np.ndarray, "z y x"]) -> Integer[np.ndarray, "y x"]:
    """The label of the lowest plane that has one, as a viewer in front of the first plane sees them."""
    first = (labels_zyx > 0).argmax(axis=0)
    return np.take_along_axis(labels_zyx, first[None], axis=0)[0]
