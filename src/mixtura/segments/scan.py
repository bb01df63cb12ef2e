"""One pass over the rows after the fit: each block is evaluated once, and feeds all statistics of the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import Block, Blocks, Runner
from mixtura.data import ArrayBlocks
from mixtura.kernels import Kernel, Outputs, get_kernel
from mixtura.run import get_runner, limit_blas_threads
from mixtura.segments.transforms.scaling import Scaling
from mixtura.segments.weighted import row_maxima

__all__ = ["Scan", "Scored", "Scores", "Summary", "scan_of"]

R_co = TypeVar("R_co", covariant=True)

_SAMPLE = 4_096
"""Rows that summaries see before the pass, at least half as many where there are as many: to choose bins by."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Some consecutive rows, and what a mixture makes of them.

    Parameters
    ----------
    rows : ndarray of shape (n, D)
        In the user's units.
    scaling : Scaling
        From these to what the mixture sees.
    weights : ndarray of shape (n,) or None
    start : int
        The number of the first row among all.
    memberships : ndarray of shape (n, K)
        NaN where a row is infinitely far from all components.
    log_density : ndarray of shape (n,)
        Of the scaled rows, in nats.
    labels : ndarray of shape (n,)
        The most probable component, from 0.
    described : mapping of str to ndarray of shape (n,)
        Further columns, which are not evaluated.
    """

    rows: FloatArray
    scaling: Scaling
    weights: FloatArray | None
    start: int
    memberships: FloatArray
    log_density: FloatArray
    labels: IntArray
    described: Mapping[str, Array] = field(default_factory=dict)

    @cached_property
    def scaled(self) -> FloatArray:
        """The rows as the mixture sees them, shape (n, D)."""
        return self.scaling.apply(self.rows)

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

    def of(self, span: slice) -> Scores:
        """Return views of some rows."""
        return Scores(self.memberships[span], self.log_density[span], self.labels[span])


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A pass over rows in the user's units that evaluates a mixture of scaled rows and feeds summaries.

    Parameters
    ----------
    mixture : Mixture
        Of scaled rows; K components.
    scaling : Scaling
    kernel : Kernel
    runner : Runner
    described : mapping of str to ndarray of shape (N,), optional
        Further columns for the summaries.
    """

    mixture: Mixture
    scaling: Scaling
    kernel: Kernel
    runner: Runner
    described: Mapping[str, Array] = field(default_factory=dict)

    def run(
        self, blocks: Blocks, summaries: Sequence[Summary[Any]], scores: Scores | None = None
    ) -> list[Any]:
        """Evaluate all rows once; return the result of each summary.

        Parameters
        ----------
        blocks : Blocks
            N rows in the user's units, with their weights.
        summaries : sequence of Summary
            Nothing was added to them yet, and nothing will be: each block has copies of them.
        scores : Scores or None, default=None
            Filled with what is found for every row; None to keep nothing.
        """
        return self._reduce(blocks, summaries, scores, evaluated=False)

    def again(self, blocks: Blocks, summaries: Sequence[Summary[Any]], scores: Scores) -> list[Any]:
        """Feed summaries with rows that have been evaluated; return the result of each."""
        return self._reduce(blocks, summaries, scores, evaluated=True)

    def sample(self, blocks: Blocks) -> Scored:
        """Return some rows from all over the table, evaluated: all of a short one."""
        numbers = np.arange(0, blocks.n_rows, max(1, blocks.n_rows // _SAMPLE))
        block = Block(blocks.take(numbers), None, slice(0, numbers.size))
        described = {name: values[numbers] for name, values in self.described.items()}
        return self._scored(block, described, Scores.empty(numbers.size, self.mixture.n_components))

    def _reduce(
        self, blocks: Blocks, summaries: Sequence[Summary[Any]], scores: Scores | None, *, evaluated: bool
    ) -> list[Any]:
        def one(block: Block) -> list[Summary[Any]]:
            k = self.mixture.n_components
            kept = Scores.empty(len(block.rows), k) if scores is None else scores.of(block.span)
            described = {name: values[block.span] for name, values in self.described.items()}
            scored = self._scored(block, described, kept, evaluated=evaluated)
            found = deepcopy(list(summaries))
            for summary in found:
                summary.add(scored)
            return found

        with limit_blas_threads(self.kernel.name == "numpy"):
            merged = self.runner.reduce(blocks, one, _merged)
        return [summary.result() for summary in merged]

    def _scored(
        self, block: Block, described: Mapping[str, Array], kept: Scores, *, evaluated: bool = False
    ) -> Scored:
        scored = Scored(
            rows=np.asarray(block.rows, dtype=np.float64),
            scaling=self.scaling,
            weights=block.sample_weight,
            start=block.span.start,
            memberships=kept.memberships,
            log_density=kept.log_density,
            labels=kept.labels,
            described=described,
        )
        if not evaluated:
            outputs = Outputs(kept.log_density, kept.memberships, kept.labels)
            self.kernel.accumulate(scored.scaled, None, self.mixture.components(), None, outputs)
        return scored


def _merged(total: list[Summary[Any]], more: list[Summary[Any]]) -> list[Summary[Any]]:
    for summary, other in zip(total, more, strict=True):
        summary.merge(other)
    return total


def scan_of(
    mixture: Mixture,
    scaling: Scaling,
    rows: FloatArray,
    weights: FloatArray | None = None,
    *,
    described: Mapping[str, Array] | None = None,
) -> tuple[Scan, Blocks]:
    """Return a scan on this machine, and the blocks of the rows, shape (N, D), in the user's units."""
    kernel = get_kernel(n_features=mixture.n_features)
    return Scan(mixture, scaling, kernel, get_runner(), described or {}), ArrayBlocks(rows, weights)
