"""The codecs of foreign Zarr arrays: none that runs code, and Blosc with a check of lengths before it decodes.

Blosc reads as many bytes and reserves as much memory as a chunk claims; one that was cut off ends the process.
"""

import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numcodecs
import zarr
from numcodecs.compat import ensure_contiguous_ndarray
from zarr.codecs import BloscCodec
from zarr.registry import register_codec

from cytoform.base.gate import check_claim

BLOSC_HEADER = struct.Struct("<4x3I")  # sizes of content, block and chunk
RUNS_CODE = "pickle"

# Zarr reads many files at once, and raises what is wrong with one; Python would print the others.
logging.getLogger("asyncio").addHandler(logging.NullHandler())


class CheckedBlosc(numcodecs.Blosc):
    """Blosc that refuses a chunk of another length than it claims, and impossible claims. Raises ValueError, InputError."""

    def decode(self, buf: Any, out: Any = None) -> Any:
        """The content of a chunk."""
        data = memoryview(ensure_contiguous_ndarray(buf)).cast("B")
        if len(data) < BLOSC_HEADER.size:
            raise ValueError("a chunk without a header")
        content, _, claimed = BLOSC_HEADER.unpack(data[: BLOSC_HEADER.size])
        if claimed != len(data):
            raise ValueError("a chunk that is cut off")
        check_claim(content, claimed, "a chunk")
        return super().decode(buf, out)


class CheckedBloscCodec(BloscCodec):
    """The same for Zarr format 3."""

    @cached_property
    def _blosc_codec(self) -> Any:
        plain = super()._blosc_codec
        return CheckedBlosc(plain.cname, plain.clevel, plain.shuffle, plain.blocksize)


numcodecs.register_codec(CheckedBlosc)
register_codec("blosc", CheckedBloscCodec)


@contextmanager
def checked_codecs() -> Iterator[None]:
    """Arrays that are opened in this block decode with checks."""
    with zarr.config.set({"codecs.blosc": f"{CheckedBloscCodec.__module__}.{CheckedBloscCodec.__qualname__}"}):
        yield


def require_safe(array: zarr.Array[Any]) -> None:
    """Raise ValueError for an array of objects, or one that runs code to be decoded."""
    codecs = (*array.filters, *array.compressors)
    if array.dtype.kind == "O" or any(getattr(codec, "codec_id", "") == RUNS_CODE for codec in codecs):
        raise ValueError("objects instead of numbers")
