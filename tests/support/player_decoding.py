"""Decodes the data of 3D players in a page: an independent inverse of pictures/player/coding.py."""

import base64
import html
import json
import re
import zlib
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Decoded:
    """A frame: points in µm as (x, y, z) from the corner of the cube, faces, and errors in µm and paint, if any."""

    points_um: np.ndarray
    faces: np.ndarray
    errors_um: np.ndarray | None
    paint: np.ndarray | None = None


def scenes_of(page: str) -> list[dict[str, Any]]:
    """The data of every player of a page, in order."""
    return [json.loads(found) for found in re.findall(r'<script type="application/json">(.*?)</script>', page, re.S)]


def labels_of(page: str) -> list[str]:
    return [html.unescape(found) for found in re.findall(r'<cell-player [^>]*aria-label="([^"]*)"', page)]


def decode_actor(scene: dict[str, Any], actor: int) -> list[Decoded | None]:
    """Decode the frames of an actor; None for an empty frame."""
    entry = scene["actors"][actor]
    data = zlib.decompress(base64.b64decode(entry["data"]))
    largest_um = scene["largestError"] if entry["errors"] else None
    return decode(data, entry["frames"], scene["origin"], scene["step"], largest_um, has_paint=entry["paint"])


def decode(
    data: bytes, n_frames: int, origin_um: float, step_um: float, largest_um: float | None, *, has_paint: bool = False
) -> list[Decoded | None]:
    """Decode the byte streams of a sequence."""
    counts = np.frombuffer(data, "<u4", n_frames * 3).reshape(-1, 3)
    n_points, n_symbols, n_far = counts.sum(axis=0)
    rest = np.frombuffer(data, np.uint8)[n_frames * 12 :].astype(np.int64)

    def take(n: int) -> np.ndarray:
        nonlocal rest
        taken, rest = rest[:n], rest[n:]
        return taken

    symbols = deque(take(n_symbols))
    far = deque(take(n_far) + 256 * take(n_far))
    zigzag = np.stack([take(n_points) + 256 * take(n_points) for _ in range(3)], axis=1)
    differences = deque(np.where(zigzag % 2, -(zigzag + 1) // 2, zigzag // 2))
    errors = deque(take(n_points)) if largest_um is not None else None
    paint = deque(take(n_points)) if has_paint else None
    assert not len(rest)
    frames: list[Decoded | None] = []
    for points, _, corners in counts:
        if points == 0:
            frames.append(None)
            continue
        left = len(far) - corners
        frame = _Frame(symbols, far, differences, errors, paint)
        while len(far) > left:
            frame.component()
        levels = None if errors is None else np.array(frame.levels) * (largest_um or 0) / 127
        places_um, colours = (
            origin_um + step_um * np.array(frame.points),
            np.array(frame.colours) if has_paint else None,
        )
        frames.append(Decoded(places_um, np.array(frame.faces), levels, colours))
        assert len(frame.points) == points
    assert not symbols
    assert not far
    assert not differences
    return frames


class _Frame:
    def __init__(
        self, symbols: deque, far: deque, differences: deque, errors: deque | None, paint: deque | None
    ) -> None:
        self.symbols, self.far, self.differences, self.errors, self.paint = symbols, far, differences, errors, paint
        self.points: list[np.ndarray] = []
        self.levels: list[int] = []
        self.colours: list[int] = []
        self.faces: list[tuple[int, int, int]] = []
        self.edges: set[tuple[int, int]] = set()
        self.rim: dict[int, int] = {}
        self.rim_back: dict[int, int] = {}
        self.gates: deque[tuple[int, int, int]] = deque()

    def component(self) -> None:
        """Decode one connected component."""
        corners = []
        for _ in range(3):
            back = self.far.popleft()
            corners.append(len(self.points) - back if back else self._new(*[len(self.points) - 1] * 3))
        self._add(corners[0], corners[1], corners[2])
        while self.gates:
            u, v, w = self.gates.popleft()
            if (v, u) in self.edges:
                continue
            symbol = self.symbols.popleft()
            if symbol == 3:
                continue
            if symbol == 0:
                x = self._new(u, v, w)
            elif symbol == 4:
                x = len(self.points) - self.far.popleft()
            else:
                x = self.rim[u] if symbol == 1 else self.rim_back[v]
            self._add(v, u, x)

    def _new(self, u: int, v: int, w: int) -> int:
        start = u < 0
        guess = np.zeros(3, int) if start else self.points[u] + self.points[v] - self.points[w]
        self.points.append(guess + self.differences.popleft())
        if self.errors is not None:
            mean = 0 if start else (self.levels[u] + self.levels[v]) // 2
            self.levels.append((mean + int(self.errors.popleft()) + 128) % 256 - 128)
        if self.paint is not None:
            self.colours.append(((0 if start else self.colours[u]) + int(self.paint.popleft())) % 256)
        return len(self.points) - 1

    def _add(self, a: int, b: int, c: int) -> None:
        self.faces.append((a, b, c))
        self.edges |= {(a, b), (b, c), (c, a)}
        for u, v, w in ((a, b, c), (b, c, a), (c, a, b)):
            if (v, u) not in self.edges:
                self.rim[v], self.rim_back[u] = u, v
                self.gates.append((u, v, w))
