"""Values of discrete columns that a model has not seen, counted over the parts of a table."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, IntArray
from mixtura.segments.table.complete import known_cells
from mixtura.segments.table.discrete.cells import text_of
from mixtura.segments.table.discrete.coding import Coding

__all__ = ["UnknownValues", "unknown_notes"]


class UnknownValues:
    """How many values of each discrete column a model does not know.

    Parameters
    ----------
    coding : Coding
    """

    def __init__(self, coding: Coding) -> None:
        self._coding = coding
        n_columns = len(coding.columns)
        self.unknown, self.present = np.zeros(n_columns, dtype=np.int64), np.zeros(n_columns, dtype=np.int64)
        self._examples: list[str | None] = [None] * n_columns

    def add(self, levels: IntArray, frame: Any, chosen: Array) -> None:
        """Add some rows of the table.

        Parameters
        ----------
        levels : ndarray of shape (n, J)
            What `Coding.levels` gives of the chosen rows.
        frame : pandas, polars or pyarrow table
            N rows.
        chosen : ndarray of shape (N,), bool
        """
        table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
        for place, (codes, column) in enumerate(zip(levels.T, self._coding.columns, strict=True)):
            if column.kind == "spike":
                continue
            present = known_cells(table[column.name])[chosen]
            unknown = np.flatnonzero(present & (codes == self._coding.discrete.size - 1))
            self.present[place] += present.sum()
            self.unknown[place] += unknown.size
            if unknown.size and self._examples[place] is None:
                self._examples[place] = text_of(table[column.name][int(np.flatnonzero(chosen)[unknown[0]])])

    def merge(self, other: UnknownValues) -> None:
        """Add the rows of another that stand after these."""
        self.unknown += other.unknown
        self.present += other.present
        pairs = zip(self._examples, other._examples, strict=True)
        self._examples = [further if example is None else example for example, further in pairs]

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each column with values that the model has not seen, which count as missing."""
        return tuple(
            f"{column.name}: {unknown:,} of {present:,} values are unknown to the model, such as {example!r}; they "
            "count as missing."
            for column, unknown, present, example in zip(
                self._coding.columns, self.unknown, self.present, self._examples, strict=True
            )
            if unknown
        )


def unknown_notes(coding: Coding, levels: IntArray, frame: Any, chosen: Array) -> tuple[str, ...]:
    """Return the notes of `UnknownValues` on a whole table; parameters as of `UnknownValues.add`."""
    found = UnknownValues(coding)
    found.add(levels, frame, chosen)
    return found.notes
