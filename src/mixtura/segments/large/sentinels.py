"""Numbers that stand for missing values in columns of a source, found in one pass."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.data.sources import Source, read_ahead
from mixtura.segments.large.row_reader import RowReader
from mixtura.segments.table.survey.sentinel import SENTINELS, Sentinel, is_apart

__all__ = ["find_sentinels"]


class _End:
    """The smallest value of a column, how often it stands there, and the next one; negated, the largest."""

    def __init__(self) -> None:
        self.value = self.next = np.inf
        self.count = 0

    def add(self, values: FloatArray) -> None:
        """Add values without NaN, at least one."""
        least = float(values.min())
        others = values[values != least] if least in SENTINELS or -least in SENTINELS else values[:0]
        following = float(others.min()) if others.size else np.inf
        count = int(np.count_nonzero(values == least))
        if least < self.value:
            self.value, self.count, self.next = least, count, min(self.value, following)
        elif least == self.value:
            self.count, self.next = self.count + count, min(self.next, following)
        else:
            self.next = min(self.next, least)


def find_sentinels(source: Source, reader: RowReader) -> list[Sentinel]:
    """Return which columns hold a number that stands for missing values, by the rule of `open_table`.

    Parameters
    ----------
    source : Source
        Read once.
    reader : RowReader
        Of columns of numbers.
    """
    columns = reader.columns
    ends = [(_End(), _End()) for _ in columns]
    counts = np.zeros(len(columns), dtype=np.int64)
    with read_ahead(source.batches(columns)) as batches:
        for batch in batches:
            for d, values in enumerate(reader(batch).T):
                known = values[~np.isnan(values)]
                if known.size:
                    counts[d] += known.size
                    ends[d][0].add(known)
                    ends[d][1].add(-known)
    found = []
    for name, (low, high), count in zip(columns, ends, counts.tolist(), strict=True):
        value = _sentinel(low, high, count)
        if value is not None:
            found.append(Sentinel(name, *value))
    return found


def _sentinel(low: _End, high: _End, count: int) -> tuple[float, int] | None:
    for value, times, others in (
        (low.value, low.count, (low.next, -high.value)),
        (-high.value, high.count, (low.value, -high.next)),
    ):
        if value in SENTINELS and is_apart(value, times, count - times, others):
            return value, times
    return None
