"""A lower bound of covariances, in the forms in which covariance structures compare theirs with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.kernels import ClosedForm, CommonForm
from mixtura.kernels.iterations.bound import color, whiten

__all__ = ["CovarianceFloor", "is_constant", "sound_covariance"]

_ROUNDING = 4 * float(np.finfo(np.float64).eps)
"""A deviation below this share of a column's magnitude is what rounding leaves of a constant."""

_SMALLEST_DEVIATION = 1e-148
"""Squares of much smaller numbers are lost."""

_SPECTRUM = 1e-12
"""Share of the largest eigenvalue below which the axes of a matrix are rounding."""


@dataclass(frozen=True, eq=False)
class CovarianceFloor:
    """A positive definite covariance B; others are to satisfy ``Sigma - B`` positive semidefinite, as far as they can.

    Those of several tables stand side by side, along a first axis of every array.

    Parameters
    ----------
    root : ndarray of shape (D, D)
        Lower triangular, ``B = root root^T``, in units of the data.
    variances : ndarray of shape (D,)
        Smallest variance along each column.
    spherical : ndarray of shape ()
        Smallest variance of a spherical covariance.
    sphere : ndarray of shape (D,)
        Its square root, for each column.
    deviations : ndarray of shape (D,)
        Square roots of the variances.
    """

    root: FloatArray
    variances: FloatArray
    spherical: FloatArray
    sphere: FloatArray
    deviations: FloatArray

    @classmethod
    def of(cls, root: FloatArray, variances: FloatArray, spherical: FloatArray) -> CovarianceFloor:
        """Make a floor; deviations follow from the variances."""
        sphere = np.repeat(np.sqrt(spherical)[..., None], variances.shape[-1], axis=-1)
        return cls(root, variances, spherical, sphere, np.sqrt(variances))

    @cached_property
    def spectrum(self) -> FloatArray:
        """Eigenvalues of B in ascending order, (D,)."""
        values = np.linalg.svd(self.root, compute_uv=False)[::-1] ** 2
        return np.asarray(np.maximum(values, _SPECTRUM * values[-1]))

    def bound(self, form: ClosedForm | CommonForm) -> FloatArray:
        """Return what covariances of a form are compared with."""
        if not form.diagonal:
            return self.root
        return self.sphere if isinstance(form, ClosedForm) and form.averaged else self.deviations

    def whiten(self, matrices: FloatArray) -> FloatArray:
        """Return symmetric matrices (..., D, D) in coordinates in which B is the identity."""
        return whiten(matrices, self.root)

    def color(self, matrices: FloatArray) -> FloatArray:
        """Undo `whiten`."""
        return color(matrices, self.root)

    def along(self, axes: FloatArray) -> FloatArray:
        """Return the variances of B along axes (D, E), given as columns of unit length."""
        return np.asarray(((self.root.T @ axes) ** 2).sum(axis=0))

    def is_below_spheres(self, reciprocal_deviations: FloatArray) -> bool:
        """Return whether spherical covariances are surely above the floor, by ``sum_kj b / v_kj <= 1``."""
        return bool(np.vdot(reciprocal_deviations, reciprocal_deviations) * self.spherical <= 1.0)


def is_constant(covariance: FloatArray, magnitude: FloatArray) -> npt.NDArray[np.bool_]:
    """Return for each column, (D,), whether its variance is zero or what rounding leaves of a constant."""
    deviations = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    return ~(deviations > np.maximum(_ROUNDING * magnitude, _SMALLEST_DEVIATION))


def sound_covariance(
    covariance: FloatArray, magnitude: FloatArray, smallest: float
) -> tuple[FloatArray, FloatArray]:
    """Return deviations (..., D) and the lower root (..., D, D) of correlations, of a covariance that may be singular.

    A column without variance, or with no more than rounding leaves of a constant, is given the smallest deviation of
    the others (its magnitude where there are none): it has no scale of its own, and any gives all components alike
    the same. Eigenvalues of the correlations below ``smallest``, as where columns are collinear, are raised to it.

    Parameters
    ----------
    covariance : ndarray of shape (..., D, D)
        One, or of several tables.
    magnitude : ndarray of shape (..., D)
        Absolute means of the columns.
    smallest : float
    """
    deviations = np.sqrt(np.maximum(covariance.diagonal(axis1=-2, axis2=-1), 0.0))
    least = np.maximum(_ROUNDING * magnitude, _SMALLEST_DEVIATION)
    varies = deviations > least
    if np.logical_and.reduce(varies, axis=None):
        correlations = covariance / deviations[..., :, None] / deviations[..., None, :]
    else:
        others = np.where(varies, deviations, np.inf).min(axis=-1, keepdims=True)
        stand_in = np.where(np.isfinite(others), others, np.where(magnitude > 0, magnitude, 1.0))
        deviations = np.maximum(np.where(varies, deviations, stand_in), least)
        scaled = covariance / deviations[..., :, None] / deviations[..., None, :]
        correlations = np.where(varies[..., :, None] & varies[..., None, :], scaled, 0.0)
    size = deviations.shape[-1]
    correlations.reshape(-1, size * size)[:, :: size + 1] = 1.0
    values, axes = np.linalg.eigh(correlations)
    low = values[..., 0] < smallest
    if np.logical_or.reduce(low, axis=None):
        raised = (axes * np.maximum(values, smallest)[..., None, :]) @ axes.swapaxes(-1, -2)
        correlations = np.where(low[..., None, None], raised, correlations)
    return deviations, np.asarray(np.linalg.cholesky(correlations), dtype=np.float64)
