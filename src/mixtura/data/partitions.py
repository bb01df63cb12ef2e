"""Rows that a cluster holds: partitions in the memory of its workers, and the blocks that they are cut into."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.protocols import Block, Blocks, DiscreteColumns, RowTable
from mixtura.data.arrays import ArrayBlocks
from mixtura.data.missing import with_missing
from mixtura.data.packing import PackedRows, Packing, PartFound
from mixtura.exceptions import DataError, MissingValuesError

__all__ = ["JoinedRows", "PartitionedBlocks"]


@dataclass(frozen=True, slots=True, eq=False)
class JoinedRows:
    """Partitions that stand one after the other with one worker, which computes on them in one go; nothing is copied.

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

    def numbers(self, dtype: npt.DTypeLike, columns: int, fill: float) -> Array:
        return np.full((self.n_rows, columns) if columns else self.n_rows, fill, dtype=dtype)

    def in_memory(self, rows: RowTable, sample_weight: FloatArray | None) -> Blocks:
        return self._parts[0].in_memory(rows, sample_weight)


class PartitionedBlocks:
    """Blocks of rows that stay on a cluster; the driver knows how many there are.

    Parameters
    ----------
    parts : sequence
        What the runner knows the partitions by; those without rows are left out.
    found : sequence of list of PartFound
        What each says of the partitions of the collection that it joins.
    packing : Packing
    discrete : DiscreteColumns, optional
        What is modeled of the columns with levels that they have, too.
    """

    def __init__(
        self,
        parts: Sequence[Any],
        found: Sequence[list[PartFound]],
        packing: Packing,
        discrete: DiscreteColumns | None = None,
    ) -> None:
        joined = [reduce(add, ones) for ones in found]
        kept = [(part, one) for part, one in zip(parts, joined, strict=True) if one.n_rows]
        if not kept:
            raise DataError("`X` must have at least one row; got none in any partition.")
        self.parts = tuple(part for part, _ in kept)
        self.found = tuple(one for _, one in kept)
        self.packing, self.discrete = packing, discrete
        self._pieces = dict(zip(parts, found, strict=True))
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

    def pieces(self) -> dict[Any, list[tuple[int, int] | None]]:
        """Return for each part where each of its pieces begins: the numbers of its first row and first block.

        It is None for a piece without rows.
        """
        places: dict[Any, list[tuple[int, int] | None]] = {}
        start = number = 0
        for part, pieces in self._pieces.items():
            places[part] = []
            for one in pieces:
                places[part].append((start, number) if one.n_rows else None)
                start, number = start + one.n_rows, number + one.n_blocks
        return places

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

    def numbers(self, dtype: npt.DTypeLike, columns: int, fill: float) -> Array:
        raise DataError("Numbers per row of a cluster stay there. Try `Data.state`.")

    def in_memory(self, rows: RowTable, sample_weight: FloatArray | None) -> Blocks:
        blocks = ArrayBlocks.of(rows, sample_weight)
        return with_missing(blocks) if self.has_missing else blocks
