"""Mixtures of some of the columns: searched, or fitted again from components that are near."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.protocols import RowTable
from mixtura.engine import as_data
from mixtura.exceptions import MixturaError
from mixtura.fit import AcceleratedEMStep, FromPartition, Problem, RemainingGain, Settings, continue_fit
from mixtura.select.columns.column_groups import ColumnGroup, take_columns
from mixtura.select.columns.one_distribution import OneDistribution
from mixtura.select.columns.screening import Screen
from mixtura.select.model_search.candidate import Candidate
from mixtura.select.model_search.search import search
from mixtura.select.priors import PriorName, make_prior

__all__ = ["Subset", "SubsetFit", "SubsetModels"]

Subset = frozenset[int]
"""Numbers of groups."""

_FACTORS = (1, 2, 4)
"""Of a single distribution."""

_MAX_ITER, _TOLERANCE = 300, 0.05
"""Iterations of a fit from near components, and nats that it may leave to be gained."""


@dataclass(frozen=True, slots=True, eq=False)
class SubsetFit:
    """A mixture of some columns.

    Parameters
    ----------
    subset : frozenset of int
    mixture : Mixture
    bic : float
        ``-2 log L + p log n``, n the total weight of all rows.
    """

    subset: Subset
    mixture: Mixture
    bic: float


@dataclass(frozen=True, eq=False)
class SubsetModels:
    """All mixtures of columns that a selection looks at; each is found once.

    Parameters
    ----------
    table : RowTable
    weights : ndarray of shape (N,) or None
    groups : tuple of ColumnGroup
    components : tuple of int
        Numbers of components above one.
    covariance_types : tuple of str
    n_init, seed : int
    prior : {"floor", "conjugate"} or float
    rounding : ndarray of shape (D,) or None
    alone : OneDistribution
        What columns are that do not build.
    """

    table: RowTable
    weights: FloatArray | None
    groups: tuple[ColumnGroup, ...]
    components: tuple[int, ...]
    covariance_types: tuple[str, ...]
    n_init: int
    seed: int
    prior: PriorName | float
    rounding: FloatArray | None
    alone: OneDistribution
    _found: dict[tuple[Subset, tuple[int, ...], tuple[str, ...]], tuple[SubsetFit, ...]] = field(
        default_factory=dict, repr=False
    )

    def continuous(self, subset: Iterable[int]) -> Subset:
        """Return the numbers of the continuous columns of some groups."""
        return frozenset(d for g in subset if (d := self.groups[g].continuous) is not None)

    def rows(self, subset: Subset) -> RowTable:
        return take_columns(self.table, (self.groups[g] for g in sorted(subset)))

    def alone_bic(self, group: int, subset: Subset) -> float:
        """Return the BIC of a column that does not build, given those that do."""
        return self.alone.bic(self.groups[group], self.continuous(subset))

    def has_missing(self, subset: Subset) -> bool:
        """Return whether a continuous column of some groups lacks values."""
        return bool(np.isnan(self.alone.rows[:, sorted(self.continuous(subset))]).any())

    def evidence(
        self, group: int, with_it: float, without: float, rest: Subset, beside: Mixture | None = None
    ) -> float:
        """Return ``BIC(model 2) - BIC(model 1)`` of a column: positive where it builds together with others.

        Parameters
        ----------
        group : int
        with_it : float
            BIC of the mixture of the column and the others.
        without : float
            BIC of the mixture of the others.
        rest : frozenset of int
            The others.
        beside : Mixture, optional
            Of the others, for what it says of values that they lack.
        """
        found = without + self.alone_bic(group, rest) - with_it
        if beside is not None and self.has_missing(rest):
            chosen = sorted(self.continuous(rest))
            found += self.alone.correction(self.groups[group], chosen, beside, self.rows(rest))
        if not found > 0:
            return found
        return found - self.alone.residual_gain(self.groups[group], self.continuous(rest))

    def evidence_by_sums(self, group: int, screen: Screen, rest: Subset) -> float:
        """Return the evidence that a column builds, no more than there is, from sums by the components of others."""
        building, own = self.continuous(rest), self.groups[group]
        predictors = self.alone.of_column(own, building).predictors
        return self.evidence(group, screen.bic(own, sorted(building), predictors), 0.0, rest)

    def has_peaks(self, group: int, rest: Subset) -> bool:
        return self.alone.has_peaks(self.groups[group], self.continuous(rest))

    def search(
        self, subset: Subset, sizes: Sequence[int] | None = None, families: Sequence[str] | None = None
    ) -> tuple[SubsetFit, ...]:
        """Return the sound mixtures of some columns, the best first; numbers and families are all by default."""
        sizes = self.components if sizes is None else tuple(sizes)
        families = self.covariance_types if families is None else tuple(families)
        key = subset, sizes, families
        if key not in self._found:
            self._found[key] = self._search(subset, sizes, families)
        return self._found[key]

    def single_bic(self, subset: Subset) -> float:
        """Return the BIC of the best single distribution of some columns: a Gaussian, full, diagonal, or of factors.

        A mixture that cuts a factor of many columns into pieces has to be better than the factor.
        """
        ordered = sorted(subset)
        chain = sum(self.alone_bic(g, frozenset(ordered[:i])) for i, g in enumerate(ordered))
        size = len(self.continuous(subset))
        factors = tuple(f"CCU-{q}" for q in _FACTORS if (size - q) ** 2 >= size + q)
        found = self.search(subset, [1], ("full", "diag", *factors)) if size > 1 else ()
        return min(chain, found[0].bic) if found else chain

    def near(self, subset: Subset, k: int, more: int = 1) -> SubsetFit | None:
        """Return the best mixture of some columns with about as many components; None where there is none."""
        sizes = [one for one in self.components if k - 1 <= one <= k + more]
        found = self.search(subset, sizes or self.components)
        return found[0] if found else None

    def known(self, subset: Subset, k: int) -> SubsetFit | None:
        """Return the best of the mixtures of some columns with about as many components that were searched."""
        sizes = tuple(one for one in self.components if k - 1 <= one <= k + 1)
        return next(iter(self._found.get((subset, sizes, self.covariance_types), ())), None)

    def _search(
        self, subset: Subset, sizes: tuple[int, ...], families: tuple[str, ...]
    ) -> tuple[SubsetFit, ...]:
        try:
            found = search(
                self.rows(subset),
                components=sizes,
                covariance_types=families,
                n_init=self.n_init,
                random_state=self.seed,
                sample_weight=self.weights,
                prior=self.prior,
                missing="fiml",
                rounding=self._rounding(subset),
            )
        except MixturaError:
            return ()
        return tuple(
            sorted((self._fit(subset, one) for one in found.candidates if self._is_sound(one)), key=_bic)
        )

    def _is_sound(self, one: Candidate) -> bool:
        """Return whether a mixture is not an accident: every component has more rows than columns."""
        if one.mixture is None or one.is_degenerate:
            return False
        return bool(one.smallest_share * one.n_rows > one.mixture.n_features)

    def _fit(self, subset: Subset, one: Candidate) -> SubsetFit:
        assert one.mixture is not None, "models that failed are not sound"
        bic = -2.0 * one.log_likelihood + one.n_parameters * self.alone.log_total
        return SubsetFit(subset, one.mixture, bic)

    def responsibilities(self, fit: SubsetFit) -> FloatArray:
        """Return those of all rows, (N, K)."""
        return fit.mixture.responsibilities(self.rows(fit.subset))

    def again(self, subset: Subset, shares: FloatArray, family: str) -> SubsetFit | None:
        """Return the mixture of some columns to which responsibilities lead, (N, K); None where there is none."""
        rows = self.rows(subset)
        data = as_data(rows, self.weights)
        data = data if len(rows) > _FEW_ROWS else data.alone()
        k = shares.shape[1]
        prior = make_prior(self.prior, data.total, k, self._rounding(subset))
        problem = Problem(data, GaussianModel(k, get_family(family), prior, data.discrete))
        stop = RemainingGain(data.total_weight, _TOLERANCE, prior.ridge > 0)
        settings = Settings(stop, _MAX_ITER, step=partial(AcceleratedEMStep, tolerance=_TOLERANCE))
        try:
            begun = FromPartition(shares).prepare(problem, np.random.RandomState(self.seed))(problem)
            mixture = continue_fit(problem, begun.first_mixture(problem), settings).mixture
        except MixturaError:
            return None
        log_likelihood = mixture.log_likelihood(rows, self.weights)
        return SubsetFit(subset, mixture, -2.0 * log_likelihood + mixture.n_parameters * self.alone.log_total)

    def screen(self, shares: FloatArray) -> Screen:
        """Return the sums of all columns by component."""
        data = as_data(self.table, self.weights)
        return Screen.of(data, self.table, self.weights, shares, self.alone.log_total)

    def weighted(self, chosen: FloatArray) -> SubsetModels:
        """Return the same for rows that count as often as given, (N,): a resample, without those that count zero."""
        kept = chosen > 0
        weights = chosen[kept] if self.weights is None else chosen[kept] * self.weights[kept]
        table: RowTable = self.table[kept]
        alone = OneDistribution.of(table, weights)
        return replace(self, table=table, weights=weights, alone=alone, _found={})

    def _rounding(self, subset: Subset) -> FloatArray | None:
        return None if self.rounding is None else self.rounding[sorted(self.continuous(subset))]


_FEW_ROWS = 20_000
"""Rows up to which passes are over before threads have begun."""


def _bic(fit: SubsetFit) -> float:
    return fit.bic
