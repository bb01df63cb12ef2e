"""How many rows models are fitted to: few first, from there on more, in the end all."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from mixtura._typing import FloatArray, RowArray
from mixtura.core.protocols import Runner
from mixtura.core.statistics import Statistics
from mixtura.data import ArrayBlocks
from mixtura.fit import describe_rows
from mixtura.kernels import Kernel, Layout
from mixtura.select.model_search.cost import level_sizes

__all__ = ["Level", "Levels"]


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """Rows that models are fitted to, and their total scatter."""

    blocks: ArrayBlocks
    total: Statistics

    @classmethod
    def of(cls, rows: RowArray, weights: FloatArray | None, kernel: Kernel, runner: Runner) -> Level:
        blocks = ArrayBlocks(rows, weights)
        return cls(blocks, describe_rows(blocks, kernel, runner, Layout.DENSE))


class Levels:
    """The levels of one table.

    Parameters
    ----------
    rows : ndarray of shape (N, D), float64 or float32, C-contiguous
    weights : ndarray of shape (N,), optional
    kernel : Kernel
    runner : Runner
    sample_rows : int
        Of a table of more rows models are found on a random sample of so many.
    seed : int
        Of the sample.

    Attributes
    ----------
    all : Level
        All rows.
    n_rows, n_features : int
    most : int
        Rows that models are found on.
    samples : bool
        Whether models are found on a sample, and only the best few iterated to their ends on all rows.
    """

    def __init__(
        self,
        rows: RowArray,
        weights: FloatArray | None,
        kernel: Kernel,
        runner: Runner,
        *,
        sample_rows: int,
        seed: int,
    ) -> None:
        self.n_rows, self.n_features = int(rows.shape[0]), int(rows.shape[1])
        self.samples = self.n_rows > sample_rows
        self.all = Level.of(rows, weights, kernel, runner)
        self.most = min(self.n_rows, sample_rows)
        self._kernel, self._runner = kernel, runner
        # In random order, so that its first rows are samples too.
        chosen = np.random.RandomState(seed).permutation(self.n_rows)[: self.most]
        self._sample = rows[chosen], None if weights is None else weights[chosen]
        self._parts: dict[int, Level] = {}

    def path(self, n_parameters: int) -> list[Level]:
        """Return the levels on which a model of so many parameters is found; the last is the sample, or all rows."""
        *fewer, most = level_sizes(self.most, n_parameters)
        return [*(self._part(size) for size in fewer), self._part(most) if self.samples else self.all]

    def _part(self, size: int) -> Level:
        if size not in self._parts:
            rows, weights = self._sample
            some = rows[:size], None if weights is None else weights[:size]
            self._parts[size] = Level.of(*some, self._kernel, self._runner)
        return self._parts[size]

    def for_finding(self) -> Levels:
        """Return what another process needs to find models: the paths asked for so far, and no other rows."""
        other = copy(self)
        rows, weights = self._sample
        few = ArrayBlocks(rows[:1], None if weights is None else weights[:1])
        kept = replace(self.all, blocks=few) if self.samples else self.all
        vars(other).update(all=kept, _sample=(rows[:0], None))
        return other
