"""What a column would add to components that others have built, from one pass of sums.

With the responsibilities r of the present components held, EM's lower bound of the log-likelihood (Neal and Hinton
1998) gives ``log f(x_S, x_j) - log f(x_S) >= sum_nk r_nk log f_k(x_nj | x_nS)``, whose maximum follows from the sums of
the rows by component. So the evidence below is never more than what a fit with the column would show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.data import Data
from mixtura.core.moments import DENSE
from mixtura.core.protocols import MixedRows, RowTable, continuous_rows
from mixtura.select.columns.column_groups import ColumnGroup

__all__ = ["Screen"]

_SMALLEST = 1e-8
"""Share of the variance of a column that a component has of it at least."""


@dataclass(frozen=True, eq=False)
class Screen:
    """Sums of all columns by component.

    Parameters
    ----------
    observed : ndarray of shape (K, D)
        Weight of the values that there are.
    total : ndarray of shape (K, D, D)
        Covariances within components.
    counts : ndarray of shape (K,)
    variances : ndarray of shape (D,)
        Of the columns.
    levels : ndarray of shape (L, K) or None
        Weighted counts of the levels of discrete columns.
    table : RowTable
    price : float
        Of a parameter, ``log n``.
    """

    observed: FloatArray
    within: FloatArray
    counts: FloatArray
    variances: FloatArray
    levels: FloatArray | None
    table: RowTable
    price: float

    @classmethod
    def of(
        cls, data: Data, table: RowTable, weights: FloatArray | None, shares: FloatArray, price: float
    ) -> Screen:
        """Gather the sums, given responsibilities of shape (N, K)."""
        rows, k = continuous_rows(table), shares.shape[1]
        counted = shares if weights is None else shares * weights[:, None]
        means = np.repeat(data.mean, k, axis=0)
        partition = data.state_of(np.ascontiguousarray(shares))
        found = data.given(means, DENSE, partition)
        counts = np.maximum(found.counts, np.finfo(np.float64).tiny)
        moved = found.rebase(found.means + found.first / counts[:, None])
        within = moved.second_matrices() / counts[:, None, None]
        levels = None
        if isinstance(table, MixedRows):
            levels = np.zeros((table.discrete.size, k))
            for codes in table.levels.T:
                np.add.at(levels, codes, counted)
        known = np.asarray(~np.isnan(rows), dtype=np.float64)
        variances = data.total.second_matrices()[0].diagonal() / data.total_weight
        return cls(counted.T @ known, within, counts, variances, levels, table, price)

    def log_likelihood(
        self, group: ColumnGroup, building: Sequence[int], predictors: Sequence[int] = ()
    ) -> tuple[float, int]:
        """Return what the components say of a column, given the continuous columns that built them: nats, parameters.

        Of four models of a continuous one that which costs least: means and variances of each component; means of each
        and one regression, on the columns that it follows from or on all; a regression for each.
        """
        log_likelihood, n_parameters = self._levels(group)
        if group.continuous is None:
            return log_likelihood, n_parameters
        j, others = group.continuous, [d for d in building if d != group.continuous]
        k, observed = len(self.counts), self.observed[:, j]
        pooled = np.tensordot(observed, self.within, axes=1) / max(float(observed.sum()), 1e-300)
        models = [
            (self._own(j, observed, self.within[:, j, j]), 2 * k),
            *(
                (self._own(j, observed, np.full(k, _left(pooled, j, each))), k + 1 + len(each))
                for each in (list(predictors), others)
            ),
            (self._own(j, observed, [_left(one, j, others) for one in self.within]), k * (2 + len(others))),
        ]
        best = min(models, key=lambda one: -2.0 * one[0] + one[1] * self.price)
        return log_likelihood + best[0], n_parameters + best[1]

    def bic(self, group: ColumnGroup, building: Sequence[int], predictors: Sequence[int] = ()) -> float:
        """Return the BIC of a column given the components: no less than that of a fit with it."""
        log_likelihood, n_parameters = self.log_likelihood(group, building, predictors)
        return -2.0 * log_likelihood + n_parameters * self.price

    def _own(self, j: int, observed: FloatArray, variances: FloatArray | Sequence[float]) -> float:
        floor = max(_SMALLEST * float(self.variances[j]), np.finfo(np.float64).tiny)
        left = np.maximum(np.asarray(variances), floor)
        return float(-0.5 * observed @ (np.log(2.0 * np.pi * left) + 1.0))

    def _levels(self, group: ColumnGroup) -> tuple[float, int]:
        if not group.discrete or self.levels is None or not isinstance(self.table, MixedRows):
            return 0.0, 0
        columns, total, n_parameters = self.table.discrete, 0.0, 0
        logs = columns.maximize(self.levels)
        for j in group.discrete:
            own = slice(columns.starts[j], columns.starts[j + 1])
            counts = self.levels[own]
            total += float((counts[counts > 0] * logs[own][counts > 0]).sum())
            n_parameters += len(self.counts) * columns.models[j].n_parameters(len(columns.shares[j]))
        return total, n_parameters


def _left(covariance: FloatArray, j: int, others: list[int]) -> float:
    """Return the variance of a column that a regression on others leaves."""
    if not others:
        return float(covariance[j, j])
    slopes = np.linalg.lstsq(covariance[np.ix_(others, others)], covariance[others, j], rcond=None)[0]
    return float(covariance[j, j] - slopes @ covariance[others, j])
