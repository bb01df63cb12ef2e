"""What assigns rows, taken apart into expressions and constants that any export can write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, log, pi
from typing import Literal

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.exceptions import ParameterError
from mixtura.expressions.expression import Expression
from mixtura.kernels.patterns import as_dense

__all__ = ["ColumnScale", "DiscretePart", "Pattern", "Scorer", "scorer_of_mixture"]

_PATTERNS = 64
"""Ways of missing values that are written without being asked for."""
_SPIKED_PATTERNS = 512
"""The same where columns have point masses, at any of which a row may be."""
_MOST_PATTERNS = 2**10
"""Ways to be at point masses that can be written."""
_PRODUCTS = 20_000
"""Products that are written for missing values without being asked for."""


@dataclass(frozen=True, slots=True)
class ColumnScale:
    """How a column becomes what the mixture sees, ``y = (T(x) - center) / scale``.

    Parameters
    ----------
    center, scale : float
    forward : callable or None, default=None
        T as an expression of x; None where it is x itself.
    log_derivative : callable or None, default=None
        ``log T'(x)`` as an expression; None where it is zero everywhere.
    derivative_at_center : float, default=0.0
        ``log T'(x)`` where ``T(x)`` is the center: what counts where the value is missing.
    """

    center: float = 0.0
    scale: float = 1.0
    forward: Callable[[Expression], Expression] | None = None
    log_derivative: Callable[[Expression], Expression] | None = None
    derivative_at_center: float = 0.0

    def scaled(self, value: Expression) -> Expression:
        """Return what the mixture sees of a value."""
        moved = value if self.forward is None else self.forward(value)
        centered = moved - self.center if self.center else moved
        return centered / self.scale if self.scale != 1 else centered


@dataclass(frozen=True, slots=True, eq=False)
class DiscretePart:
    """What a column of levels adds to the log densities.

    Parameters
    ----------
    column : str
        Its name in the table.
    kind : {"category", "count", "spike"}
        How its levels are read: texts; whole numbers from the first, 0 or 1, the last for all larger ones; or 0 for all
        numbers but the point masses, which follow.
    levels : tuple of str
        The text, or number, of each level.
    logs : ndarray of shape (L, K)
        Log probabilities. A missing value, or a level that is not listed, adds nothing.
    labels : tuple of str, default=()
        What levels are called in words, which a table may hold instead; empty for none.
    """

    column: str
    kind: Literal["category", "count", "spike"]
    levels: tuple[str, ...]
    logs: FloatArray
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """The mixture of the columns that a row has.

    Parameters
    ----------
    missing : tuple of int
        The columns that it lacks.
    factors : ndarray of shape (K, D, D)
        Lower triangular; what whitens the deviations from the means, with zeros at the missing columns.
    offsets : ndarray of shape (K,)
        The log density of component k is ``offsets[k] - z_k . z_k / 2``.
    expected : ndarray of shape (K,)
        What the log density lacks, on average, of that of a whole row; zero where nothing is missing.
    """

    missing: tuple[int, ...]
    factors: FloatArray
    offsets: FloatArray
    expected: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """A mixture, and how the columns of a table become its rows.

    Parameters
    ----------
    mixture : Mixture
        K components.
    columns : tuple of str
        D names.
    scales : tuple of ColumnScale
    names : tuple of str or None, default=None
        Of the segments; None where they have none.
    threshold : float or None, default=None
        Log density below which a row is an anomaly; None for no anomalies.
    first : int, default=1
        The number of the first segment.
    spikes : tuple of tuple of float, default=()
        Point masses of each column, at which the Gaussian part does not see it.
    discrete : tuple of DiscretePart, default=()
        What the mixture has beside its Gaussian part.
    missing_codes : tuple of tuple of float, default=()
        Numbers of each column that stand for missing values; empty where none has any.
    groups : tuple of tuple of int, default=()
        The components of each segment, from 0, whose probabilities are added; empty where each is one.
    """

    mixture: Mixture
    columns: tuple[str, ...]
    scales: tuple[ColumnScale, ...]
    names: tuple[str, ...] | None = None
    threshold: float | None = None
    first: int = 1
    spikes: tuple[tuple[float, ...], ...] = ()
    discrete: tuple[DiscretePart, ...] = ()
    missing_codes: tuple[tuple[float, ...], ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        mixture = self.mixture
        levels = None if self.discrete else mixture.levels
        parts = {"noise": mixture.background, "tails": mixture.tails, "discrete columns": levels}
        for what, held in parts.items():
            if held is not None:
                raise ParameterError(
                    f"The mixture must have Gaussian parts alone to be exported; got one with {what}. Fit it without."
                )

    @property
    def log_volume(self) -> float:
        """``sum_d log scale_d``."""
        return float(np.log([one.scale for one in self.scales]).sum())

    @property
    def n_segments(self) -> int:
        return len(self.groups) or self.mixture.n_components

    @property
    def numbers(self) -> range:
        """The numbers of the segments."""
        return range(self.first, self.first + self.n_segments)

    @property
    def present(self) -> list[int]:
        """The components whose weight is not zero."""
        return np.flatnonzero(self.mixture.weights > 0).tolist()

    def allowed_missing(self, max_missing: int | None) -> int:
        """Return how many values a row may lack; by default what can be written in little room.

        Raises
        ------
        ParameterError
            `max_missing` is negative, or too many columns have point masses.
        """
        most = self.n_values - 1
        if self.n_patterns(0) > _MOST_PATTERNS:
            raise ParameterError(
                f"At most {_MOST_PATTERNS.bit_length() - 1} columns with point masses can be exported; the model has "
                f"{sum(map(bool, self.spikes))}. Learn it with fewer of them."
            )
        if max_missing is None:
            return max(number for number in range(most + 1) if not number or self._is_short(number))
        if max_missing < 0:
            raise ParameterError(
                f"`max_missing` must be at least 0; got {max_missing!r}. Try `max_missing=0`."
            )
        return min(max_missing, most)

    @property
    def n_values(self) -> int:
        """How many values a row has: continuous ones, and levels that do not follow from these."""
        return len(self.columns) + sum(part.kind != "spike" for part in self.discrete)

    def _is_short(self, max_missing: int) -> bool:
        patterns = _SPIKED_PATTERNS if any(self.spikes) else _PATTERNS
        return self.n_patterns(max_missing) <= patterns and self.n_products(max_missing) <= _PRODUCTS

    def n_patterns(self, max_missing: int) -> int:
        """Return in how many ways the Gaussian part may lack columns; one is none.

        Up to `max_missing` of the columns may be missing, and any of those that have point masses.
        """
        return self._n_ways(range(len(self.columns)), max_missing)

    def n_products(self, max_missing: int) -> int:
        """Return about how many products whiten rows that lack up to `max_missing` values."""
        factors = as_dense(self.mixture.components()).factors
        return sum(
            len(used) * self._n_ways(used[:-1].tolist(), max_missing)
            for used in (np.flatnonzero(row) for row in factors.reshape(-1, factors.shape[-1]))
        )

    def _is_spiked(self, d: int) -> bool:
        return bool(self.spikes and self.spikes[d])

    def _n_ways(self, columns: Iterable[int], max_missing: int) -> int:
        """Return how many subsets of some columns may be lacking."""
        spiked = [self._is_spiked(d) for d in columns]
        plain = len(spiked) - sum(spiked)
        return sum(comb(plain, m) for m in range(min(max_missing, plain) + 1)) << sum(spiked)

    def patterns(self, max_missing: int) -> list[Pattern]:
        """Return every way in which the Gaussian part may lack columns, none first, see `n_patterns`."""
        every = range(len(self.columns))
        plain = _subsets([d for d in every if not self._is_spiked(d)], max_missing)
        spiked = _subsets([d for d in every if self._is_spiked(d)], len(self.columns))
        lacking = [tuple(sorted((*some, *more))) for some in plain for more in spiked]
        return [self._pattern(missing) for missing in sorted(lacking, key=lambda one: (len(one), one))]

    def _pattern(self, missing: tuple[int, ...]) -> Pattern:
        whole = as_dense(self.mixture.components())
        if not missing:
            return Pattern((), whole.factors, whole.offsets, np.zeros(len(whole.offsets)))
        factors, determinants = np.zeros_like(whole.factors), np.zeros(len(whole.factors))
        with np.errstate(divide="ignore"):
            offsets = np.log(self.mixture.weights)
        observed = np.setdiff1d(np.arange(len(self.columns)), missing)
        if observed.size:
            part = as_dense(self.mixture.marginal(observed.tolist()).components())
            factors[:, observed[:, None], observed] = part.factors
            offsets, determinants = part.offsets, _log_determinants(part.factors)
        # log |C_k| = log |Sigma_k| - log |Sigma_k,oo|, each of which is minus twice that of its factor.
        volumes = 2 * (determinants - _log_determinants(whole.factors))
        expected = -0.5 * (volumes + len(missing) * (1 + log(2 * pi)))
        return Pattern(missing, factors, offsets, expected)


def _subsets(columns: list[int], most: int) -> list[tuple[int, ...]]:
    """Return all subsets of up to `most` columns."""
    return [one for m in range(min(most, len(columns)) + 1) for one in combinations(columns, m)]


def _log_determinants(factors: FloatArray) -> FloatArray:
    return np.asarray(np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1))


def scorer_of_mixture(mixture: Mixture, columns: Sequence[str]) -> Scorer:
    """Return what assigns rows to the components of a mixture, numbered from 0.

    Raises
    ------
    ParameterError
        There are not as many columns as the mixture has, or one stands twice.
    """
    names = tuple(columns)
    if len(names) != mixture.n_features or len(set(names)) != len(names):
        raise ParameterError(
            f"`columns` must be {mixture.n_features} different names, one per column of the mixture; got "
            f"{list(names)!r}."
        )
    return Scorer(mixture, names, (ColumnScale(),) * len(names), first=0)
