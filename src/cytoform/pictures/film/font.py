"""Text in pictures: DejaVu Sans, which is included in Matplotlib and contains µ."""

from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
from PIL import ImageFont


@lru_cache(maxsize=16)
def font(size_px: int) -> ImageFont.FreeTypeFont:
    """The font at a size."""
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size_px)


def width_px(text: str, size_px: int) -> float:
    """Width of a line of text."""
    return font(size_px).getlength(text)


def shortened(text: str, size_px: int, most_px: float) -> str:
    """Shorten a text with … until it fits into `most_px` pixels."""
    while len(text) > 1 and width_px(text, size_px) > most_px:
        text = text.removesuffix("…")[:-1] + "…"
    return text
