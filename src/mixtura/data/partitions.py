"""Rows that a cluster holds: partitions in the memory of its workers, and the blocks that they are cut into."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from mixtura._typing import Array, BoolArray, FloatArray, IntArray, RowArray
from mixtura.core.protocols import Block, Blocks, DerivedBlocks, RowTable
from mixtura.data.arrays import ArrayBlocks
from mixtura.data.missing import MissingBlocks, with_missing
from mixtura.exceptions import DataError, MissingValuesError

__all__ = ["JoinedRows", "PackedRows", "Packing", "PartFound", "PartitionedBlocks"]


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
            A column holds what is no number.
        """
        if self.columns is None:
            return np.ascontiguousarray(_as_floats(np.asarray(part), self.dtype, "The rows"))
        rows: Array = np.empty((len(part), len(self.columns)), dtype=self.dtype)
        for place, name in enumerate(self.columns):
            column = part[name]
            if column.dtype.kind in "OUSMm" or not hasattr(column, "to_numpy"):
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
        blocks = with_missing(ArrayBlocks(rows, weight)) if rows.size else None
        return PackedRows(rows, weight, blocks.orders if isinstance(blocks, MissingBlocks) else None)


def _without_gaps(column: Any) -> Array:
    """Return a frame's column of objects, such as decimals, with NaN where there is no value."""
    values: Array = column.to_numpy(dtype=object, na_value=np.nan)
    return values


def _as_floats(values: Array, dtype: str, what: str) -> Array:
    if values.dtype.kind in "Mm":
        raise DataError(
            f"{what} must hold numbers; got dates or times. Leave them out, or convert them first."
        )
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
    rows : ndarray of shape (n, D)
    sample_weight : ndarray of shape (n,) or None
    orders : tuple or None
        Of `MissingBlocks`, where values are missing.
    """

    rows: RowArray
    sample_weight: FloatArray | None
    orders: tuple[IntArray | None, ...] | None = None

    def blocks(self, start: int, number: int) -> Blocks:
        """Return its blocks, given the numbers of its first row and first block among all."""
        local: Blocks = ArrayBlocks(self.rows, self.sample_weight)
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
class JoinedRows:
    """Partitions that stand one after the other with one worker, which passes over them in one go; nothing is copied.

    Parameters
    ----------
    parts : tuple of PackedRows
    """

    parts: tuple[PackedRows, ...]

    @classmethod
    def of(cls, parts: Iterable[PackedRows]) -> JoinedRows:
        """Return these partitions joined."""
        return cls(tuple(parts))

    def blocks(self, start: int, number: int) -> Blocks:
        """Return its blocks, given the numbers of its first row and first block among all."""
        made = list[Blocks]()
        for part in self.parts:
            if len(part.rows):
                made.append(part.blocks(start, number))
                start, number = start + len(part.rows), number + len(made[-1])
        return made[0] if len(made) == 1 else ChainedBlocks(tuple(made))

    def found(self) -> list[PartFound]:
        """Return what the driver needs to know of each."""
        return [part.found() for part in self.parts]


class ChainedBlocks:
    """The blocks of several partitions, one after the other.

    Parameters
    ----------
    parts : tuple of Blocks
        At least one.
    """

    discrete = None

    def __init__(self, parts: tuple[Blocks, ...]) -> None:
        self._parts = parts
        self._ends = np.cumsum([len(part) for part in parts]).tolist()

    @property
    def n_rows(self) -> int:
        return sum(part.n_rows for part in self._parts)

    @property
    def n_features(self) -> int:
        return self._parts[0].n_features

    @property
    def total_weight(self) -> float:
        return sum(part.total_weight for part in self._parts)

    @property
    def has_missing(self) -> bool:
        return any(part.has_missing for part in self._parts)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def block(self, number: int) -> Block:
        place = bisect_right(self._ends, number)
        return self._parts[place].block(number - (self._ends[place - 1] if place else 0))

    def in_memory(self, rows: RowTable, sample_weight: FloatArray | None) -> Blocks:
        return self._parts[0].in_memory(rows, sample_weight)


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


class PartitionedBlocks:
    """Blocks of rows that stay on a cluster; the driver knows how many there are.

    Parameters
    ----------
    parts : sequence
        What the runner knows the partitions by; those without rows are left out.
    found : sequence of list of PartFound
        What each says of the partitions of the collection that it joins.
    packing : Packing
    """

    discrete = None

    def __init__(self, parts: Sequence[Any], found: Sequence[list[PartFound]], packing: Packing) -> None:
        joined = [reduce(add, ones) for ones in found]
        kept = [(part, one) for part, one in zip(parts, joined, strict=True) if one.n_rows]
        if not kept:
            raise DataError("`X` must have at least one row; got none in any partition.")
        self.parts = tuple(part for part, _ in kept)
        self.found = tuple(one for _, one in kept)
        self.packing = packing
        self._partitions = [one for ones in found for one in ones]

    @property
    def n_rows(self) -> int:
        return sum(one.n_rows for one in self.found)

    @property
    def n_features(self) -> int:
        return len(self.found[0].n_missing)

    @property
    def total_weight(self) -> float:
        return float(sum(one.total_weight for one in self.found))

    @property
    def n_positive(self) -> int:
        """How many rows have a positive weight."""
        return sum(one.n_positive for one in self.found)

    @property
    def has_missing(self) -> bool:
        return any(one.n_missing.any() for one in self.found)

    def __len__(self) -> int:
        return sum(one.n_blocks for one in self.found)

    def places(self) -> Iterator[tuple[Any, int, int]]:
        """Yield each partition with the numbers of its first row and of its first block among all."""
        start = number = 0
        for part, one in zip(self.parts, self.found, strict=True):
            yield part, start, number
            start, number = start + one.n_rows, number + one.n_blocks

    def require_sound(self, missing: str) -> None:
        """Raise an error where values are infinite, or missing and not to be, or weights are not weights.

        Parameters
        ----------
        missing : {"error", "fiml"}

        Raises
        ------
        MissingValuesError
            With the columns, the number of values, and the first row and partition that has one.
        DataError
            A weight is negative or not finite, or all are zero.
        """
        whole, may = reduce(add, self.found), missing == "fiml"
        if not whole.sound_weights or not whole.total_weight > 0:
            raise DataError("`sample_weight` must be finite, not negative, and positive for some row.")
        bad = whole.n_infinite + (0 if may else whole.n_missing)
        if bad.any():
            raise self._unsound(bad, may)
        if (whole.n_missing == whole.n_rows).any():
            empty = self._named(whole.n_missing == whole.n_rows)
            raise MissingValuesError(
                f"Every column of `X` must have a value; got none in {', '.join(map(repr, empty))}. Leave such columns "
                "out.",
                columns=empty,
                count=whole.n_rows,
            )

    def _named(self, which: Array) -> list[Any]:
        names = self.packing.columns or range(self.n_features)
        return [name for name, one in zip(names, which, strict=True) if one]

    def _unsound(self, bad: IntArray, may_be_missing: bool) -> MissingValuesError:
        columns, kind = self._named(bad > 0), "infinite" if may_be_missing else "missing or infinite"
        counts = [
            int((one.n_infinite + (0 if may_be_missing else one.n_missing)).sum()) for one in self._partitions
        ]
        places = [place for place, count in enumerate(counts) if count]
        before = sum(one.n_rows for one in self._partitions[: places[0]])
        found = self._partitions[places[0]]
        first = (found.first_infinite if may_be_missing else found.first_unknown) or 0
        hint = "" if may_be_missing else ", or take rows as they are with missing='fiml'"
        return MissingValuesError(
            f"Input X contains NaN or infinity: `X` must hold finite numbers; got {int(bad.sum())} values that are "
            f"{kind}, in {', '.join(f'column {name!r}' for name in columns[:5])}, in {len(places)} of "
            f"{len(self._partitions)} partitions; the first in partition {places[0]}, row {before + first} (the "
            f"first of each is 0). Drop those rows or fill the gaps first{hint}.",
            columns=columns,
            rows=[before + first],
            count=int(bad.sum()),
        )

    def block(self, number: int) -> Block:
        raise DataError(
            "Rows on a cluster stay there: only passes read them. Try `Data.select` for some of them."
        )

    def in_memory(self, rows: RowTable, sample_weight: FloatArray | None) -> Blocks:
        blocks = ArrayBlocks.of(rows, sample_weight)
        return with_missing(blocks) if self.has_missing else blocks
