"""Whitening factors of ill-conditioned covariances to full precision, by elimination in double-double arithmetic.

A Cholesky factorization in double precision has a backward error of some eps = 1.1e-16, so that squared distances are
wrong by up to ``eps kappa`` of themselves, kappa the condition of the correlations: 1e-4 at 1e12. Elimination in pairs
of doubles (Dekker 1971), 32 digits, leaves only the rounding of the factor L itself, entry by entry: each whitened
coordinate is then right to eps times ``|L| |x - mu|``, which is at most ``sqrt(kappa)`` times the length of the
whitened row, and squared distances are right to some ``eps sqrt(kappa)`` of themselves, 1e-10 at 1e12.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from mixtura._typing import BoolArray, FloatArray
from mixtura.core.covariance.factors import Factors, symmetric

__all__ = ["LARGEST_INFLATION", "are_ill_conditioned", "refine"]

LARGEST_INFLATION = 1e4
"""Variance inflation factor of a column, ``Sigma_jj (Sigma^-1)_jj``, up to which a factorization is precise enough."""

_SPLITTER = 134217729.0
"""``2^27 + 1``, which halves the digits of a double."""

_Pair: TypeAlias = tuple[FloatArray, FloatArray]
"""The sum of two doubles, the second less than half a unit in the last place of the first."""


def refine(covariances: FloatArray, factors: Factors) -> Factors:
    """Return factors of matrices (K, D, D) that are right to the last digits; the same where they are so already.

    Parameters
    ----------
    covariances : ndarray of shape (K, D, D)
    factors : Factors
        Of these, by `whiten`.
    """
    ill = are_ill_conditioned(covariances, factors.whitening)
    if not ill.any():
        return factors
    whitening, log_determinants = factors.whitening.copy(), factors.log_determinants.copy()
    # A pivot of zero, which only rounding let pass before, gives no number, and the factor stays as it was.
    with np.errstate(all="ignore"):
        whitening[ill], log_determinants[ill] = _eliminate(covariances[ill], factors.whitening[ill])
    return Factors(whitening, log_determinants)


def are_ill_conditioned(covariances: FloatArray, whitening: FloatArray) -> BoolArray:
    """Return of which covariances (..., D, D) a factorization in double precision loses digits, (...)."""
    variances = np.diagonal(covariances, axis1=-2, axis2=-1)
    inflation = variances * np.square(whitening).sum(axis=-2)
    return np.asarray((inflation > LARGEST_INFLATION).any(axis=-1))


def _eliminate(covariances: FloatArray, whitening: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return L with ``L Sigma L^T = I``, and its log-determinants; as they were where a pivot is not positive.

    Rows of the table ``(Sigma, I)`` are eliminated from those below: of it ``(D M^T, M^-1)`` is left, with
    ``Sigma = M D M^T``, M unit lower triangular; and ``L = D^(-1/2) M^-1``. The columns are scaled by powers of two
    first, which is exact.
    """
    count, size = whitening.shape[:2]
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    scale = np.ldexp(1.0, -np.frexp(np.sqrt(variances))[1])
    high = np.zeros((count, size, 2 * size))
    high[:, :, :size] = symmetric(covariances) * scale[:, :, None] * scale[:, None, :]
    high[:, :, size:] = np.eye(size)
    low = np.zeros_like(high)
    for j in range(size - 1):
        below, pivot = np.s_[:, j + 1 :, j, None], np.s_[:, j, None, j, None]
        share = _divide((high[below], low[below]), (high[pivot], low[pivot]))
        # What is left of Sigma and begun of M^-1: the other columns of row j are done or zero.
        row, rest = np.s_[:, j, None, j + 1 : size + j + 1], np.s_[:, j + 1 :, j + 1 : size + j + 1]
        high[rest], low[rest] = _subtract((high[rest], low[rest]), _multiply(share, (high[row], low[row])))
    pivots = np.diagonal(high, axis1=1, axis2=2)
    refined = np.tril(high[:, :, size:]) / np.sqrt(pivots)[:, :, None] * scale[:, None, :]
    sound = (pivots > 0).all(axis=1) & np.isfinite(refined).all(axis=(1, 2))
    found = np.where(sound[:, None, None], refined, whitening)
    return found, np.log(np.diagonal(found, axis1=1, axis2=2)).sum(axis=1)


def _sum(large: FloatArray, small: FloatArray) -> _Pair:
    """Return a sum and its rounding error, where the first number is the larger one."""
    total = large + small
    return total, small - (total - large)


def _product(left: FloatArray, right: FloatArray) -> _Pair:
    """Return a product and its rounding error."""
    halves = [(factor - (factor - each), each) for each in (left, right) for factor in (_SPLITTER * each,)]
    (a, b), (c, d) = [(half, each - half) for half, each in halves]
    product = left * right
    return product, ((a * c - product) + a * d + b * c) + b * d


def _multiply(left: _Pair, right: _Pair) -> _Pair:
    product, error = _product(left[0], right[0])
    return _sum(product, error + (left[0] * right[1] + left[1] * right[0]))


def _subtract(left: _Pair, right: _Pair) -> _Pair:
    difference = left[0] - right[0]
    part = difference - left[0]
    error = (left[0] - (difference - part)) - (right[0] + part)
    return _sum(difference, error + (left[1] - right[1]))


def _divide(left: _Pair, right: _Pair) -> _Pair:
    quotient = left[0] / right[0]
    rest = _subtract(left, _multiply((quotient, np.zeros_like(quotient)), right))
    return _sum(quotient, rest[0] / right[0])
