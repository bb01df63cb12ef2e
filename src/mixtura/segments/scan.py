"""One pass over the rows after the fit: each block is evaluated once, and feeds all statistics of the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.accumulate import evaluate
from mixtura.core.data import Data
from mixtura.core.impute import expected_log_density
from mixtura.core.mixture import Mixture
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.known_labels import without_known_column
from mixtura.core.protocols import Block, Blocks, MixedRows, RowTable, continuous_rows
from mixtura.engine import as_data
from mixtura.kernels import Components, Kernel, Outputs
from mixtura.kernels.patterns import order_of_missing
from mixtura.segments.merging.grouped import Groups, grouped, grouped_labels
from mixtura.segments.transforms.scaling import Scaling
from mixtura.segments.weighted import row_maxima

__all__ = ["FeedSummaries", "Scan", "Scored", "Scores", "Summary", "scan_of"]

R_co = TypeVar("R_co", covariant=True)

_SAMPLE = 4_096
"""Rows that summaries see before the pass, at least half as many where there are as many: to choose bins by."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Some consecutive rows, and what a mixture makes of them.

    Parameters
    ----------
    rows : ndarray of shape (n, D)
        In the user's units; NaN where a value is missing.
    scaling : Scaling
        From these to what the mixture sees.
    weights : ndarray of shape (n,) or None
    start : int
        The number of the first row among all.
    memberships : ndarray of shape (n, K)
        NaN where a row is infinitely far from all components.
    log_density : ndarray of shape (n,)
        Of the scaled rows, in nats; where values are missing, expected of the whole row, see `expected_log_density`.
    labels : ndarray of shape (n,)
        The most probable component, from 0.
    described : mapping of str to ndarray of shape (n,)
        Further columns, which are not evaluated.
    levels : tuple, optional
        Levels of the discrete columns, (n, J), and what is modeled of them.
    """

    rows: FloatArray
    scaling: Scaling
    weights: FloatArray | None
    start: int
    memberships: FloatArray
    log_density: FloatArray
    labels: IntArray
    described: Mapping[str, Array] = field(default_factory=dict)
    levels: tuple[IntArray, DiscreteColumns] | None = None

    @cached_property
    def scaled(self) -> FloatArray:
        """The rows as the mixture sees them, shape (n, D)."""
        return self.scaling.apply(self.rows)

    @cached_property
    def masked(self) -> FloatArray:
        """The same with NaN at point masses, which the Gaussian part of a mixture does not see."""
        return self.scaling.apply(self.scaling.masked(self.rows)) if any(self.scaling.spikes) else self.scaled

    @property
    def seen(self) -> RowTable:
        """The rows as a mixture of the same columns sees them."""
        if self.levels is None:
            return self.masked
        return MixedRows(self.masked, *self.levels)

    @property
    def numbers(self) -> IntArray:
        """The numbers of the rows among all, shape (n,)."""
        return np.arange(self.start, self.start + len(self.rows))

    @cached_property
    def certainty(self) -> FloatArray:
        """The largest membership of each row, shape (n,)."""
        return row_maxima(self.memberships)


class Summary(Protocol[R_co]):
    """A statistic of all rows that is fed block by block, and whose parts can be merged in any order."""

    def add(self, scored: Scored) -> None:
        """Add the rows of a block."""

    def merge(self, other: Self) -> None:
        """Add the rows that another summary of the same kind was fed with."""

    def result(self) -> R_co:
        """Return the statistic of all rows that were added."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What a mixture makes of all rows, kept beside them.

    Parameters
    ----------
    memberships : ndarray of shape (N, K)
    log_density : ndarray of shape (N,)
        Of the scaled rows, in nats.
    labels : ndarray of shape (N,)
    """

    memberships: FloatArray
    log_density: FloatArray
    labels: IntArray

    @classmethod
    def empty(cls, n_rows: int, n_components: int) -> Scores:
        """Return arrays to be filled."""
        return cls(np.empty((n_rows, n_components)), np.empty(n_rows), np.empty(n_rows, dtype=np.intp))

    def in_user_units(self, scaling: Scaling, rows: FloatArray) -> Scores:
        """Return the same with log densities per unit of the user's columns; rows of shape (N, D) are in those.

        Log densities are changed in place.
        """
        self.log_density[:] += scaling.log_jacobian(rows)
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A pass over rows in the user's units that evaluates a mixture of scaled rows and feeds summaries.

    Parameters
    ----------
    mixture : Mixture
        Of scaled rows; K components.
    scaling : Scaling
    data : Data
        N rows in the user's units, with their weights.
    described : mapping of str to ndarray of shape (N,), optional
        Further columns for the summaries.
    groups : tuple of tuple of int, default=()
        The components of each of G segments, whose memberships are then (N, G); empty where each is one.
    """

    mixture: Mixture
    scaling: Scaling
    data: Data
    described: Mapping[str, Array] = field(default_factory=dict)
    groups: Groups = ()

    def run(self, summaries: Sequence[Summary[Any]], scores: Scores | None = None) -> list[Any]:
        """Evaluate all rows once; return the result of each summary.

        Parameters
        ----------
        summaries : sequence of Summary
            Nothing was added to them yet, and nothing will be: each block has copies of them.
        scores : Scores or None, default=None
            Filled with what is found for every row; None to keep nothing.
        """
        return self._reduce(summaries, scores, evaluated=False)

    def again(self, summaries: Sequence[Summary[Any]], scores: Scores) -> list[Any]:
        """Feed summaries with rows that have been evaluated; return the result of each."""
        return self._reduce(summaries, scores, evaluated=True)

    def sample(self, n_rows: int = _SAMPLE) -> Scored:
        """Return some rows from all over the table, evaluated: all of a short one, else at least `n_rows`."""
        numbers = np.arange(0, self.data.n_rows, max(1, self.data.n_rows // n_rows))
        chosen = self.data.mixed_rows(numbers)
        rows = continuous_rows(chosen)
        block = Block(rows, None, 0, 0, order_of_missing(rows))
        if isinstance(chosen, MixedRows):
            block = replace(block, levels=chosen.levels, n_levels=chosen.discrete.size)
        described = [values[numbers] for values in self.described.values()]
        return self._pass((), evaluated=False).score(block, *described)

    def _pass(self, summaries: Sequence[Summary[Any]], *, evaluated: bool) -> FeedSummaries:
        names, components = tuple(self.described), self.mixture.components()
        return FeedSummaries(
            tuple(summaries),
            self.mixture,
            self.scaling,
            self.data.kernel,
            components,
            names,
            evaluated=evaluated,
            groups=self.groups,
        )

    def _reduce(
        self, summaries: Sequence[Summary[Any]], scores: Scores | None, *, evaluated: bool
    ) -> list[Any]:
        kept = () if scores is None else (scores.log_density, scores.memberships, scores.labels)
        states = [self.data.state_of(values) for values in (*self.described.values(), *kept)]
        merged = self.data.reduce(self._pass(summaries, evaluated=evaluated), *states)
        return [summary.result() for summary in merged]


@dataclass(frozen=True, slots=True, eq=False)
class FeedSummaries:
    """Copies of summaries, fed with a block; their sum is to merge them.

    The states are the described columns, then log densities, memberships and labels, where these are kept.

    Parameters
    ----------
    summaries : tuple of Summary
        Nothing was added to them yet.
    mixture : Mixture
        Of scaled rows.
    scaling : Scaling
    kernel : Kernel
    components : Components
        Of the mixture.
    described : tuple of str
        Names of the described columns.
    evaluated : bool, default=False
        Whether the states hold what the mixture makes of the rows.
    groups : tuple of tuple of int, default=()
        The components of each segment.
    """

    summaries: tuple[Summary[Any], ...]
    mixture: Mixture
    scaling: Scaling
    kernel: Kernel
    components: Components
    described: tuple[str, ...] = ()
    evaluated: bool = False
    groups: Groups = ()

    def __call__(self, block: Block, *states: Array) -> list[Summary[Any]]:
        scored = self.score(block, *states)
        found = deepcopy(list(self.summaries))
        for summary in found:
            summary.add(scored)
        return found

    def score(self, block: Block, *states: Array) -> Scored:
        """Return a block evaluated."""
        n_rows, count = block.n_rows, len(self.described)
        log_density, memberships, labels = states[count:] or (
            np.empty(n_rows),
            np.empty((n_rows, len(self.groups) or self.mixture.n_components)),
            np.empty(n_rows, dtype=np.intp),
        )
        described = dict(zip(self.described, states[:count], strict=True))
        rows = np.asarray(block.rows, dtype=np.float64)
        table, levels = self.mixture.levels, None
        if table is not None and block.levels is not None:
            held, columns = without_known_column(block.levels, table.columns)
            levels = None if columns is None else (held, columns)
        scored = Scored(
            rows,
            self.scaling,
            block.sample_weight,
            block.start,
            memberships,
            log_density,
            labels,
            described,
            levels,
        )
        if not self.evaluated:
            self._evaluate(replace(block, rows=scored.masked), scored)
        return scored

    def _evaluate(self, block: Block, scored: Scored) -> None:
        """Fill in what the mixture makes of the rows of a block, which are as it sees them."""
        seen, log_density, memberships = scored.masked, scored.log_density, scored.memberships
        single = np.empty((block.n_rows, self.mixture.n_components)) if self.groups else memberships
        outputs = Outputs(log_density, single, scored.labels)
        order = block.order if seen is scored.scaled else order_of_missing(seen)
        evaluate(replace(block, order=order), self.components, self.kernel, outputs)
        if order is not None:
            log_density += expected_log_density(self.mixture, seen, single)
        if self.groups:
            memberships[:] = grouped(single, self.groups)
            scored.labels[:] = grouped_labels(memberships, noise=self.mixture.background is not None)

    def add(self, total: list[Summary[Any]], more: list[Summary[Any]]) -> list[Summary[Any]]:
        for summary, other in zip(total, more, strict=True):
            summary.merge(other)
        return total

    def work(self, blocks: Blocks) -> float:
        return float("inf")


def scan_of(
    mixture: Mixture,
    scaling: Scaling,
    rows: RowTable,
    weights: FloatArray | None = None,
    *,
    described: Mapping[str, Array] | None = None,
    groups: Groups = (),
) -> Scan:
    """Return a scan of rows, shape (N, D), in the user's units."""
    return Scan(mixture, scaling, as_data(rows, weights), described or {}, groups)
