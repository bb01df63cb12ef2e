"""Columns that describe segments, read in parts by what a sample has shown of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array
from mixtura.segments.large.row_reader import column_numbers
from mixtura.segments.profiles.profile_columns import MISSING, OTHER, Categories, Numbers
from mixtura.segments.table.discrete.cells import texts_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DescribedColumn", "described_columns"]


@dataclass(frozen=True, slots=True, eq=False)
class DescribedColumn:
    """A column that describes.

    Parameters
    ----------
    name : str
    levels : tuple of str or None
        None for a column of numbers. A column of words has all that were frequent in the sample, then `OTHER` and
        `MISSING`.
    codes : mapping of str to int, optional
        From the texts of cells to levels.
    """

    name: str
    levels: tuple[str, ...] | None = None
    codes: Mapping[str, int] | None = None

    @property
    def dtype(self) -> type:
        return np.float64 if self.levels is None else np.intp

    def values(self, batch: pa.RecordBatch) -> Array:
        """Return numbers, NaN where there is none, or codes of levels, (n,)."""
        if self.levels is None or self.codes is None:
            return column_numbers(batch, self.name)
        import pyarrow as pa

        column: nw.Series[Any] = nw.from_native(
            pa.chunked_array([batch.column(batch.schema.names.index(self.name))]), series_only=True
        )
        other, missing = len(self.levels) - 2, len(self.levels) - 1
        known = self.codes
        return np.array(
            [missing if text is None else known.get(text, other) for text in texts_of(column)], dtype=np.intp
        )


def described_columns(
    numbers: Sequence[Numbers], levels: Sequence[Categories], active: Sequence[str]
) -> list[DescribedColumn]:
    """Return the columns that only describe, as they are read of all rows, from those of a sample.

    Parameters
    ----------
    numbers : sequence of Numbers
    levels : sequence of Categories
    active : sequence of str
        Names of those that build, which are read anyway.
    """
    found = [DescribedColumn(one.name) for one in numbers if one.name not in active]
    for one in levels:
        shown = [level for level in one.levels if level not in {OTHER, MISSING}]
        known = {_text(level): code for code, level in enumerate(shown)}
        found.append(DescribedColumn(one.name, (*shown, OTHER, MISSING), known))
    return found


def _text(level: str) -> str:
    """Return the text of cells of a level, which is quoted where it could be taken for the rest."""
    return level[1:-1] if level in {repr(OTHER), repr(MISSING)} else level
