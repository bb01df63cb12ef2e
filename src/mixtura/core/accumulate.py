"""The passes from which mixtures are learned: sums weighted by responsibilities, computed or given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

import mixtura.core.queries as queries
from mixtura._typing import FloatArray, IntArray, RowArray
from mixtura.core.moments import GATHERED, Moments
from mixtura.core.protocols import Block, Blocks
from mixtura.core.statistics import Statistics
from mixtura.kernels import Components, Kernel, Layout, Outputs, accumulate_parts
from mixtura.kernels.patterns import as_dense

if TYPE_CHECKING:
    from mixtura.expressions.aggregates import Aggregates

__all__ = [
    "AccumulateAbout",
    "AccumulateGiven",
    "CountObserved",
    "EStep",
    "EStepOfSeveral",
    "Summed",
    "accumulate",
    "evaluate",
    "given_observed",
    "pass_work",
    "with_levels",
]

T = TypeVar("T", Statistics, FloatArray, IntArray)

_NOTHING = Outputs()


class Summed(Generic[T]):
    """A pass whose results are added in place by ``+=``."""

    __slots__ = ()

    def add(self, total: T, more: T) -> T:
        total += more
        return total


@dataclass(frozen=True, slots=True, eq=False)
class EStep(Summed[Statistics]):
    """The E-step: the sums of the rows, weighted by the responsibilities that a mixture gives them.

    With ``z_k = L_k (x - mu_k)``, the log densities ``l_k = log w_k + log|L_k| - D/2 log(2 pi) - |z_k|^2 / 2``
    give ``r_k = exp(l_k - log sum_j exp l_j)``.

    Parameters
    ----------
    components : Components
        What the mixture asks of a kernel: `Mixture.components`, computed once per pass.
    kernel : Kernel
    """

    components: Components
    kernel: Kernel

    def __call__(self, block: Block) -> Statistics:
        return accumulate(block, self.components, self.kernel)

    def query(self, *, weighted: bool) -> Aggregates[Statistics]:
        return queries.expectation_query(self.components, weighted=weighted)

    def work(self, blocks: Blocks) -> float:
        return pass_work(self.components.layout, blocks.n_rows, *self.components.means.shape)


@dataclass(frozen=True, slots=True, eq=False)
class EStepOfSeveral:
    """The E-steps of several mixtures in one pass: each block of rows is read once for all of them.

    Parameters
    ----------
    components : tuple of Components
        One per mixture.
    kernel : Kernel
    """

    components: tuple[Components, ...]
    kernel: Kernel

    def __call__(self, block: Block) -> list[Statistics]:
        return [accumulate(block, each, self.kernel) for each in self.components]

    def add(self, total: list[Statistics], more: list[Statistics]) -> list[Statistics]:
        for one, other in zip(total, more, strict=True):
            one += other
        return total

    def work(self, blocks: Blocks) -> float:
        return sum(pass_work(each.layout, blocks.n_rows, *each.means.shape) for each in self.components)


@dataclass(frozen=True, slots=True, eq=False)
class AccumulateGiven(Summed[Statistics]):
    """The sums of rows whose responsibilities or labels are known: the state that the pass is given.

    Without a state all rows belong to one component. Missing values add nothing to moments, see `CountObserved`.

    Parameters
    ----------
    means : ndarray of shape (K, D)
        What the sums are about.
    moments : Moments
        Second moments that a pass can gather.
    kernel : Kernel
    weighted : bool, default=True
        Whether rows count with their sample weights; otherwise each counts once.
    """

    means: FloatArray
    moments: Moments
    kernel: Kernel
    weighted: bool = True

    def __call__(self, block: Block, given: FloatArray | IntArray | None = None) -> Statistics:
        given = np.zeros(block.n_rows, dtype=np.intp) if given is None else given
        given = given if given.ndim == 2 else np.asarray(given, dtype=np.intp)
        weight = block.sample_weight if self.weighted else None
        if block.order is not None:
            statistics = given_observed(block.rows, weight, given, self)
        else:
            statistics = Statistics.zero(self.moments, self.means)
            self.kernel.accumulate_given(
                block.rows, weight, given, self.means, self.moments.layout, statistics.sums
            )
        return with_levels(statistics, block, weight, given, self.kernel)

    def query(self, *, weighted: bool) -> Aggregates[Statistics]:
        return queries.given_query(self.means, self.moments, weighted=weighted and self.weighted)

    def work(self, blocks: Blocks) -> float:
        return pass_work(self.moments.layout, blocks.n_rows, *self.means.shape)


@dataclass(frozen=True, slots=True, eq=False)
class AccumulateAbout(Summed[Statistics]):
    """The sums of `EStep`, but about other means, with any second moments, and without the log-likelihood.

    For components whose means move further than their new widths, as sums about the old means would cancel, and for
    those of another family.

    Parameters
    ----------
    components : Components
        Which give the responsibilities.
    means : ndarray of shape (K, D)
    moments : Moments
        Of the sums.
    kernel : Kernel
    """

    components: Components
    means: FloatArray
    moments: Moments
    kernel: Kernel

    def __call__(self, block: Block) -> Statistics:
        if block.order is not None or self.components.freedom is not None:
            sums = accumulate(block, as_dense(self.components), self.kernel).rebase(self.means)
            return sums.with_moments(self.moments)
        shares = np.empty((block.n_rows, self.components.n_components))
        evaluate(block, self.components, self.kernel, Outputs(memberships=shares))
        return AccumulateGiven(self.means, self.moments, self.kernel)(block, shares)

    def query(self, *, weighted: bool) -> Aggregates[Statistics]:
        return queries.expectation_query(
            self.components, weighted=weighted, means=self.means, moments=self.moments
        )

    def work(self, blocks: Blocks) -> float:
        shape = blocks.n_rows, *self.means.shape
        return pass_work(self.components.layout, *shape) + pass_work(self.moments.layout, *shape)


def accumulate(block: Block, components: Components, kernel: Kernel) -> Statistics:
    """Return the sums of one block, weighted by the responsibilities that components give its rows."""
    statistics, weight = Statistics.zero(GATHERED[components.layout], components.means), block.sample_weight
    vector, k = statistics.sums, components.n_components
    if components.freedom is not None:
        vector = np.zeros(len(vector) + 2 * k)
        statistics = replace(statistics, sums=vector[: -2 * k], tails=vector[-2 * k :].reshape(2, k))
    if block.levels is None or components.table is None:
        evaluate(block, components, kernel, _NOTHING, sums=vector, weight=weight)
        return statistics
    shares = np.empty((block.n_rows, k))
    evaluate(block, components, kernel, Outputs(memberships=shares), sums=vector, weight=weight)
    return with_levels(statistics, block, weight, shares, kernel)


def evaluate(
    block: Block,
    components: Components,
    kernel: Kernel,
    outputs: Outputs,
    *,
    sums: FloatArray | None = None,
    weight: FloatArray | None = None,
    hard: bool = False,
) -> None:
    """Evaluate the rows of a block: what components say of their continuous columns, and of their levels."""
    order, levels = block.order, block.levels
    accumulate_parts(
        kernel, block.rows, weight, components, sums, outputs, hard=hard, order=order, levels=levels
    )


def with_levels(
    statistics: Statistics,
    block: Block,
    weight: FloatArray | None,
    given: FloatArray | IntArray,
    kernel: Kernel,
) -> Statistics:
    """Return the sums of a block with the counts of its levels, where it has some, by label or responsibility."""
    if block.levels is None:
        return statistics
    k = statistics.n_components
    shares = np.asarray(given[:, None] == np.arange(k), dtype=np.float64) if given.ndim == 1 else given
    counts = np.zeros((block.n_levels, k))
    kernel.count_levels(block.levels, weight, np.ascontiguousarray(shares, dtype=np.float64), counts)
    return replace(statistics, levels=counts)


def given_observed(
    rows: RowArray, weight: FloatArray | None, given: FloatArray | IntArray, task: AccumulateGiven
) -> Statistics:
    """Return the sums of `AccumulateGiven` where values are missing, NaN: they add nothing to moments."""
    statistics, missing = Statistics.zero(task.moments, task.means), np.isnan(rows)
    component, alone = np.zeros(len(rows), dtype=np.intp), len(task.means) == 1
    for k, mean in enumerate(task.means):
        share = np.ascontiguousarray(given == k if given.ndim == 1 else given[:, k], dtype=np.float64)
        share = share if weight is None else share * weight
        one = statistics if alone else Statistics.zero(task.moments, task.means[k : k + 1])
        filled = np.where(missing, mean.astype(rows.dtype), rows)
        task.kernel.accumulate_given(filled, share, component, one.means, task.moments.layout, one.sums)
        if not alone:
            statistics.counts[k], statistics.first[k] = one.counts[0], one.first[0]
            statistics.second[k] = one.second[0]
    statistics.sums[1] = len(rows) if weight is None else weight.sum()
    return statistics


@dataclass(frozen=True, slots=True, eq=False)
class CountObserved(Summed[FloatArray]):
    """How many values of each column were observed in each component, weighted, (K, D).

    The state that the pass is given holds labels or responsibilities, as in `AccumulateGiven`.

    Parameters
    ----------
    n_components : int
    weighted : bool, default=True
    """

    n_components: int
    weighted: bool = True

    def __call__(self, block: Block, given: FloatArray | IntArray | None = None) -> FloatArray:
        if given is None and self.n_components == 1 and (block.sample_weight is None or not self.weighted):
            n_missing = np.count_nonzero(np.isnan(block.rows), axis=0)
            return np.asarray(block.n_rows - n_missing[None, :], dtype=np.float64)
        given = np.zeros(block.n_rows, dtype=np.intp) if given is None else given
        shares = given if given.ndim == 2 else (given[:, None] == np.arange(self.n_components)).astype(float)
        if self.weighted and block.sample_weight is not None:
            shares = shares * block.sample_weight[:, None]
        return np.asarray(shares.T @ ~np.isnan(block.rows))

    def work(self, blocks: Blocks) -> float:
        return 2.0 * blocks.n_rows * self.n_components * blocks.n_features


def pass_work(layout: Layout, n_rows: int, n_components: int, n_features: int) -> float:
    """Estimate the floating-point operations of a pass, an exponential counted as 30."""
    per_component = {
        Layout.DENSE: 2.0 * n_features * (n_features + 3),
        Layout.DIAGONAL: 8.0 * n_features,
        Layout.SHARED: 6.0 * n_features,
    }
    return n_rows * n_components * (per_component[layout] + 30.0)
