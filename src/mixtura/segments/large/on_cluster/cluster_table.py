"""A table whose parts lie with the workers of a cluster: what is known of it here, and what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, Protocol

import numpy as np

from mixtura._typing import Array, IntArray
from mixtura.core.data import Data
from mixtura.core.protocols import DiscreteColumns
from mixtura.data.packing import PartFound
from mixtura.segments.large.draw_rows import Drawn, SmallestRows, first_bound
from mixtura.segments.large.on_cluster.table_parts import (
    HeldSummary,
    count_rows,
    draw_part,
    ids_of_part,
    summary_of,
)
from mixtura.segments.large.table_reader import NeededColumns, ReadCounts, require_some

__all__ = ["ClusterTable", "PartedTable", "Workers"]


class Workers(Protocol):
    """What has the parts of a table, and computes with them."""

    def each(self, function: Callable[..., Any], *values: Sequence[Any]) -> list[Any]:
        """Return what a function makes of the first of all values, of the second, and so on; workers compute it."""


@dataclass(frozen=True, slots=True, eq=False)
class PartedTable:
    """A table that workers read, each some parts of it.

    Parameters
    ----------
    cluster : Workers
    parts : sequence
        Each a `TablePart`, or what the workers make one of.
    sizes : sequence of int
        Rows of each.
    """

    cluster: Workers
    parts: Sequence[Any]
    sizes: Sequence[int]

    @classmethod
    def counted(
        cls, cluster: Workers, parts: Sequence[Any], sizes: Sequence[int | None], column: str
    ) -> PartedTable:
        """Return a table; parts of unknown size are counted by workers, by one column."""
        unknown = [place for place, size in enumerate(sizes) if size is None]
        counts = cluster.each(count_rows, [parts[place] for place in unknown], [column] * len(unknown))
        known = dict(zip(unknown, counts, strict=True))
        return cls(
            cluster, parts, [known[place] if size is None else size for place, size in enumerate(sizes)]
        )

    @property
    def n_rows(self) -> int:
        return sum(self.sizes)

    @property
    def starts(self) -> list[int]:
        """The number of the first row of each part."""
        return [0, *accumulate(self.sizes)][:-1]

    def drawn(self, columns: Sequence[str], n_rows: int, seed: int) -> Drawn:
        """Return the rows that `draw_rows` draws of the same table."""
        kept = self._drawn(columns, n_rows, seed, first_bound(n_rows, self.n_rows))
        if len(kept) < min(n_rows, self.n_rows):  # hashes were not as even as they should be
            kept = self._drawn(columns, n_rows, seed, np.uint64(2**64 - 1))
        return Drawn(*kept.in_order(), self.n_rows)

    def _drawn(self, columns: Sequence[str], n_rows: int, seed: int, bound: np.uint64) -> SmallestRows:
        kept, n = SmallestRows(n_rows), len(self.parts)
        same = [columns] * n, [n_rows] * n, [bound] * n, [seed] * n
        for found in self.cluster.each(draw_part, self.parts, self.starts, *same):
            for one in found:
                kept.add(*one)
        return kept


@dataclass(frozen=True, eq=False)
class ClusterTable:
    """The columns of a table that are needed, held by workers; see `TableInParts`.

    Parameters
    ----------
    table : PartedTable
    held : sequence
        Of what the workers make a `HeldPart` of, each.
    needed : NeededColumns
        Which they are.
    rows_of : callable
        Returns the usable rows, given what is known of each part of them, the columns of numbers, and what is modeled
        of those with levels.
    """

    table: PartedTable
    held: Sequence[Any]
    needed: NeededColumns
    rows_of: Callable[[list[PartFound], Sequence[str], DiscreteColumns | None], Data]

    @property
    def n_rows(self) -> int:
        return self.table.n_rows

    @cached_property
    def summaries(self) -> list[HeldSummary]:
        """What is known of each part.

        Raises
        ------
        DataError
            No row is usable.
        """
        found = self.table.cluster.each(summary_of, self.held)
        require_some(sum(one.found.n_rows for one in found), self.n_rows, self.needed.reader.columns)
        return found

    @property
    def noticed(self) -> tuple[str, ...]:
        read = ReadCounts(self.needed.reader)
        for one in self.summaries:
            read.merge(one.read)
        return read.notes

    @cached_property
    def _rows(self) -> Data:
        reader = self.needed.reader
        return self.rows_of([one.found for one in self.summaries], reader.numbers.columns, reader.modeled)

    @property
    def described(self) -> Mapping[str, Any]:
        rows: Any = self._rows
        names = (one.name for one in self.needed.described)
        return {name: rows.runner.held(rows.blocks, name) for name in names}

    def data(self) -> Data:
        return self._rows

    def listed(self, rows: IntArray, id_column: str | None) -> tuple[IntArray, list[str]]:
        ends = np.cumsum([one.found.n_rows for one in self.summaries])
        of_part = np.searchsorted(ends, rows, side="right")
        asked: list[tuple[Any, ...]] = []
        for place in np.unique(of_part).tolist():
            inside: Array = rows[of_part == place] - (ends[place - 1] if place else 0)
            whole = self.table.parts[place], self.held[place], inside, id_column, self.table.starts[place]
            asked.append(whole)
        found = self.table.cluster.each(ids_of_part, *zip(*asked, strict=True)) if asked else []
        numbers = [one[0] for one in found] or [np.empty(0, dtype=np.intp)]
        return np.concatenate(numbers), [who for one in found for who in one[1]]

    def release(self) -> None:
        """Nothing of it is in memory here."""
