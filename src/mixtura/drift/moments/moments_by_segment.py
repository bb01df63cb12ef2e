"""Where the segments of some rows lie and how they vary, with what sampling explains, from `DriftSums`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixtura._typing import BoolArray, FloatArray
from mixtura.core.packed import diagonal_of_packed
from mixtura.drift.drift_sums import DriftSums

__all__ = ["SegmentMoments"]


_FEWEST_OF_SOME = 50.0
"""Effective rows with a value, or with both of a pair, where other rows of the segment have none: what is left beside a
point mass has long tails, and a few such rows say little of its mean and deviation."""

_NO_SPREAD = 1e-6
"""Variance, in those of the mixture, below which rows count as having one value."""


@dataclass(frozen=True, eq=False)
class SegmentMoments:
    """Weighted means, deviations and correlations within each component, in units of the component's own deviations.

    They are ratios of sums, ``sum a h / sum a``, whose variance is ``sum a^2 (h - mean)^2 / (sum a)^2``.

    Parameters
    ----------
    sums : DriftSums
    """

    sums: DriftSums

    @cached_property
    def known(self) -> FloatArray:
        """Weight of each component in each column, shape (K, D)."""
        return self._diagonal(self.sums.known)

    @cached_property
    def effective(self) -> FloatArray:
        """Rows of equal weight that would say as much, ``(sum a)^2 / sum a^2``, shape (K, D)."""
        return _ratio(self.known**2, self._diagonal(self.sums.known_squared))

    def has_enough(self, fewest: float) -> BoolArray:
        """Return where a segment has as many effective rows in a column, or 50 where some have no value, (K, D)."""
        complete = self.known >= (1.0 - 1e-9) * self.sums.shares[:, None]
        return np.asarray(self.effective >= np.where(complete, fewest, np.maximum(fewest, _FEWEST_OF_SOME)))

    @cached_property
    def means(self) -> FloatArray:
        """Distance of the means from those of the mixture, shape (K, D)."""
        return _ratio(self.sums.first, self.known)

    @cached_property
    def mean_variances(self) -> FloatArray:
        """Variances of `means` over samples, shape (K, D)."""
        s, m = self.sums, self.means
        squares = self._diagonal(s.second_squared) - 2 * m * s.first_squared
        return _ratio(squares + m**2 * self._diagonal(s.known_squared), self.known**2)

    @cached_property
    def covariances_of_means(self) -> FloatArray:
        """Covariances of `means` over samples, shape (K, D, D)."""
        s, m = self.sums, self.means
        crossed = m[:, :, None] * s.first_squared[:, None, :]
        products = s.of_pairs("second_squared") - crossed - crossed.transpose(0, 2, 1)
        products = products + m[:, :, None] * m[:, None, :] * s.of_pairs("known_squared")
        return _ratio(products, self.known[:, :, None] * self.known[:, None, :])

    @cached_property
    def covariances(self) -> FloatArray:
        """Covariances about `means`, in units of the mixture's deviations, shape (K, D, D)."""
        known = self.sums.of_pairs("known")
        return _ratio(self.sums.of_pairs("second"), known) - self.means[:, :, None] * self.means[:, None, :]

    @cached_property
    def log_deviations(self) -> FloatArray:
        """Logarithms of the deviations over those of the mixture, shape (K, D)."""
        return np.asarray(0.5 * np.log(np.maximum(self._diagonal_of(self.covariances), _NO_SPREAD)))

    @cached_property
    def log_deviation_variances(self) -> FloatArray:
        """Variances of `log_deviations` over samples, shape (K, D): a quarter of those of the relative variances.

        Of ``z^2``, whose mean is known to differ little from the variance: fourth moments as they are, so that heavier
        tails count.
        """
        s = self.sums
        second = _ratio(self._diagonal(s.second), self.known)
        squares = self._diagonal(s.fourth) - 2 * second * self._diagonal(s.second_squared)
        squares = squares + second**2 * self._diagonal(s.known_squared)
        return 0.25 * _ratio(_ratio(squares, self.known**2), second**2)

    @cached_property
    def _ratios(self) -> FloatArray:
        deviations = np.sqrt(np.maximum(self._diagonal_of(self.covariances), 1e-300))
        return np.asarray(self.covariances / (deviations[:, :, None] * deviations[:, None, :]))

    @cached_property
    def correlations(self) -> FloatArray:
        """Correlations within each component, shape (K, D, D)."""
        return np.asarray(np.clip(self._ratios, -0.999999, 0.999999))

    @cached_property
    def _are_complete(self) -> BoolArray:
        """Which pairs of columns have both values wherever they have one, shape (K, D, D)."""
        most = np.maximum(self.known[:, :, None], self.known[:, None, :])
        return np.asarray(self.sums.of_pairs("known") >= (1.0 - 1e-9) * most)

    @cached_property
    def has_correlations(self) -> BoolArray:
        """Which pairs of columns have enough rows with both, shape (K, D, D).

        Means and deviations are those of each column's own rows. Where few of these have the other column as well,
        what is found of the pair may not even be a correlation.
        """
        known, squared = self.sums.of_pairs("known"), self.sums.of_pairs("known_squared")
        spread = self._diagonal_of(self.covariances) > _NO_SPREAD
        varied = spread[:, :, None] & spread[:, None, :]
        enough = self._are_complete | (
            (_ratio(known**2, squared) >= _FEWEST_OF_SOME) & (np.abs(self._ratios) < 1.0)
        )
        return np.asarray(enough & varied & (known > 0))

    @cached_property
    def z_correlation_variances(self) -> FloatArray:
        """Variances of ``artanh`` of the correlations, shape (K, D, D): ``1 / (n - 3)``, times what tails add.

        The factor is the variance of ``z_d z_e`` over that of Gaussians, ``1 + rho^2``, where it is larger; the more
        they are correlated the more that of the squares, a third of the kurtosis. What is found of rows that have both
        columns, about the means of all that have one, varies as a mean of products does, ``1 / (1 - rho^2)^2`` times
        that of ``z_d z_e``.
        """
        s = self.sums
        known, squared = s.of_pairs("known"), s.of_pairs("known_squared")
        effective = _ratio(known**2, squared)
        mean = _ratio(s.of_pairs("second"), known)
        product = _ratio(
            s.of_pairs("fourth") - 2 * mean * s.of_pairs("second_squared") + mean**2 * squared, squared
        )
        scale = self._diagonal_of(_ratio(s.of_pairs("second"), known))
        product = _ratio(product, scale[:, :, None] * scale[:, None, :])
        shared = self.correlations**2
        fourth = _ratio(self._diagonal(s.fourth), self._diagonal(s.known_squared))
        heavy = np.sqrt(fourth) / np.maximum(scale, 1e-300)
        tails = heavy[:, :, None] * heavy[:, None, :] / 3.0
        factor = np.maximum(1.0, np.maximum(product / (1.0 + shared), shared * tails))
        factor = np.where(self._are_complete, factor, np.maximum(1.0, product) / (1.0 - shared) ** 2)
        return np.asarray(factor / np.maximum(effective - 3.0, 1.0))

    def _diagonal(self, packed: FloatArray) -> FloatArray:
        return np.asarray(packed[:, diagonal_of_packed(self.sums.n_features)])

    @staticmethod
    def _diagonal_of(matrices: FloatArray) -> FloatArray:
        return np.diagonal(matrices, axis1=1, axis2=2)


def _ratio(values: FloatArray, divisors: FloatArray) -> FloatArray:
    return np.divide(values, divisors, out=np.zeros_like(values), where=divisors > 0)
