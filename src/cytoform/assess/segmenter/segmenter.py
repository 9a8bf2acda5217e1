"""Small segmenters for judging training data: trained on image-mask pairs, tested on real ones.

Network, number of steps and seed are fixed, so that differences in score come from the training data.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from cytoform.assess.segmenter.examples import draw_batch, examples_of, normalised, shrunk
from cytoform.assess.segmenter.objects import ObjectSizes, labels_from
from cytoform.assess.segmenter.segmentation_scores import SegmentationScores, score_frame
from cytoform.errors import InputError
from cytoform.movies.pairs.pairs import MaskedImage

if TYPE_CHECKING:
    import torch

# Scores hardly rise with more steps. Fewer would measure the speed of learning instead of the value of the data.
TRAINING_STEPS = 1600
LEARNING_RATE = 3e-3
CHANNELS, STRIDES = (16, 32, 64, 128), (2, 2, 2)
# Images are downsampled to objects of about this diameter: many times their texture, and within the receptive field.
LEAST_DIAMETER_PX = 28.0
SEED_DEPTH = 0.5


@runtime_checkable
class Segmenter(Protocol):
    """Segments images similar to its training data."""

    def labels(self, image_yx: np.ndarray) -> np.ndarray:
        """Instance labels (y, x) of an image of any size and type: int32, 0 is background."""
        ...


@dataclass(frozen=True)
class NetworkSegmenter:
    """A U-Net that predicts foreground and depth in the instance, followed by a watershed (see `train_segmenter`)."""

    network: "torch.nn.Module"
    sizes: ObjectSizes
    shrink: int  # downsampling factor of the network's input

    def labels(self, image_yx: np.ndarray) -> np.ndarray:
        """Instance labels; see `Segmenter`."""
        import torch

        seen = shrunk(normalised(image_yx), self.shrink)
        device = next(self.network.parameters()).device
        with torch.inference_mode(), _reproducible():
            maps = torch.sigmoid(_padded_forward(self.network, torch.from_numpy(seen)[None, None].to(device)))
            maps = torch.nn.functional.interpolate(maps, scale_factor=self.shrink, mode="bilinear")
        y, x = image_yx.shape
        inside, depth = maps[0, :, :y, :x].float().cpu().numpy()
        return labels_from(inside > 0.5, depth, seeds=depth > SEED_DEPTH, least_area_px=self.sizes.least_area_px)


@dataclass(frozen=True)
class OtsuSegmenter:
    """Otsu's threshold and a watershed of the distance transform; only the size of objects is learned.

    The threshold is applied to logarithms, because a few bright objects would raise it above all others.
    """

    sizes: ObjectSizes

    def labels(self, image_yx: np.ndarray) -> np.ndarray:
        """Instance labels; see `Segmenter`."""
        from scipy.ndimage import binary_fill_holes, distance_transform_edt, gaussian_filter
        from skimage.feature import peak_local_max
        from skimage.filters import threshold_otsu

        light = _logarithmic(gaussian_filter(normalised(image_yx), 1.0))
        inside = binary_fill_holes(light > threshold_otsu(light))
        depth_px = gaussian_filter(distance_transform_edt(inside).astype(np.float32), self.sizes.diameter_px / 12)
        middles = np.zeros(inside.shape, bool)
        middles[tuple(peak_local_max(depth_px, min_distance=max(1, round(self.sizes.diameter_px / 3))).T)] = True
        return labels_from(inside, depth_px, seeds=middles, least_area_px=self.sizes.least_area_px)


@dataclass(frozen=True)
class Mixed:
    """Further planes to learn from, and the share of crops from them at every point of the training."""

    planes: Sequence[MaskedImage]
    share: Callable[[float], float]  # of the training's progress; both from 0 to 1


def train_segmenter(
    planes: Sequence[MaskedImage],
    *,
    steps: int = TRAINING_STEPS,
    seed: int = 0,
    device: "str | torch.device" = "cpu",
    sizes: ObjectSizes | None = None,
    done: Callable[[], Any] = lambda: None,
    mixed: Mixed | None = None,
    channels: tuple[int, ...] = CHANNELS,
) -> NetworkSegmenter:
    """Train a small U-Net for a fixed number of steps; on a CPU the same seed gives the same bits.

    At most 64 million pixels are used, from evenly spaced planes. `sizes` of objects, by default measured in `planes`,
    determine the downsampling. `done` is called after each step. Crops come from `planes`, and with `mixed` from its
    planes too. `channels` are those of the four levels. Raises InputError without planes or objects and for uniform
    images.
    """
    import torch

    sizes = sizes or _sizes(planes)
    shrink = 2 ** max(0, int(np.log2(sizes.diameter_px / LEAST_DIAMETER_PX)))
    examples = examples_of(planes, shrink)
    others = examples_of(mixed.planes, shrink) if mixed is not None and mixed.planes else []
    rng = np.random.default_rng(seed)
    with _reproducible(seed):
        network = _network(channels).to(device).train()
        optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=max(steps, 1))
        for step in range(steps):
            share = 0.0 if mixed is None else mixed.share(step / steps)
            batch = draw_batch(examples, rng, others=others, share=share)
            images, targets = (torch.from_numpy(each).to(device) for each in batch)
            optimizer.zero_grad()
            _loss(_padded_forward(network, images), targets).backward()
            optimizer.step()
            schedule.step()
            done()
    return NetworkSegmenter(network.eval(), sizes, shrink)


def train_otsu(
    planes: Sequence[MaskedImage],
    *,
    steps: int = TRAINING_STEPS,
    seed: int = 0,
    device: "str | torch.device" = "cpu",
    sizes: ObjectSizes | None = None,
    done: Callable[[], Any] = lambda: None,
) -> OtsuSegmenter:
    """Measure the size of objects. Raises InputError without any object."""
    return OtsuSegmenter(sizes or _sizes(planes))


class Train(Protocol):
    """Trains a segmenter; see `train_segmenter`."""

    def __call__(
        self,
        planes: Sequence[MaskedImage],
        *,
        steps: int = TRAINING_STEPS,
        seed: int = 0,
        device: "str | torch.device" = "cpu",
        sizes: ObjectSizes | None = None,
        done: Callable[[], Any] = lambda: None,
    ) -> Segmenter: ...


SEGMENTERS: dict[str, Train] = {"unet": train_segmenter, "otsu": train_otsu}


def score(segmenter: Segmenter, planes: Sequence[MaskedImage]) -> SegmentationScores:
    """Score a segmenter on planes with known labels."""
    return SegmentationScores.of(score_frame(plane.labels_yx, segmenter.labels(plane.image_yx)) for plane in planes)


def _logarithmic(image: Float[np.ndarray, "y x"]) -> Float[np.ndarray, "y x"]:
    """Logarithms of intensities above the dark end; nearly linear up to the median."""
    low, middle = np.quantile(image, [0.01, 0.5])
    scale = 3 * (middle - low) or np.ptp(image) or 1.0
    return np.log1p(np.maximum(image - low, 0) / scale)


def _sizes(planes: Sequence[MaskedImage]) -> ObjectSizes:
    sizes = ObjectSizes.of(plane.labels_yx for plane in planes)
    if sizes is None:
        raise InputError(f"no labelled cell in any of {len(planes)} images, so no segmenter can learn from them")
    return sizes


def _network(channels: tuple[int, ...]) -> "torch.nn.Module":
    try:
        from monai.networks.nets.unet import UNet
    except ImportError as fault:
        raise InputError(
            "the segmenter needs MONAI: pip install 'cytoform[texture]', or pass --segmenter otsu"
        ) from fault
    return UNet(2, 1, 2, channels=channels, strides=STRIDES, norm="batch")


def _padded_forward(network: "torch.nn.Module", images: "torch.Tensor") -> "torch.Tensor":
    """Run a network on images padded to multiples of its stride; the maps have the size of the images."""
    import torch

    y, x = images.shape[2:]
    step = int(np.prod(STRIDES))
    padded = torch.nn.functional.pad(images, (0, -x % step, 0, -y % step), mode="replicate")
    return network(padded)[:, :, :y, :x]


def _loss(maps: "torch.Tensor", targets: "torch.Tensor") -> "torch.Tensor":
    import torch

    inside = torch.nn.functional.binary_cross_entropy_with_logits(maps[:, 0], targets[:, 0])
    depth = torch.nn.functional.mse_loss(torch.sigmoid(maps[:, 1]), targets[:, 1])
    return inside + 4 * depth


@contextlib.contextmanager
def _reproducible(seed: int | None = None) -> Iterator[None]:
    """Use one thread, for a fixed order of summation, and a local random seed."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            if seed is not None:
                torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)
