"""What a worker of a cluster keeps of a partition: its rows as the kernels take them, read column by column."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mixtura._typing import Array, BoolArray, FloatArray, IntArray, RowArray
from mixtura.core.protocols import Block, Blocks, DerivedBlocks, MixedRows, RowTable
from mixtura.data.arrays import ArrayBlocks
from mixtura.data.missing import MissingBlocks, with_missing
from mixtura.exceptions import DataError

__all__ = ["PackedRows", "Packing", "PartFound"]


@dataclass(frozen=True, slots=True)
class Packing:
    """How a partition is read: by a worker, column by column.

    Parameters
    ----------
    columns : tuple or None
        Names of the columns of a frame; None for arrays.
    dtype : str
        ``"float64"`` or ``"float32"``.
    """

    columns: tuple[Any, ...] | None
    dtype: str

    def rows(self, part: Any) -> RowArray:
        """Return the rows of a partition, (n, D), C-contiguous; what has no value is NaN.

        Columns are taken by name and converted one by one: those of a mixed frame as one array would lose the digits
        of decimals, and gaps in whole numbers.

        Raises
        ------
        DataError
            A column holds what cannot be a number.
        """
        if self.columns is None:
            return np.ascontiguousarray(_as_floats(np.asarray(part), self.dtype, "The rows"))
        rows: Array = np.empty((len(part), len(self.columns)), dtype=self.dtype)
        for place, name in enumerate(self.columns):
            column = part[name]
            _refuse_dates(column.dtype, f"Column {name!r}")
            if column.dtype.kind in "OUS" or not hasattr(column, "to_numpy"):
                rows[:, place] = _as_floats(_without_gaps(column), self.dtype, f"Column {name!r}")
            else:
                rows[:, place] = column.to_numpy(dtype=self.dtype, na_value=np.nan)
        return rows

    def __call__(self, part: Any, sample_weight: Any = None) -> PackedRows:
        """Return a partition as its worker keeps it; weights are an array (n,) or a frame's column.

        Raises
        ------
        DataError
            Weights that are not one per row.
        """
        rows = self.rows(part)
        weight = None if sample_weight is None else np.ascontiguousarray(sample_weight, dtype=np.float64)
        if weight is not None and weight.shape != rows.shape[:1]:
            raise DataError(
                f"`sample_weight` must hold one weight per row of each partition; got shape {weight.shape!r} for "
                f"{rows.shape[0]!r} rows. Take both from one collection, so that they are cut alike."
            )
        empty = np.isnan(rows).all(axis=1)
        if rows.size and empty.any():
            weight = np.where(empty, 0.0, 1.0 if weight is None else weight)
        return PackedRows.of(rows, weight)


def _without_gaps(column: Any) -> Array:
    """Return a frame's column of objects, such as decimals, with NaN where there is no value."""
    values: Array = column.to_numpy(dtype=object, na_value=np.nan)
    return values


def _refuse_dates(dtype: Any, what: str) -> None:
    if dtype.kind in "Mm":
        raise DataError(
            f"{what} must hold numbers; got dates or times. Leave them out, or convert them first."
        )


def _as_floats(values: Array, dtype: str, what: str) -> Array:
    _refuse_dates(values.dtype, what)
    try:
        return values.astype(dtype, copy=False)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{what} must hold numbers; got {error}. Leave it out, or convert it first."
        ) from error


@dataclass(frozen=True, slots=True, eq=False)
class PackedRows:
    """The rows of one partition, as the worker that has them computes with them.

    Parameters
    ----------
    table : ndarray of shape (n, D), or MixedRows
    sample_weight : ndarray of shape (n,) or None
    orders : tuple or None
        Of `MissingBlocks`, where values are missing.
    """

    table: RowTable
    sample_weight: FloatArray | None
    orders: tuple[IntArray | None, ...] | None = None

    @classmethod
    def of(cls, table: RowTable, sample_weight: FloatArray | None) -> PackedRows:
        """Return rows, looked through once for missing values."""
        blocks = with_missing(ArrayBlocks.of(table, sample_weight)) if len(table) else None
        return cls(table, sample_weight, blocks.orders if isinstance(blocks, MissingBlocks) else None)

    @property
    def rows(self) -> RowArray:
        """The continuous columns."""
        return self.table.rows if isinstance(self.table, MixedRows) else self.table

    def blocks(self, start: int, number: int) -> Blocks:
        """Return its blocks, given the numbers of its first row and first block among all."""
        local: Blocks = ArrayBlocks.of(self.table, self.sample_weight)
        local = local if self.orders is None else MissingBlocks(local, self.orders)
        return local if start == number == 0 else ShiftedBlocks(local, start, number)

    def found(self) -> PartFound:
        """Return what the driver needs to know of it."""
        missing, infinite = np.isnan(self.rows), np.isinf(self.rows)
        weight, n_rows = self.sample_weight, len(self.rows)
        sound = weight is None or bool(np.isfinite(weight).all() and (weight >= 0).all())
        return PartFound(
            n_rows,
            len(ArrayBlocks(self.rows)) if n_rows else 0,
            float(n_rows) if weight is None else float(weight.sum()),
            n_rows if weight is None else int(np.count_nonzero(weight)),
            missing.sum(axis=0),
            infinite.sum(axis=0),
            _first(missing | infinite),
            _first(infinite),
            sound,
        )


@dataclass(frozen=True, slots=True, eq=False)
class PartFound:
    """What the driver knows of a partition; sums are those of both, one after the other.

    Parameters
    ----------
    n_rows, n_blocks : int
    total_weight : float
    n_positive : int
        Rows of positive weight.
    n_missing, n_infinite : ndarray of shape (D,)
    first_unknown, first_infinite : int or None
        The first row with one of either, and with an infinite one, in the partition.
    sound_weights : bool
        Whether the weights are finite and not negative.
    """

    n_rows: int
    n_blocks: int
    total_weight: float
    n_positive: int
    n_missing: IntArray
    n_infinite: IntArray
    first_unknown: int | None
    first_infinite: int | None
    sound_weights: bool

    def __add__(self, other: PartFound) -> PartFound:
        return PartFound(
            self.n_rows + other.n_rows,
            self.n_blocks + other.n_blocks,
            self.total_weight + other.total_weight,
            self.n_positive + other.n_positive,
            self.n_missing + other.n_missing,
            self.n_infinite + other.n_infinite,
            self._either(self.first_unknown, other.first_unknown),
            self._either(self.first_infinite, other.first_infinite),
            self.sound_weights and other.sound_weights,
        )

    def _either(self, first: int | None, further: int | None) -> int | None:
        return first if first is not None or further is None else further + self.n_rows


def _first(bad: BoolArray) -> int | None:
    """Return the first row with a true value, if any."""
    rows = bad.any(axis=1)
    return int(np.argmax(rows)) if rows.any() else None


@dataclass(frozen=True, slots=True, eq=False)
class ShiftedBlocks(DerivedBlocks):
    """Blocks of one partition, numbered among those of all.

    Parameters
    ----------
    blocks : Blocks
    start, number : int
        Of the first row and block.
    """

    start: int
    number: int

    @property
    def total_weight(self) -> float:
        return self.blocks.total_weight

    def block(self, number: int) -> Block:
        block = self.blocks.block(number)
        return replace(block, start=block.start + self.start, number=block.number + self.number)
