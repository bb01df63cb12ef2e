"""How many rows models are fitted to: few first, from there on more, in the end all."""

from __future__ import annotations

from copy import copy

import numpy as np

from mixtura.core.data import Data
from mixtura.select.model_search.cost import level_sizes

__all__ = ["Levels"]


class Levels:
    """The levels of one table.

    Parameters
    ----------
    data : Data
        All rows.
    sample_rows : int
        Of a table of more rows models are found on a random sample of so many.
    seed : int
        Of the sample.

    Attributes
    ----------
    most : int
        Rows that models are found on.
    samples : bool
        Whether models are found on a sample, and only the best few iterated to their ends on all rows.
    """

    def __init__(self, data: Data, *, sample_rows: int, seed: int) -> None:
        self.all = data
        self.samples = data.n_rows > sample_rows
        self.most = min(data.n_rows, sample_rows)
        # In random order, so that its first rows are samples too.
        self._chosen = np.random.RandomState(seed).permutation(data.n_rows)[: self.most]
        self._parts: dict[int, Data] = {}

    def path(self, n_parameters: int) -> list[Data]:
        """Return the levels on which a model of so many parameters is found; the last is the sample, or all rows."""
        *fewer, most = level_sizes(self.most, n_parameters)
        return [*(self._part(size) for size in fewer), self._part(most) if self.samples else self.all]

    def _part(self, size: int) -> Data:
        if size not in self._parts:
            self._parts[size] = self.all.select(self._chosen[:size])
        return self._parts[size]

    def for_finding(self) -> Levels:
        """Return what another process needs to find models: the paths asked for so far, and no other rows."""
        other = copy(self)
        kept = self.all.select(np.zeros(1, dtype=np.intp)) if self.samples else self.all.alone()
        parts = {size: part.alone() for size, part in self._parts.items()}
        vars(other).update(all=kept, _chosen=self._chosen[:0], _parts=parts)
        return other
