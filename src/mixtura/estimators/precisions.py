"""scikit-learn's precisions: the attributes that a mixture is shown by, and the mixture that they stand for."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance import Factors, Structure
from mixtura.core.mixture import Mixture

__all__ = ["mixture_from_precisions_cholesky", "precisions", "precisions_cholesky"]


def precisions_cholesky(mixture: Mixture) -> FloatArray:
    """Return ``precisions_cholesky_``: upper triangular R with ``Sigma^-1 = R R^T``, or reciprocal deviations."""
    whitening = mixture.factors.whitening
    if mixture.family.stores_matrices:
        return np.ascontiguousarray(np.swapaxes(whitening, -1, -2))
    return whitening[:, 0].copy() if mixture.covariances.ndim == 1 else whitening.copy()


def precisions(roots: FloatArray, family: Structure) -> FloatArray:
    """Return ``precisions_``, the inverse covariances, of their roots; both in the stored shape."""
    return roots @ np.swapaxes(roots, -1, -2) if family.stores_matrices else roots**2


def mixture_from_precisions_cholesky(
    weights: FloatArray, means: FloatArray, roots: FloatArray, family: Structure
) -> Mixture:
    """Return the mixture that ``weights_``, ``means_`` and ``precisions_cholesky_`` stand for.

    Any root R of the precisions will do, ``Sigma^-1 = R R^T``, triangular or not: the density depends on the product
    alone. (scikit-learn reads the determinant from the diagonal, which is right where R is triangular.)

    Parameters
    ----------
    weights : ndarray of shape (K,)
    means : ndarray of shape (K, D)
    roots : ndarray, in the shape the family stores
    family : Structure
    """
    if family.stores_matrices:
        whitening = _lower(roots)
        inverse = np.linalg.inv(whitening)
        covariances = np.asarray(inverse @ np.swapaxes(inverse, -1, -2))
        diagonal = np.diagonal(whitening, axis1=-2, axis2=-1)
    else:
        covariances = roots**-2.0
        whitening = np.repeat(roots[:, None], means.shape[1], axis=1) if roots.ndim == 1 else roots
        diagonal = whitening
    log_determinants = np.atleast_1d(np.log(np.abs(diagonal)).sum(axis=-1))
    return Mixture(weights, means, covariances, family, Factors(whitening, log_determinants))


def _lower(roots: FloatArray) -> FloatArray:
    """Return lower triangular L with ``L^T L = R R^T`` for matrices R of shape (..., D, D).

    Of an upper triangular R it is the transpose. Of any other it follows from a QR decomposition with rows and columns
    reversed: with ``J R = (Q T)^T``, J the reversal, ``R R^T = (J T J)^T (J T J)``, and ``J T J`` is lower triangular.
    """
    if not np.tril(roots, -1).any():
        return np.ascontiguousarray(np.swapaxes(roots, -1, -2))
    upper: FloatArray = np.linalg.qr(np.swapaxes(roots[..., ::-1, :], -1, -2)).R
    return np.ascontiguousarray(upper[..., ::-1, ::-1])
