"""A pass as two matrix products, for components whose means lie near each other.

A Gaussian log density is linear in the products of a row's features: with ``y = x - c`` for any
center c, ``m_k = mu_k - c`` and ``A_k = L_k^T L_k``,

    offsets_k - |L_k (x - mu_k)|^2 / 2
        = offsets_k - m_k^T A_k m_k / 2  +  (A_k m_k) . y  -  sum_{i >= j} a_kij y_i y_j,

where ``a_kij`` is ``A_kij``, halved on the diagonal. With the products ``(1, y_i, y_i y_j)`` of a
block in one table of P rows, all densities are one matrix product with the coefficients, (K, P),
and all sums about c another one with the responsibilities. The sums about mu_k follow from those
about c: with counts n and first moments s,

    s' = s - n m,    S' = S - s' m^T - m s'^T - n m m^T.

What is lost to rounding, u being half a unit in the last place, is at most

    P u |y|^T |A_k| |y| / 2  <=  P u (kappa_k^2 + g_k) (|z_k|^2 + 1) / 2

in a log density, with ``kappa_k`` the Frobenius norm of ``|L_k| |L_k^-1|``, at least the square
root of D and one for a diagonal, and ``g_k = ||L_k| |m_k||^2``, the squared distance of the mean
from the center in widths of the component; for ``|L| |y| <= |L| |L^-1| |z| + |L| |m|``, and the
square of that sum is bounded by Cauchy's inequality. In the moments of feature i it is some u, in
relation to them, times ``1 + n m_i^2 / S'_ii``. `_LARGEST_GAIN` holds the former below 1e-10 even if
all roundings of P = 231 products (20 features) had one sign; they have not, and at the threshold
some 2e-12 is lost, in the moments too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from mixtura._typing import Array, FloatArray, RowArray
from mixtura.kernels.contract import Components, Layout, moment_size

__all__ = ["Expansion", "lower_half"]

_LARGEST_GAIN = 8e3
"""Largest ``kappa^2 + g``."""

_LARGEST_CANCELLATION = 2e4
"""Largest ``n m_i^2 / S'_ii``: that of `_LARGEST_GAIN` and some room, as rows vary less or more than a model says."""

_LARGEST_LOSS = 1e6
"""Largest ``(kappa^2 + g) |z|^2`` of a row and the component nearest to it; memberships far out depend on it."""

_LIGHT = 1e-6
"""Second moments below this share of the feature's largest need not be exact to their own last digits."""

# Doubles in a table of products, rows in a block, and products of a row: measured for 2 to 200 columns.
_TABLE_DOUBLES = 1 << 17
_FEWEST_ROWS = 128
_MOST_ROWS = 4096
_MOST_PRODUCTS = 1 << 15


class Expansion:
    """A chunk's densities and sums through products about the center of the means.

    Parameters
    ----------
    components : Components
        Of the dense or the diagonal layout.
    center : ndarray of shape (D,)
    coefficients : ndarray of shape (K, P)
        What the products of a row are multiplied by to give the log densities.
    gain : float
        The largest ``kappa_k^2 + g_k``; see the module.
    """

    def __init__(
        self, components: Components, center: FloatArray, coefficients: FloatArray, gain: float
    ) -> None:
        k, n_products = coefficients.shape
        self._layout = components.layout
        self._center = center
        self._shifts = components.means - center
        self._coefficients = coefficients
        self._floor = components.offsets.max() - 0.5 * _LARGEST_LOSS / gain
        self._sums = np.zeros((k, n_products))
        self._room = min(max(_TABLE_DOUBLES // n_products, _FEWEST_ROWS), _MOST_ROWS)
        self._table = np.ones((n_products, self._room))

    @classmethod
    def near(cls, components: Components) -> Expansion | None:
        """Return the expansion about the mean of the means; None where much is lost, or it is too large or empty."""
        layout, means, d = components.layout, components.means, components.n_features
        if layout is Layout.SHARED or d == 0 or 1 + d + moment_size(layout, d) > _MOST_PRODUCTS:
            return None
        # From the first mean on, so that a feature in which all are equal gets exactly that center.
        center = means[0] + (means - means[0]).mean(axis=0)
        gain = _gain(components, means - center)
        if not gain <= _LARGEST_GAIN:
            return None
        coefficients = _coefficients(components, means - center)
        return cls(components, center, coefficients, gain) if np.isfinite(coefficients).all() else None

    def blocks(self, n_rows: int) -> Iterator[slice]:
        return (slice(start, min(start + self._room, n_rows)) for start in range(0, n_rows, self._room))

    def log_densities(self, rows: RowArray) -> FloatArray:
        """Fill the table with the products of a block; return its log densities, (K, B)."""
        n, d = rows.shape
        self._products = products = self._table[:, :n]
        centered = products[1 : 1 + d]
        np.subtract(rows.T, self._center[:, None], out=centered)
        if self._layout is Layout.DIAGONAL:
            np.multiply(centered, centered, out=products[1 + d :])
        else:
            start = 1 + d
            for i in range(d):
                np.multiply(centered[: i + 1], centered[i], out=products[start : start + i + 1])
                start += i + 1
        logs: FloatArray = self._coefficients @ products
        return logs

    def is_precise(self, log_density: FloatArray) -> bool:
        """Return whether no row holds a NaN, or lies so far out that its memberships would suffer."""
        return bool(log_density.min() >= self._floor)

    def add(self, weight: FloatArray | None, memberships: FloatArray) -> None:
        """Add the sums of the block whose products are in the table; ``memberships`` has shape (K, B)."""
        shares = memberships if weight is None else memberships * weight
        self._sums += shares @ self._products.T

    def moments(self) -> FloatArray | None:
        """Return counts, first and second moments about the means, packed; None where too much cancelled."""
        m = self._shifts
        d = m.shape[1]
        counts, first, second = np.split(self._sums, [1, 1 + d], axis=1)
        first = first - counts * m
        if self._layout is Layout.DIAGONAL:
            squares = second = second - (2.0 * first + counts * m) * m
        else:
            i, j = lower_half(d)
            second = second - (first[:, i] * m[:, j] + (first + counts * m)[:, j] * m[:, i])
            squares = second[:, i == j]
        enough = squares + _LIGHT * squares.max(axis=0)
        if not (counts * m * m <= _LARGEST_CANCELLATION * enough).all():
            return None
        return np.concatenate([counts.ravel(), first.ravel(), second.ravel()])


@lru_cache(maxsize=16)
def lower_half(n_features: int) -> tuple[Array, Array]:
    """Return row and column numbers of the lower half of a square matrix, by rows."""
    return np.tril_indices(n_features)


def _gain(components: Components, shifts: FloatArray) -> float:
    """Return the largest ``kappa_k^2 + g_k``; infinite where a factor is singular."""
    factors = np.abs(components.factors)
    if components.layout is Layout.DIAGONAL:
        return float(1.0 + np.square(factors * shifts).sum(axis=1).max())
    if not np.diagonal(factors, axis1=1, axis2=2).all():
        return np.inf
    kappas = np.square(factors @ np.abs(np.linalg.inv(components.factors))).sum(axis=(1, 2))
    distances = np.square(factors @ np.abs(shifts)[:, :, None]).sum(axis=(1, 2))
    return float((kappas + distances).max())


def _coefficients(components: Components, shifts: FloatArray) -> FloatArray:
    """Return what the products ``(1, y_i, y_i y_j)`` are multiplied by, (K, P)."""
    factors = components.factors
    if components.layout is Layout.DIAGONAL:
        z = factors * shifts
        linear = factors * z
        quadratic = -0.5 * factors * factors
    else:
        z = (factors @ shifts[:, :, None])[:, :, 0]
        linear = (z[:, None, :] @ factors)[:, 0, :]
        i, j = lower_half(shifts.shape[1])
        precisions = factors.transpose(0, 2, 1) @ factors
        quadratic = np.where(i == j, -0.5, -1.0) * precisions[:, i, j]
    constant = components.offsets - 0.5 * np.square(z).sum(axis=1)
    return np.concatenate([constant[:, None], linear, quadratic], axis=1)
