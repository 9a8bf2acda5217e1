"""Protrusions as tables: a row of numbers each, as runs keep them and priors draw them."""

from dataclasses import dataclass, fields, replace
from typing import ClassVar, TypeVar

import numpy as np
from jaxtyping import Float

RowsT = TypeVar("RowsT", bound="Rows")


@dataclass(frozen=True)
class Rows:
    """A table whose columns are the fields of a subclass, arrays with a row for each protrusion.

    Every subclass has the fields root, axis and across: a place and directions, (x, y, z), in images (x, y).
    """

    WHOLE: ClassVar[tuple[str, ...]] = ()  # fields of whole numbers

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def __getitem__(self: RowsT, rows: "slice | np.ndarray") -> RowsT:
        """Some rows as they are."""
        return type(self)(*(getattr(self, each.name)[rows] for each in fields(self)))

    @classmethod
    def shapes(cls, n_dims: int) -> dict[str, tuple[int, ...]]:
        """The shape of a row of each field, for a number of dimensions of space."""
        raise NotImplementedError

    @property
    def n_dims(self) -> int:
        """Dimensions of space."""
        return int(vars(self)["across"].shape[1])

    @classmethod
    def width(cls, n_dims: int = 3) -> int:
        """Numbers of a row."""
        return sum(int(np.prod(shape)) for shape in cls.shapes(n_dims).values())

    @classmethod
    def none(cls: type[RowsT], n_dims: int = 3) -> RowsT:
        """No protrusion."""
        return cls.from_rows(np.empty((0, cls.width(n_dims))), n_dims)

    @classmethod
    def from_rows(cls: type[RowsT], rows: Float[np.ndarray, "n width"], n_dims: int = 3) -> RowsT:
        """From the rows of `to_rows`; rows of NaN are left out."""
        rows = np.asarray(rows, float)
        rows = rows[np.isfinite(rows).all(axis=1)]
        ends = np.cumsum([int(np.prod(shape)) for shape in cls.shapes(n_dims).values()])
        columns = np.split(rows, ends[:-1], axis=1)
        return cls(
            *(
                column.reshape(len(rows), *shape).astype(int if name in cls.WHOLE else float)
                for column, (name, shape) in zip(columns, cls.shapes(n_dims).items(), strict=True)
            )
        )

    def to_rows(self) -> Float[np.ndarray, "n width"]:
        """One row of numbers a protrusion."""
        columns = [
            np.asarray(getattr(self, name), float).reshape(len(self), int(np.prod(shape)))
            for name, shape in self.shapes(self.n_dims).items()
        ]
        return np.concatenate(columns, axis=1)

    def rotated(self: RowsT, matrix: Float[np.ndarray, "dims dims"]) -> RowsT:
        """The protrusions in the pose that `matrix` turns points into."""
        turned = {name: getattr(self, name) @ matrix.T for name in ("root", "axis", "across")}
        return replace(self, **turned)
