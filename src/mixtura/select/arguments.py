"""What inference is given, checked before any work is done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from mixtura._typing import Array, FloatArray, RowArray
from mixtura.exceptions import DataError, MissingValuesError, ParameterError, TooFewRowsError

__all__ = [
    "as_numbers",
    "as_rows",
    "as_seed",
    "as_weights",
    "count_rows",
    "require_at_least",
    "require_enough",
    "require_rows",
    "sample_size",
    "whole_numbers",
]


def as_numbers(name: str, values: npt.ArrayLike) -> Array:
    """Return an array as it is; raise `DataError` where it holds anything but real numbers."""
    try:
        array: Array = np.asarray(values)
    except ValueError as error:
        raise DataError(f"{name} that are no array were given: {error} Give rows of one length.") from error
    if array.dtype.kind not in "fiub":
        raise DataError(
            f"{name} of type {array.dtype.name!r} were given; numbers are required. Convert or drop what is no number."
        )
    return array


def as_rows(rows: npt.ArrayLike) -> RowArray:
    """Return rows as a C-contiguous float64 or float32 array of shape (N, D), not copied if they are one already.

    Raises
    ------
    DataError
        They are no table of numbers with at least one row and one column.
    MissingValuesError
        There are NaN or infinite values.
    """
    given = as_numbers("Rows", rows)
    if given.ndim != 2 or 0 in given.shape:
        raise DataError(
            f"Rows of shape {given.shape!r} were given; the shape must be (rows, columns). A single column has shape "
            "(rows, 1): try rows.reshape(-1, 1)."
        )
    dtype = np.float32 if given.dtype == np.float32 else np.float64
    array: Array = np.ascontiguousarray(given, dtype=dtype)
    bad = ~np.isfinite(array)
    if bad.any():
        where = np.flatnonzero(bad.any(axis=1))[:5].tolist()
        raise MissingValuesError(
            f"Rows with {int(bad.sum())!r} values that are NaN or infinite were given, the first in rows {where!r}; "
            "every "
            "value must be a finite number. Drop those rows or fill the gaps first.",
            columns=[f"column {j}" for j in np.flatnonzero(bad.any(axis=0))],
            rows=where,
            count=int(bad.sum()),
        )
    return array


def as_weights(sample_weight: npt.ArrayLike | None, n_rows: int) -> FloatArray | None:
    """Return sample weights as float64 of shape (N,), or None where none were given.

    Raises
    ------
    DataError
        The shape does not fit the rows, a weight is negative or not finite, or all are zero.
    """
    if sample_weight is None:
        return None
    weights = np.ascontiguousarray(as_numbers("Weights", sample_weight), dtype=np.float64)
    if weights.shape != (n_rows,):
        raise DataError(
            f"sample_weight of shape {weights.shape!r} was given for {n_rows!r} rows; give one weight per row."
        )
    if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.max() > 0):
        raise DataError(
            f"sample_weight from {float(weights.min())!r} to {float(weights.max())!r} was given; weights must be "
            "finite and not negative, and at least one must be positive. Leave them out to weight all rows alike."
        )
    return weights


def as_seed(random_state: int | np.random.RandomState | None) -> int:
    """Return a seed: a whole number as it is, otherwise one that is drawn, from the generator or by chance.

    Raises
    ------
    ParameterError
        It is not a seed: negative, above ``2**32 - 1``, or of another type.
    """
    try:
        if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool):
            np.random.RandomState(int(random_state))
            return int(random_state)
        return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    except ValueError as error:
        raise ParameterError(
            f"`random_state` must be a whole number from 0 to {2**32 - 1}, a RandomState or None; got "
            f"{random_state!r}. Try random_state=0."
        ) from error


def sample_size(rows: RowArray, weights: FloatArray | None) -> int:
    """Return how many rows a sample like these has: as many as the weights, taken as counts, sum to, rounded."""
    return int(rows.shape[0]) if weights is None else round(float(weights.sum()))


def count_rows(rows: RowArray, weights: FloatArray | None) -> int:
    """Return how many rows have a positive weight: all where no weights were given."""
    return int(rows.shape[0]) if weights is None else int(np.count_nonzero(weights))


def require_enough(rows: RowArray, weights: FloatArray | None, n_components: int) -> None:
    """Raise `TooFewRowsError` unless the rows, and samples like them, have at least as many rows as components."""
    require_rows(count_rows(rows, weights), n_components, "rows of positive weight")
    require_rows(sample_size(rows, weights), n_components, "rows that the weights sum to")


def require_rows(n_rows: int, n_components: int, what: str) -> None:
    """Raise `TooFewRowsError` unless there are at least as many rows as components."""
    if n_rows < n_components:
        raise TooFewRowsError(
            f"{n_components!r} components were asked of {n_rows!r} {what}; there must be at least as many as "
            "components. Ask for fewer components, or give more rows."
        )


def require_at_least(name: str, value: object, least: int) -> None:
    """Raise `ParameterError` unless a number is whole and not below the least allowed."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ParameterError(
            f"{name}={value!r} was given; it must be a whole number from {least!r}. Try {least!r} or more."
        )


def whole_numbers(name: str, values: object, least: int) -> list[int]:
    """Return numbers as integers, each once and in their order; 2.0 is one, 2.5 is none.

    Raises
    ------
    ParameterError
        There is none, or one is not whole or below the least allowed.
    """
    given: list[Any] = []
    if isinstance(values, Iterable) and not isinstance(values, str | bytes):
        given = list(values)
    if not given:
        raise ParameterError(
            f"{name}={values!r} was given; at least one whole number from {least!r} is required, in a list. Try "
            f"{name}=[2, 3]."
        )
    for one in given:
        if not _is_whole(one) or one < least:
            raise ParameterError(
                f"{name}={given!r} was given; {one!r} is not a whole number from {least!r}, and all must be. Try "
                f"{name}=[2, 3]."
            )
    return list(dict.fromkeys(int(one) for one in given))


def _is_whole(value: object) -> bool:
    if isinstance(value, bool | np.bool_):
        return False
    return isinstance(value, int | np.integer) or (
        isinstance(value, float | np.floating) and float(value).is_integer()
    )
