"""How many components: likelihood-ratio tests whose distribution is drawn from the fitted mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import RowTable
from mixtura.engine import as_data
from mixtura.exceptions import MixturaError, ParameterError
from mixtura.fit import RunEnd, SampleTables, log_likelihood, split_components
from mixtura.fit.loop.state import value_of
from mixtura.select.checked_rows import as_table, counted_weights
from mixtura.select.inference.drawn_samples import sample_like
from mixtura.select.inference.refit import (
    Refit,
    generator,
    map_samples,
    map_together,
    require_free,
    runner_for,
)
from mixtura.select.model_search.cost import refit_seconds
from mixtura.select.model_search.search import search
from mixtura.select.priors import PRIORS, PriorName
from mixtura.validation import (
    PROBABILITY,
    as_seed,
    require,
    require_at_least,
    require_enough,
    sample_size,
)

__all__ = ["BootstrapTest", "LikelihoodRatio", "bootstrap_lrt"]

STARTS = ("splits", "warm")

_ROUNDING = 1e-9
"""What rounding may add to the reciprocal of a level, as a share of it."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LikelihoodRatio:
    """A test of K components against K + 1.

    Parameters
    ----------
    smaller, larger : Mixture
        The fits of K and K + 1 components.
    statistic : float
        ``2 (log L(K + 1) - log L(K))``, in nats.
    p_value : float
        ``(1 + b) / (1 + B)`` where b of B samples gave at least the statistic.
    replicates : ndarray of shape (B,)
        The statistic of each sample drawn from ``smaller``; samples that could not be fitted are left out.
    n_failed : int
        How many were left out.
    """

    smaller: Mixture
    larger: Mixture
    statistic: float
    p_value: float
    replicates: FloatArray
    n_failed: int

    def __repr__(self) -> str:
        return f"<LikelihoodRatio: {self}>"

    def __str__(self) -> str:
        """Say in one line what was tested, and what came out."""
        return (
            f"{self.n_components} against {self.n_components + 1} components, statistic {self.statistic:.4g}, p-value "
            f"{self.p_value:.3g} of {self.replicates.size} samples"
        )

    @property
    def n_components(self) -> int:
        """The smaller number of components, K."""
        return self.smaller.n_components


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BootstrapTest:
    """Tests of 1 component against 2, 2 against 3, and so on, until one does not reject.

    Parameters
    ----------
    tests : tuple of LikelihoodRatio
    covariance_type : str
    level : float
        A test rejects where its p-value is not above this.
    max_components : int
        The most components that would have been fitted.
    """

    tests: tuple[LikelihoodRatio, ...]
    covariance_type: str
    level: float
    max_components: int

    def __repr__(self) -> str:
        return f"<BootstrapTest: {self}>"

    def __str__(self) -> str:
        """Say in one line how many components there are, and each test."""
        tests = "; ".join(map(str, self.tests))
        return f"{self.n_components} components ({self.covariance_type}, level {self.level:g}): {tests}"

    @property
    def mixture(self) -> Mixture:
        """The fit of the smallest number of components that no test rejects."""
        last = self.tests[-1]
        return last.smaller if last.p_value > self.level else last.larger

    @property
    def n_components(self) -> int:
        """The smallest number of components that no test rejects."""
        return self.mixture.n_components

    @property
    def boundary_warning(self) -> str | None:
        """Say so if every test rejects, so that more components may be needed than were allowed; else None."""
        if self.tests[-1].p_value > self.level:
            return None
        return (
            f"Every test rejects: the choice lies on the edge of the search, {self.max_components} components. More "
            f"may be needed: try max_components={2 * self.max_components}."
        )

    def table(self) -> list[dict[str, Any]]:
        """Return a row per test.

        Returns
        -------
        list of dict
            Keys ``n_components`` (K, tested against K + 1), ``statistic``, ``p_value``, ``rejected``, ``n_replicates``
            and ``n_failed``.
        """
        return [
            {
                "n_components": one.n_components,
                "statistic": one.statistic,
                "p_value": one.p_value,
                "rejected": one.p_value <= self.level,
                "n_replicates": int(one.replicates.size),
                "n_failed": one.n_failed,
            }
            for one in self.tests
        ]


def bootstrap_lrt(
    rows: npt.ArrayLike,
    *,
    covariance_type: str = "full",
    max_components: int = 9,
    n_boot: int = 999,
    level: float = 0.05,
    starts: str = "splits",
    n_init: int = 1,
    random_state: int | np.random.RandomState | None = 0,
    sample_weight: npt.ArrayLike | None = None,
    prior: PriorName | float = "floor",
    missing: str = "error",
) -> BootstrapTest:
    """Test how many components there are, one more at a time, by the parametric bootstrap (McLachlan 1987).

    The likelihood ratio of K + 1 components to K does not follow a chi-squared distribution: under K components the
    parameters of the extra one mean nothing. So the distribution is drawn: samples of as many rows come from the fitted
    mixture of K components, both numbers are fitted to each, and the p-value is the share of samples whose
    statistic is at least the one observed. The first K that is not rejected is the answer.

    Parameters
    ----------
    rows : array-like of shape (N, D), or MixedRows
        Mixed ones (`mixtura.segments.mixed_rows`) may have missing values.
    covariance_type : str, default="full"
        Any that `GaussianMixture` takes.
    max_components : int, default=9
        The most components to fit, at least 2.
    n_boot : int, default=999
        Samples per test, B. The smallest possible p-value is ``1 / (B + 1)``, which must not be above the level.
    level : float, default=0.05
        In (0, 1).
    starts : {"splits", "warm"}, default="splits"
        From where K + 1 components are fitted to a sample. ``"warm"`` is mclust's way: from the K + 1 components of the
        rows alone. That often ends in a poor optimum, so that statistics come out too small and tests reject too often;
        ``"splits"`` also starts from the K components fitted to the sample, with each in turn split in two, as is
        done for the rows themselves.
    n_init : int, default=1
        Starts of each fit to the rows, besides the splits.
    random_state : int, RandomState or None, default=0
        Seed of the fits and of every sample; results do not depend on the number of threads.
    sample_weight : array-like of shape (N,), optional
        Taken as counts: samples have as many rows as the weights sum to, rounded.
    prior : {"floor", "conjugate"} or float, default="floor"
        What keeps covariances from collapsing, see `search`.
    missing : {"error", "fiml"}, default="error"
        What NaN in the rows is: an error or a missing value, see `mixtura.GaussianMixture`. Samples lack values as
        rows of the table do.

    Returns
    -------
    BootstrapTest

    Raises
    ------
    ParameterError
        A parameter is out of its range.
    DataError
        Rows or weights that cannot be used; `TooFewRowsError` where the most components are more than the rows.
    MixturaError
        The rows, or all samples of a test, could not be fitted.

    References
    ----------
    McLachlan (1987), On bootstrapping the likelihood ratio test statistic for the number of components in a normal
    mixture, Applied Statistics 36.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.select import bootstrap_lrt
    >>> test = bootstrap_lrt(make_customers(), covariance_type="spherical", n_boot=39)
    >>> for row in test.table():
    ...     print(row["n_components"], round(row["statistic"], 1), row["rejected"])
    1 480.2 True
    2 184.7 True
    3 14.3 False
    >>> test.tests[-1]
    <LikelihoodRatio: 3 against 4 components, statistic 14.34, p-value 0.275 of 39 samples>
    """
    table, seed = as_table(rows, missing), as_seed(random_state)
    weights = counted_weights(sample_weight, table)
    require_free(table)
    family = get_family(covariance_type).name
    _check(max_components, n_boot, level, starts, n_init, prior)
    require_enough(table, weights, max_components)

    def fit(n_components: int) -> Mixture:
        found = search(
            table, components=[n_components], covariance_types=[family], n_init=n_init, random_state=seed,
            sample_weight=weights, prior=prior, missing=missing,
        )  # fmt: skip
        (mixture,) = (one.mixture for one in found.candidates if one.mixture is not None)
        return mixture

    data, n_rows, split = as_data(table, weights), sample_size(table, weights), starts == "splits"
    sampling = _Sampling(data, table, n_rows, Refit(prior), n_boot, split, seed)
    tests, smaller = list[LikelihoodRatio](), fit(1)
    while smaller.n_components < max_components and not (tests and tests[-1].p_value > level):
        tests.append(sampling.compare(smaller, fit(smaller.n_components + 1)))
        smaller = tests[-1].larger
    return BootstrapTest(tuple(tests), family, level, max_components)


@dataclass(frozen=True, slots=True, eq=False)
class _Sampling:
    """The rows, and how samples like them are drawn and fitted."""

    data: Data
    rows: RowTable
    n_rows: int
    refit: Refit
    n_boot: int
    split: bool
    random_state: int

    def compare(self, smaller: Mixture, start: Mixture) -> LikelihoodRatio:
        """Test a mixture against the best of one component more, fitted from a start and from splits."""
        best = self.refit.best(self.data, [start, *split_components(smaller)])
        larger = value_of(best.mixture)
        statistic = 2.0 * (best.log_likelihood - log_likelihood(self.data, smaller))
        drawn = self._drawn(smaller, larger)
        # Weights that are not counts need not sum to a whole number of rows.
        per_row = self.data.total_weight / self.n_rows
        replicates = per_row * np.array([one for one in drawn if one is not None])
        if replicates.size == 0:
            raise MixturaError(
                f"None of {len(drawn)!r} samples drawn from {smaller.n_components!r} components could be fitted. "
                "Try fewer components, or prior='conjugate'."
            )
        p_value = (1 + np.count_nonzero(replicates >= statistic)) / (1 + replicates.size)
        n_failed = len(drawn) - int(replicates.size)
        return LikelihoodRatio(smaller, larger, statistic, float(p_value), replicates, n_failed)

    def _drawn(self, smaller: Mixture, larger: Mixture) -> list[float | None]:
        """Return the statistics of samples, each with a seed of its own."""
        seed = np.random.SeedSequence(self.random_state, spawn_key=(smaller.n_components,))
        shared = (replace(self, data=self.data.alone()), smaller, larger)
        if self.refit.fits_together(self.data, self.rows, larger):
            return map_together(_statistics, shared, seed, self.n_boot, self.data.runner.in_memory())
        n_fits = 2 + (smaller.n_components if self.split else 0)
        one = refit_seconds(larger.family.name, larger.n_components, self.n_rows, self.data.n_features)
        runner = runner_for(self.data, larger)
        return map_samples(_statistic, shared, seed, self.n_boot, runner, one * n_fits)

    def draw_together(
        self, smaller: Mixture, larger: Mixture, seeds: Sequence[np.random.SeedSequence]
    ) -> list[float | None]:
        """Return the statistics of several samples, complete and continuous, which are fitted in two calls."""
        drawn = (smaller.sample(self.n_rows, generator(seed))[0] for seed in seeds)
        tables = SampleTables.of(np.array([*drawn]))
        below = self.refit.best_of_each(self.data, tables, [[smaller]] * len(seeds))
        starts = [self._starts(larger, end) for end in below]
        above = self.refit.best_of_each(self.data, tables, starts)
        return [
            None if one is None or other is None else 2.0 * (other.log_likelihood - one.log_likelihood)
            for one, other in zip(below, above, strict=True)
        ]

    def _starts(self, larger: Mixture, below: RunEnd | None) -> list[Mixture]:
        """Return from where the larger number of components is fitted to a sample, given the fit of the smaller one."""
        return [larger, *(split_components(value_of(below.mixture)) if self.split and below else [])]

    def draw(self, smaller: Mixture, larger: Mixture, seed: np.random.SeedSequence) -> float | None:
        """Return the statistic of one sample from the smaller mixture; None where it cannot be fitted."""
        rows = sample_like(smaller, self.n_rows, self.rows, generator(seed))
        data = self.data.in_memory(rows).alone()
        try:
            below = self.refit.best(data, [smaller])
            above = self.refit.best(data, self._starts(larger, below))
        except MixturaError:
            return None
        return 2.0 * (above.log_likelihood - below.log_likelihood)


def _statistic(shared: tuple[_Sampling, Mixture, Mixture], seed: np.random.SeedSequence) -> float | None:
    """Return the statistic of one sample, in any process."""
    sampling, smaller, larger = shared
    return sampling.draw(smaller, larger, seed)


def _statistics(
    shared: tuple[_Sampling, Mixture, Mixture], seeds: Sequence[np.random.SeedSequence]
) -> list[float | None]:
    """Return the statistics of several samples."""
    sampling, smaller, larger = shared
    return sampling.draw_together(smaller, larger, seeds)


def _check(
    max_components: int, n_boot: int, level: float, starts: str, n_init: int, prior: PriorName | float
) -> None:
    require_at_least("max_components", max_components, 2)
    require_at_least("n_boot", n_boot, 1)
    require_at_least("n_init", n_init, 1)
    require("level", level, PROBABILITY, "Try `level=0.05`.")
    needed = max(1, ceil((1 - _ROUNDING) / level) - 1)
    if n_boot < needed:
        raise ParameterError(
            f"`n_boot` must be at least {needed!r} for `level={level!r}`, as the smallest p-value of B samples is "
            f"1 / (B + 1); got {n_boot!r}. Try `n_boot={needed!r}` or more: no test could reject."
        )
    require("starts", starts, STARTS, "Try `starts='splits'`.")
    require("prior", prior, PRIORS, "Try `prior='floor'`.")
