"""The model of a column that does not build the components: a regression on those that do, or a distribution alone.

A continuous column that follows from others is ``x_j = a + b' x_R + e`` with a subset R of the columns that build the
components, chosen stepwise (Maugis, Celeux and Martin-Magniette 2009); without any R it is independent of them. The
residual e is Gaussian, or has any distribution of a single peak: components are not there to make a skewed column. A
discrete column is independent, with one distribution of its levels.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import log

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import MixedRows, RowTable, continuous_rows
from mixtura.exceptions import MixturaError
from mixtura.select.columns.column_groups import ColumnGroup
from mixtura.select.columns.single_peak import count_peaks, single_peak_gain
from mixtura.select.model_search.search import search

__all__ = ["Alternative", "OneDistribution"]

_SMALLEST = 1e-8
"""Share of the variance of a column that others leave of it at least: the floor of covariances."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """What a column is, if it does not build the components.

    Parameters
    ----------
    log_likelihood : float
        Of its values given the columns that it follows from, in nats.
    n_parameters : int
    predictors : tuple of int
        Numbers of the continuous columns that it follows from.
    explained : float
        Share of its variance that these explain, R squared.
    """

    log_likelihood: float
    n_parameters: int
    predictors: tuple[int, ...] = ()
    explained: float = 0.0


@dataclass(frozen=True, eq=False)
class OneDistribution:
    """The rows as one Gaussian sees them, from which every regression follows.

    Parameters
    ----------
    table : RowTable
    weights : ndarray of shape (N,) or None
    mean : ndarray of shape (D,)
    covariance : ndarray of shape (D, D)
    """

    table: RowTable
    weights: FloatArray | None
    mean: FloatArray
    covariance: FloatArray
    _found: dict[tuple[ColumnGroup, frozenset[int]], Alternative] = field(default_factory=dict, repr=False)
    _gains: dict[tuple[int, tuple[int, ...]], tuple[float, int]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, table: RowTable, weights: FloatArray | None) -> OneDistribution:
        """Estimate the Gaussian; where values are missing by maximum likelihood of what was observed."""
        rows = continuous_rows(table)
        counted = np.ones(len(rows)) if weights is None else weights
        if np.isnan(rows).any():
            one = search(
                rows, components=[1], covariance_types="full", sample_weight=weights, missing="fiml"
            ).best.mixture
            if one is None:
                raise MixturaError("One Gaussian could not be fitted to the columns. Leave some of them out.")
            return cls(table, weights, one.means[0], one.full_covariances()[0])
        mean = np.average(rows, axis=0, weights=counted)
        apart = (rows - mean) * np.sqrt(counted)[:, None]
        return cls(table, weights, mean, apart.T @ apart / counted.sum())

    @property
    def rows(self) -> FloatArray:
        return continuous_rows(self.table)

    @property
    def counted(self) -> FloatArray:
        """Weights of the rows, (N,)."""
        return np.ones(len(self.table)) if self.weights is None else self.weights

    @property
    def log_total(self) -> float:
        """Logarithm of the total weight, the price of a parameter."""
        return log(float(self.counted.sum()))

    def of_column(self, group: ColumnGroup, building: frozenset[int]) -> Alternative:
        """Return the best model of a column that does not build, given the continuous columns that do."""
        key = group, building
        if key not in self._found:
            self._found[key] = self._alternative(group, sorted(building))
        return self._found[key]

    def bic(self, group: ColumnGroup, building: frozenset[int]) -> float:
        """Return its BIC, ``-2 log L + p log n``, with Gaussian residuals."""
        found = self.of_column(group, building)
        return -2.0 * found.log_likelihood + found.n_parameters * self.log_total

    def residual_gain(self, group: ColumnGroup, building: frozenset[int]) -> float:
        """Return by how much BIC falls where the residuals have another distribution of a single peak."""
        if group.continuous is None:
            return 0.0
        key = group.continuous, self.of_column(group, building).predictors
        if key not in self._gains:
            self._gains[key] = single_peak_gain(*self._residuals(*key), self.log_total)
        gain, n_parameters = self._gains[key]
        return 2.0 * gain - n_parameters * self.log_total

    def correction(self, group: ColumnGroup, building: list[int], beside: Mixture, rows: RowTable) -> float:
        """Return what BIC changes by where the columns that build lack values, of which their mixture knows more.

        The column that follows from them makes a mixture of one column more, ``mu_kj = a + b' mu_k`` with the variance
        ``b' Sigma_k b + s^2``, whose density of what was observed less that of the others is exact.

        Parameters
        ----------
        group : ColumnGroup
        building : list of int
            The continuous columns of the mixture, in its order.
        beside : Mixture
            Of the columns that build.
        rows : RowTable
            Those columns.
        """
        found = self.of_column(group, frozenset(building))
        if group.continuous is None or not found.predictors:
            return 0.0
        j, slopes = group.continuous, np.zeros(len(building))
        slopes[[building.index(d) for d in found.predictors]] = self._slopes(j, found.predictors)
        variance = self._residual_variance(j, found.predictors)
        more = _with_regression(beside, slopes, self.mean[j] - slopes @ self.mean[building], variance)
        joined = np.column_stack([continuous_rows(rows), self.rows[:, j]])
        both = MixedRows(joined, rows.levels, rows.discrete) if isinstance(rows, MixedRows) else joined
        exact = more.log_likelihood(both, self.counted) - beside.log_likelihood(rows, self.counted)
        return -2.0 * (exact - self._gaussian(j, found.predictors))

    def has_peaks(self, group: ColumnGroup, building: frozenset[int]) -> bool:
        """Return whether what a column has that others do not explain has several peaks."""
        if group.continuous is None:
            return False
        predictors = self.of_column(group, building).predictors
        return count_peaks(*self._residuals(group.continuous, predictors)) > 1

    def _alternative(self, group: ColumnGroup, building: list[int]) -> Alternative:
        log_likelihood, n_parameters = self._levels(group)
        if group.continuous is None:
            return Alternative(log_likelihood, n_parameters)
        j = group.continuous
        predictors = self._predictors(j, [d for d in building if d != j])
        gaussian = self._gaussian(j, predictors)
        left = self._residual_variance(j, predictors) / max(self.covariance[j, j], np.finfo(np.float64).tiny)
        return Alternative(
            log_likelihood + gaussian,
            n_parameters + len(predictors) + 2,
            predictors,
            float(1.0 - left),
        )

    def _predictors(self, j: int, building: list[int]) -> tuple[int, ...]:
        """Return the columns of the regression, added and removed one at a time while the criterion falls.

        A column costs ``log n + 2 log p``: the best of p is more than a column by chance (Chen and Chen 2008).
        """
        n = float(self.counted @ ~np.isnan(self.rows[:, j]))
        price = self.log_total + 2.0 * log(max(len(building), 1))

        def criterion(chosen: tuple[int, ...]) -> float:
            return n * log(self._residual_variance(j, chosen)) + len(chosen) * price

        chosen: tuple[int, ...] = ()
        best = criterion(chosen)
        for _ in range(2 * len(building)):
            added = [(*chosen, d) for d in building if d not in chosen]
            removed = [tuple(d for d in chosen if d != out) for out in chosen]
            steps = [(criterion(one), one) for one in (*added, *removed)]
            if not steps or min(steps)[0] >= best - 1e-9:
                break
            best, chosen = min(steps)
        return tuple(sorted(chosen))

    def _slopes(self, j: int, predictors: tuple[int, ...]) -> FloatArray:
        inside = self.covariance[np.ix_(predictors, predictors)]
        return np.asarray(np.linalg.lstsq(inside, self.covariance[list(predictors), j], rcond=None)[0])

    def _residual_variance(self, j: int, predictors: tuple[int, ...]) -> float:
        own = float(self.covariance[j, j])
        if not predictors:
            return max(own, np.finfo(np.float64).tiny)
        explained = float(self._slopes(j, predictors) @ self.covariance[list(predictors), j])
        return max(own - explained, _SMALLEST * own, np.finfo(np.float64).tiny)

    def _gaussian(self, j: int, predictors: tuple[int, ...]) -> float:
        """Return the log-likelihood of a column given what is observed of the columns that it follows from."""
        variance = self._residual_variance(j, predictors)
        if not np.isnan(self.rows[:, [*predictors, j]]).any():
            return float(-0.5 * self.counted.sum() * (log(2.0 * np.pi * variance) + 1.0))
        joint = self._joint(j, predictors, variance)
        found = joint.log_likelihood(self.rows[:, [*predictors, j]], self.counted)
        if predictors:
            others = joint.marginal(range(len(predictors)))
            found -= others.log_likelihood(self.rows[:, list(predictors)], self.counted)
        return float(found)

    def _joint(self, j: int, predictors: tuple[int, ...], variance: float) -> Mixture:
        chosen = list(predictors)
        slopes = self._slopes(j, predictors) if chosen else np.empty(0)
        inside = self.covariance[np.ix_(chosen, chosen)]
        cross = inside @ slopes
        own = np.array([[variance + slopes @ cross]])
        covariance = np.block([[inside, cross[:, None]], [cross[None, :], own]]) if chosen else own
        return Mixture.from_parameters([1.0], self.mean[None, [*chosen, j]], covariance[None])

    def _residuals(self, j: int, predictors: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
        """Return what a regression leaves of the values that there are, (n,), and their weights.

        Missing values of the columns that it follows from are their means.
        """
        known = ~np.isnan(self.rows[:, j])
        left = self.rows[known, j] - self.mean[j]
        if predictors:
            apart = self.rows[known][:, list(predictors)] - self.mean[list(predictors)]
            left = left - np.nan_to_num(apart) @ self._slopes(j, predictors)
        return left, self.counted[known]

    def _levels(self, group: ColumnGroup) -> tuple[float, int]:
        """Return the log-likelihood and the parameters of one distribution of the levels of a column."""
        if not group.discrete or not isinstance(self.table, MixedRows):
            return 0.0, 0
        table, columns = self.table, self.table.discrete
        counts = np.zeros((columns.size, 1))
        for j in group.discrete:
            counts[:, 0] += np.bincount(table.levels[:, j], self.counted, minlength=columns.size)
        counts[-1] = 0.0
        logs = columns.maximize(counts)
        present = counts[:, 0] > 0
        sizes = [columns.models[j].n_parameters(len(columns.shares[j])) for j in group.discrete]
        return float(counts[present, 0] @ logs[present, 0]), sum(sizes)


def _with_regression(mixture: Mixture, slopes: FloatArray, intercept: float, variance: float) -> Mixture:
    """Return the mixture with a further column that is a regression on the others in every component."""
    covariances = mixture.full_covariances()
    cross = covariances @ slopes
    own = (cross @ slopes + variance)[:, None, None]
    means = np.column_stack([mixture.means, intercept + mixture.means @ slopes])
    joined = np.block([[covariances, cross[:, :, None]], [cross[:, None, :], own]])
    found = Mixture.from_parameters(mixture.weights, means, joined)
    return replace(found, levels=mixture.levels)
