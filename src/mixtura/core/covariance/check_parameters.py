"""Checks of the parameters of a mixture, with errors that say what is wrong with them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mixtura._optional import as_numpy
from mixtura._typing import FloatArray
from mixtura.core.covariance import Factors, NotPositiveDefiniteError, Structure
from mixtura.exceptions import ParameterError

__all__ = ["as_finite", "checked_covariances"]


def _is_symmetric(matrices: FloatArray) -> bool:
    """Return whether (K, D, D) matrices are, measured by their deviations: an entry near zero is rounding."""
    deviations = np.sqrt(np.abs(np.einsum("kii->ki", matrices)))
    difference = np.abs(matrices - matrices.transpose(0, 2, 1))
    return bool((difference <= 1e-8 * deviations[:, :, None] * deviations[:, None, :]).all())


def checked_covariances(
    family: Structure, covariances: npt.ArrayLike, n_components: int, n_features: int
) -> tuple[FloatArray, Factors]:
    """Return covariances as stored, and their factors; finite, symmetric, positive definite, in the family."""
    stored = as_finite("covariances", covariances, family.storage.shape(n_components, n_features))
    full = family.storage.full(stored, n_components, n_features)
    if not _is_symmetric(full):
        raise ParameterError(
            "`covariances` must be symmetric; got matrices that are not. Try (S + S.T) / 2 if the "
            "difference is rounding."
        )
    try:
        factors = family.storage.factor(stored, n_components, n_features)
    except NotPositiveDefiniteError as error:
        raise ParameterError(
            "`covariances` must be positive definite; got some that are not, those of components "
            f"{list(error.components)!r}. Add a small constant to their diagonal."
        ) from error
    if not family.contains(stored, n_components, n_features):
        raise ParameterError(
            f"`covariances` must be of the family {family.name!r}, with volumes, shapes and orientations equal where "
            "it says so; got others. Try `covariance_type='full'` (or 'diag' for variances), which allows any."
        )
    return stored, family.storage.refine(stored, factors)


def as_finite(name: str, value: npt.ArrayLike, shape: tuple[int, ...] | None = None) -> FloatArray:
    """Return an array of finite numbers, of a shape where one is required."""
    array = np.array(as_numpy(value, name), dtype=np.float64, order="C")
    if shape is not None and array.shape != shape:
        raise ParameterError(f"`{name}` must have the shape {shape!r}; got {array.shape!r}.")
    if not np.isfinite(array).all():
        raise ParameterError(
            f"`{name}` must be finite; got {int((~np.isfinite(array)).sum())} values that are NaN or infinite."
        )
    return array
