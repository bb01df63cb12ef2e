"""What assigns rows, taken apart into expressions and constants that any export can write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, log, pi

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.exceptions import ParameterError
from mixtura.io.export.expression import Expression
from mixtura.kernels.patterns import as_dense

__all__ = ["ColumnScale", "Pattern", "Scorer", "scorer_of_mixture"]

_PATTERNS = 64
"""Ways of missing values that are written without being asked for."""
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
    """

    mixture: Mixture
    columns: tuple[str, ...]
    scales: tuple[ColumnScale, ...]
    names: tuple[str, ...] | None = None
    threshold: float | None = None
    first: int = 1

    def __post_init__(self) -> None:
        mixture = self.mixture
        parts = {"discrete columns": mixture.levels, "noise": mixture.background, "tails": mixture.tails}
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
    def present(self) -> list[int]:
        """The components whose weight is not zero."""
        return np.flatnonzero(self.mixture.weights > 0).tolist()

    def allowed_missing(self, max_missing: int | None) -> int:
        """Return how many values a row may lack; by default what can be written in little room.

        Raises
        ------
        ParameterError
            `max_missing` is negative.
        """
        most = len(self.columns) - 1
        if max_missing is None:
            return max(number for number in range(most + 1) if not number or self._is_short(number))
        if max_missing < 0:
            raise ParameterError(
                f"`max_missing` must be at least 0; got {max_missing!r}. Try `max_missing=0`."
            )
        return min(max_missing, most)

    def _is_short(self, max_missing: int) -> bool:
        return self.n_patterns(max_missing) <= _PATTERNS and self.n_products(max_missing) <= _PRODUCTS

    def n_patterns(self, max_missing: int) -> int:
        """Return in how many ways up to `max_missing` of the columns, but not all, may be missing; one is none."""
        d = len(self.columns)
        return sum(comb(d, m) for m in range(min(max_missing, d - 1) + 1))

    def n_products(self, max_missing: int) -> int:
        """Return about how many products whiten rows that lack up to `max_missing` values."""
        used = np.count_nonzero(as_dense(self.mixture.components()).factors, axis=2)
        return sum(
            int(n) * sum(comb(int(n) - 1, m) for m in range(min(max_missing, int(n) - 1) + 1))
            for n in used.ravel()
        )

    def patterns(self, max_missing: int) -> list[Pattern]:
        """Return every way in which at most `max_missing` of the columns, but not all, are missing; none first."""
        d = len(self.columns)
        return [
            self._pattern(missing)
            for m in range(min(max_missing, d - 1) + 1)
            for missing in combinations(range(d), m)
        ]

    def _pattern(self, missing: tuple[int, ...]) -> Pattern:
        whole = as_dense(self.mixture.components())
        if not missing:
            return Pattern((), whole.factors, whole.offsets, np.zeros(len(whole.offsets)))
        observed = np.setdiff1d(np.arange(len(self.columns)), missing)
        part = as_dense(self.mixture.marginal(observed.tolist()).components())
        factors = np.zeros_like(whole.factors)
        factors[:, observed[:, None], observed] = part.factors
        # log |C_k| = log |Sigma_k| - log |Sigma_k,oo|, each of which is minus twice that of its factor.
        volumes = 2 * (_log_determinants(part.factors) - _log_determinants(whole.factors))
        expected = -0.5 * (volumes + len(missing) * (1 + log(2 * pi)))
        return Pattern(missing, factors, part.offsets, expected)


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
