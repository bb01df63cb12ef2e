"""How sure the parameters are: standard errors and intervals by the bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import MixedRows, RowTable
from mixtura.engine import as_data
from mixtura.exceptions import DataError, MixturaError, ParameterError
from mixtura.select.checked_rows import as_table, counted_weights
from mixtura.select.inference.drawn_samples import KINDS, Sample
from mixtura.select.inference.match_components import match_components
from mixtura.select.inference.refit import Refit, map_samples, require_free, runner_for
from mixtura.select.model_search.cost import refit_seconds
from mixtura.select.priors import PRIORS, PriorName
from mixtura.validation import (
    PROBABILITY,
    as_seed,
    require,
    require_at_least,
    require_enough,
)

__all__ = ["BootstrapParameters", "Parameters", "bootstrap_parameters"]

_TOLERANCE = 1e-4
"""Samples are fitted from the mixture: one that stops early stays near it, and errors come out too small."""


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """Numbers in the shape of a mixture's parameters: estimates, their errors, or ends of intervals.

    Parameters
    ----------
    weights : ndarray of shape (K,)
    means : ndarray of shape (K, D)
        In units of the data.
    covariances : ndarray of shape (K, D, D)
        In squared units of the data.
    levels : ndarray of shape (K, L) or None, default=None
        Probabilities of the levels of all discrete columns, one column after the other, where there are some.
    """

    weights: FloatArray
    means: FloatArray
    covariances: FloatArray
    levels: FloatArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BootstrapParameters:
    """The parameters of a mixture, and what they became in every sample.

    Parameters
    ----------
    mixture : Mixture
        Fitted to the rows.
    kind : str
        How samples came about.
    weights : ndarray of shape (B, K)
    means : ndarray of shape (B, K, D)
    covariances : ndarray of shape (B, K, D, D)
        Of the samples that could be fitted, component by component those of the mixture.
    n_failed : int
        How many samples could not be fitted, or only after a component was repaired; they are left out.
    n_renumbered : int
        In how many samples components had changed places and were put back.
    levels : ndarray of shape (B, K, L) or None, default=None
        Probabilities of the levels of all discrete columns.
    """

    mixture: Mixture
    kind: str
    weights: FloatArray = field(repr=False)
    means: FloatArray = field(repr=False)
    covariances: FloatArray = field(repr=False)
    n_failed: int
    n_renumbered: int
    levels: FloatArray | None = field(default=None, repr=False)

    @property
    def n_samples(self) -> int:
        """Number of samples B that were fitted."""
        return int(self.weights.shape[0])

    @property
    def estimates(self) -> Parameters:
        """The parameters of the mixture itself."""
        return _parameters_of(self.mixture)

    @property
    def standard_errors(self) -> Parameters:
        """Standard deviations over the samples (with B - 1 below)."""
        return self._each(lambda values: values.std(axis=0, ddof=1))

    @property
    def biases(self) -> Parameters:
        """Means over the samples less the estimates."""
        at = self.estimates
        return Parameters(
            self.weights.mean(axis=0) - at.weights,
            self.means.mean(axis=0) - at.means,
            self.covariances.mean(axis=0) - at.covariances,
            None if self.levels is None else self.levels.mean(axis=0) - at.levels,
        )

    def intervals(self, level: float = 0.95) -> tuple[Parameters, Parameters]:
        """Return the lower and upper ends of percentile intervals.

        Parameters
        ----------
        level : float, default=0.95
            Share of the samples inside, in (0, 1).

        Raises
        ------
        ParameterError
            The level is out of its range.
        """
        require("level", level, PROBABILITY, "Try `level=0.95`.")
        low = self._each(lambda values: np.quantile(values, (1 - level) / 2, axis=0))
        return low, self._each(lambda values: np.quantile(values, (1 + level) / 2, axis=0))

    def table(self, level: float = 0.95) -> list[dict[str, Any]]:
        """Return a row per parameter.

        Parameters
        ----------
        level : float, default=0.95
            Of the intervals.

        Returns
        -------
        list of dict
            Keys ``component``, ``parameter`` ("weight", "mean", "covariance" or "level"), ``row`` and ``column``
            (numbers of the columns of the data that it belongs to; of a level those of the discrete column and of the
            level; None where it has none), ``estimate``, ``standard_error``, ``low`` and ``high``. Of a covariance
            matrix the lower half is listed, of a level its probability.
        """
        low, high = self.intervals(level)
        parts = (self.estimates, self.standard_errors, low, high)
        rows = list[dict[str, Any]]()

        def add(k: int, name: str, where: tuple[int, ...]) -> None:
            at = (self._level(*where),) if name == "level" else where
            values = [float(getattr(part, f"{name}s")[(k, *at)]) for part in parts]
            place = dict(zip(("row", "column"), (*where, None, None), strict=False))
            numbers = dict(zip(("estimate", "standard_error", "low", "high"), values, strict=True))
            rows.append({"component": k, "parameter": name, **place, **numbers})

        for k in range(self.mixture.n_components):
            add(k, "weight", ())
            for i in range(self.mixture.n_features):
                add(k, "mean", (i,))
            for i in range(self.mixture.n_features):
                for j in range(i + 1):
                    add(k, "covariance", (i, j))
            for i, size in enumerate(self._sizes):
                for j in range(size):
                    add(k, "level", (i, j))
        return rows

    @property
    def _sizes(self) -> list[int]:
        """How many levels each discrete column has."""
        table = self.mixture.levels
        return [] if table is None else [len(one) for one in table.columns.shares]

    def _level(self, column: int, level: int) -> int:
        """Return the place of a level among those of all columns."""
        return sum(self._sizes[:column]) + level

    def _each(self, summary: Callable[[FloatArray], FloatArray]) -> Parameters:
        levels = None if self.levels is None else summary(self.levels)
        return Parameters(summary(self.weights), summary(self.means), summary(self.covariances), levels)


def _parameters_of(mixture: Mixture) -> Parameters:
    levels = None if mixture.levels is None else np.exp(mixture.levels.logs[:-1]).T
    return Parameters(mixture.weights, mixture.means, mixture.full_covariances(), levels)


def bootstrap_parameters(
    rows: npt.ArrayLike,
    mixture: Mixture,
    *,
    kind: str = "nonparametric",
    n_boot: int = 999,
    random_state: int | np.random.RandomState | None = 0,
    sample_weight: npt.ArrayLike | None = None,
    prior: PriorName | float = "floor",
    missing: str = "error",
) -> BootstrapParameters:
    """Estimate standard errors and intervals of weights, means and covariances by the bootstrap.

    Every sample is fitted from the mixture, and its components are matched to the mixture's (`match_components`), so
    that a component means the same everywhere.

    Parameters
    ----------
    rows : array-like of shape (N, D), or MixedRows
        Mixed ones (`mixtura.segments.mixed_rows`) may have missing values.
    mixture : Mixture
        Fitted to these rows (``mixture_`` of an estimator, ``mixture`` of a `Candidate`). It is finished first:
        iterated until less than 1e-4 nats of the log-likelihood are to be gained.
    kind : {"nonparametric", "weighted", "parametric"}, default="nonparametric"
        How samples come about. ``"nonparametric"``: rows drawn with replacement (Efron 1979). ``"weighted"``: all rows,
        weighted by exponential random numbers with their sum made N (the weighted likelihood bootstrap of Newton and
        Raftery 1994); no component loses all its rows, which small ones do in the first kind. ``"parametric"``: rows
        drawn from the mixture; errors are too small if the mixture is wrong.
    n_boot : int, default=999
        Number of samples, at least 2.
    random_state : int, RandomState or None, default=0
        Seed of every sample; results do not depend on the number of threads.
    sample_weight : array-like of shape (N,), optional
        Taken as counts: a row of weight 3 is three rows.
    prior : {"floor", "conjugate"} or float, default="floor"
        What keeps covariances from collapsing, see `search`.
    missing : {"error", "fiml"}, default="error"
        What NaN in the rows is: an error or a missing value, see `mixtura.GaussianMixture`. Parametric samples lack
        values as rows of the table do.

    Returns
    -------
    BootstrapParameters

    Raises
    ------
    ParameterError
        A parameter is out of its range.
    DataError
        Rows or weights that cannot be used, or rows with other columns than the mixture.
    MixturaError
        Fewer than two samples could be fitted.

    References
    ----------
    O'Hagan, Murphy, Scrucca and Gormley (2019), Investigation of parameter uncertainty in clustering using a Gaussian
    mixture model via jackknife, bootstrap and weighted likelihood bootstrap, Computational Statistics 34.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.select import bootstrap_parameters, search
    >>> rows = make_customers()
    >>> found = search(rows, components=[3], covariance_types=["spherical"]).best
    >>> sure = bootstrap_parameters(rows, found.mixture, kind="weighted", n_boot=99)
    >>> sure.standard_errors.means.round(1).shape
    (3, 2)
    >>> low, high = sure.intervals(0.9)
    >>> bool((low.weights < found.mixture.weights).all())
    True
    """
    table, seed = as_table(rows, missing), as_seed(random_state)
    weights = counted_weights(sample_weight, table)
    _check(table, weights, mixture, n_boot, prior)
    require("kind", kind, KINDS, "Try `kind='weighted'`.")
    data, refit = as_data(table, weights), Refit(prior, _TOLERANCE)
    finished = refit.from_mixture(data, mixture).mixture
    one = refit_seconds(finished.family.name, finished.n_components, data.n_rows, data.n_features)
    sampling = _Sampling(data.alone(), refit, finished, KINDS[kind](table, weights, finished))
    seeds, runner = np.random.SeedSequence(seed), runner_for(data, finished)
    fits = map_samples(_replicate, sampling, seeds, n_boot, runner, one)
    found = [one for one in fits if one is not None]
    if len(found) < 2:
        raise MixturaError(
            f"{len(found)!r} of {n_boot!r} samples could be fitted without repair; at least two are needed. The "
            "mixture may have a component of very few rows: try fewer components, kind='weighted', or a larger "
            "prior."
        )
    return BootstrapParameters(
        mixture=finished,
        kind=kind,
        weights=np.stack([one.weights for one, _ in found]),
        means=np.stack([one.means for one, _ in found]),
        covariances=np.stack([one.covariances for one, _ in found]),
        n_failed=n_boot - len(found),
        n_renumbered=sum(moved for _, moved in found),
        levels=_stacked([one.levels for one, _ in found]),
    )


def _stacked(levels: Sequence[FloatArray | None]) -> FloatArray | None:
    held = [one for one in levels if one is not None]
    return np.stack(held) if held else None


@dataclass(frozen=True, slots=True, eq=False)
class _Sampling:
    """What all samples have in common: the kernel of some rows, how they are fitted, from what, and how drawn."""

    data: Data
    refit: Refit
    mixture: Mixture
    draw: Sample


def _replicate(sampling: _Sampling, seed: np.random.SeedSequence) -> tuple[Parameters, bool] | None:
    """Return the parameters of one sample, and whether components changed places; None where there is no fit."""
    mixture, sample = sampling.mixture, sampling.data.in_memory(*sampling.draw(seed)).alone()
    try:
        result = sampling.refit.from_mixture(sample, mixture)
    except MixturaError:
        return None
    if result.repairs:
        return None
    found = result.mixture
    order = match_components(found, mixture)
    moved = bool((order != np.arange(order.size)).any())
    at = _parameters_of(found)
    levels = None if at.levels is None else at.levels[order]
    return Parameters(at.weights[order], at.means[order], at.covariances[order], levels), moved


def _check(
    rows: RowTable, weights: FloatArray | None, mixture: Mixture, n_boot: int, prior: PriorName | float
) -> None:
    require_at_least("n_boot", n_boot, 2)
    if not isinstance(mixture, Mixture):
        raise ParameterError(
            f"`mixture` must be a Mixture; got {mixture!r}. Give `mixture_` of an estimator, or `mixture` of a "
            "candidate."
        )
    require_enough(rows, weights, mixture.n_components)
    if rows.shape[1] != mixture.n_features:
        raise DataError(
            f"Rows must have the {mixture.n_features!r} columns of the mixture; got {rows.shape[1]!r}. Give the rows "
            "that it was fitted to."
        )
    if isinstance(rows, MixedRows) is (mixture.levels is None):
        held = "no discrete columns" if mixture.levels is None else "discrete columns"
        raise DataError(
            f"Rows must have the discrete columns of the mixture; it has {held}. Give the rows that it was fitted to."
        )
    require_free(rows)
    require("prior", prior, PRIORS, "Try `prior='floor'`.")
