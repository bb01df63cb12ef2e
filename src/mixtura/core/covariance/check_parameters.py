"""Checks of the parameters of a mixture, with errors that say what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mixtura._optional import as_numpy
from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance import Factors, NotPositiveDefiniteError, Structure
from mixtura.exceptions import ParameterError

__all__ = ["as_columns", "as_finite", "as_generator", "checked_covariances", "require_size"]


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


def as_columns(columns: Sequence[int], n_features: int) -> IntArray:
    """Return distinct numbers of columns."""
    given = np.asarray(columns)
    valid = given.ndim == 1 and given.dtype.kind in "iu" and 0 < given.size == np.unique(given).size
    if not valid or given.min() < 0 or given.max() >= n_features:
        raise ParameterError(
            f"`columns` must be distinct column numbers from 0 to {n_features - 1!r}; got {columns!r}. Try "
            "`columns=[0]`."
        )
    return given.astype(np.intp)


def as_generator(random_state: int | np.random.RandomState | None) -> np.random.RandomState:
    """Return the generator that is given, that of a seed, or one by chance."""
    if isinstance(random_state, np.random.RandomState):
        return random_state
    try:
        return np.random.RandomState(random_state)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"`random_state` must be a whole number from 0 to {2**32 - 1}, a RandomState or None; got "
            f"{random_state!r}. Try `random_state=0`."
        ) from error


def require_size(name: str, value: object) -> None:
    """Raise `ParameterError` unless a number of rows is whole and positive."""
    if not isinstance(value, int | np.integer) or value < 1:
        raise ParameterError(f"`{name}` must be a whole number of at least 1; got {value!r}.")
