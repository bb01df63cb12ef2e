"""Validation of parameters and arrays: allowed ranges as data, one sentence for all errors.

Every message names the parameter first: "`n_init` must be a whole number of at least 1; got 0. Try `n_init=5`."
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._optional import as_numbers
from mixtura._typing import Array, FloatArray, RowArray
from mixtura.exceptions import DataError, MissingValuesError, ParameterError, TooFewRowsError

__all__ = [
    "PROBABILITY",
    "SEED",
    "SHARE",
    "Interval",
    "as_rows",
    "as_seed",
    "as_weights",
    "count_rows",
    "require",
    "require_at_least",
    "require_enough",
    "require_rows",
    "require_total",
    "sample_size",
    "whole_numbers",
    "without_empty_rows",
]


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers that a parameter may take.

    Parameters
    ----------
    low, high : float
        The bounds; the upper one is infinite by default.
    whole : bool, default=False
        Only whole numbers.
    open_low, open_high : bool, default=False
        The bound itself is not allowed. An infinite bound never is.

    Examples
    --------
    >>> from mixtura.validation import Interval
    >>> str(Interval(1, whole=True)), str(Interval(0, 1, open_low=True)), str(Interval(0, 100, open_high=True))
    ('a whole number of at least 1', 'above 0 and at most 1', 'at least 0 and below 100')
    >>> 0.5 in Interval(0, 1), True in Interval(0, 1), 2.5 in Interval(1, whole=True)
    (True, False, False)
    """

    low: float
    high: float = np.inf
    whole: bool = False
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool | np.bool_) or not isinstance(
            value, int | float | np.integer | np.floating
        ):
            return False
        if self.whole and not isinstance(value, int | np.integer):
            return False
        above = value > self.low if self.open_low else value >= self.low
        # Infinity is not a number of any range.
        below = value < self.high if self.open_high or np.isinf(self.high) else value <= self.high
        return bool(above and below)

    def __str__(self) -> str:
        if self.whole and np.isfinite(self.high):
            return f"a whole number from {self.low:g} to {self.high:.15g}"
        bounds = [f"{'above' if self.open_low else 'at least'} {self.low:g}"]
        if np.isfinite(self.high):
            bounds.append(f"{'below' if self.open_high else 'at most'} {self.high:.15g}")
        return f"{'a whole number of ' if self.whole else ''}{' and '.join(bounds)}"


_SHOWN = 5
"""Columns and rows that an error names."""

_MOST_DRAWN = 1e8
"""Rows of a sample of weighted rows."""
PROBABILITY = Interval(0, 1, open_low=True, open_high=True)
SEED = Interval(0, 2**32 - 1, whole=True)

SHARE = Interval(0, 0.5)
"""Least share of the smallest of several segments: two cannot both have more than half."""


def require(name: str, value: object, allowed: Interval | Collection[object], hint: str = "") -> None:
    """Raise `ParameterError` unless a parameter has an allowed value.

    Parameters
    ----------
    name : str
        The Python name of the parameter.
    value : object
    allowed : Interval or collection
        The numbers, or the words, that it may be; among the words may be an `Interval`.
    hint : str, default=""
        What to try, such as "Try `n_init=5`."

    Examples
    --------
    >>> from mixtura.validation import Interval, require
    >>> require("level", 0.95, Interval(0, 1))
    >>> require("kind", "round", ["weighted", "parametric"], "Try `kind='weighted'`.")
    Traceback (most recent call last):
        ...
    mixtura.exceptions.ParameterError: `kind` must be 'weighted' or 'parametric'; got 'round'. Try `kind='weighted'`.
    """
    choices: list[object] = [allowed] if isinstance(allowed, Interval) else list(allowed)
    if not any(_fits(value, one) for one in choices):
        raise ParameterError(
            f"`{name}` must be {_alternatives(choices)}; got {value!r}.{hint and ' ' + hint}"
        )


def _fits(value: object, choice: object) -> bool:
    return value in choice if isinstance(choice, Interval) else isinstance(value, str) and value == choice


def _alternatives(choices: list[object]) -> str:
    words = [repr(one) for one in choices if not isinstance(one, Interval)]
    numbers = [str(one) for one in choices if isinstance(one, Interval)]
    if numbers and words:
        return f"{', '.join(words)}, or a number of {' or '.join(numbers)}"
    if len(words) <= 2:
        return " or ".join(words or numbers)
    return f"one of {', '.join(words)}"


MISSING = ("error", "fiml")
"""What NaN in rows may be: an error, or a missing value."""


def as_rows(rows: npt.ArrayLike, missing: str = "error") -> RowArray:
    """Return rows as a C-contiguous float64 or float32 array of shape (N, D), not copied if they are one already.

    Parameters
    ----------
    rows : array-like of shape (N, D)
    missing : {"error", "fiml"}, default="error"
        What NaN is: an error or a missing value.

    Raises
    ------
    DataError
        They are not a table of numbers with at least one row and one column.
    MissingValuesError
        There are infinite values, or NaN where that is an error; or a column has no value at all.
    ParameterError
        ``missing`` is neither.
    """
    require("missing", missing, MISSING)
    given = as_numbers("Rows", rows)
    if given.ndim != 2 or 0 in given.shape:
        raise DataError(
            f"Rows must have the shape (rows, columns); got {given.shape!r}. A single column has the shape (rows, 1): "
            "try rows.reshape(-1, 1)."
        )
    dtype = np.float32 if given.dtype == np.float32 else np.float64
    array: Array = np.ascontiguousarray(given, dtype=dtype)
    allowed = missing == "fiml"
    if allowed:
        require_some_values("the rows", array)
    if np.isinf(array).any() if allowed else not np.isfinite(array).all():
        raise missing_values(
            "Rows must hold finite numbers",
            array,
            "Drop those rows, fill the gaps first, or take NaN as missing with `missing='fiml'`.",
            may_be_missing=allowed,
        )
    return array


def without_empty_rows(weights: FloatArray | None, rows: RowArray) -> FloatArray | None:
    """Return weights that are zero for rows without any value: nothing can be learned from them."""
    unknown = np.isnan(rows).all(axis=1)
    if not unknown.any():
        return weights
    return np.where(unknown, 0.0, 1.0 if weights is None else weights)


def missing_values(
    required: str,
    values: Array,
    hint: str,
    *,
    names: Sequence[str] | None = None,
    first: int = 0,
    may_be_missing: bool = False,
) -> MissingValuesError:
    """Return the error for rows with NaN or infinite values: how many, in which columns and rows, and what to try.

    Parameters
    ----------
    required : str
        What values must be, such as "Rows must hold finite numbers".
    values : ndarray of shape (N, D)
        Some of them NaN or infinite.
    hint : str
        What to try.
    names : sequence of str or None, default=None
        Of the D columns; None for numbers from 0.
    first : int, default=0
        The number of the first row in the message; `rows` of the error are from 0.
    may_be_missing : bool, default=False
        Whether NaN is allowed; then only infinite values are counted.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.validation import missing_values
    >>> print(missing_values("`X` must be finite", np.array([[np.nan, np.inf], [1.0, 2.0]]), "Drop it."))
    `X` must be finite; got 2 values that are missing or infinite, in column 0 (1 missing), column 1 (1 infinite); 1 \
of 2 rows: 0 (the first row is 0). Drop it.
    """
    missing, infinite = np.isnan(values) & (not may_be_missing), np.isinf(values)
    n_missing, n_infinite = missing.sum(axis=0), infinite.sum(axis=0)
    rows = np.flatnonzero((missing | infinite).any(axis=1))
    where = np.flatnonzero(n_missing + n_infinite)
    columns, shown = _named(where, names)
    for place, j in enumerate(where):
        counts = [f"{n[j]} {kind}" for n, kind in ((n_missing, "missing"), (n_infinite, "infinite")) if n[j]]
        shown[place] += f" ({', '.join(counts)})"
    count = int((n_missing + n_infinite).sum())
    what = f"{'value that is' if count == 1 else 'values that are'} {'' if may_be_missing else 'missing or '}infinite"
    numbers = _first([str(row + first) for row in rows[: _SHOWN + 1]])
    return MissingValuesError(
        f"{required}; got {count} {what}, in {_first(shown)}; {rows.size} of {len(values)} rows: {numbers} (the first "
        f"row is {first}). {hint}",
        columns=columns,
        rows=rows[:_SHOWN].tolist(),
        count=count,
    )


def require_some_values(what: str, values: Array, names: Sequence[str] | None = None) -> None:
    """Raise `MissingValuesError` where a column is missing in all rows.

    Parameters
    ----------
    what : str
        What the columns are of, such as "`X`".
    values : ndarray of shape (N, D)
    names : sequence of str or None, default=None
        Of the columns; None for numbers from 0.
    """
    empty = np.flatnonzero(np.isnan(values).all(axis=0))
    if empty.size:
        columns, shown = _named(empty, names)
        raise MissingValuesError(
            f"Every column of {what} must have a value; got none in {_first(shown)}. Leave such columns out.",
            columns=columns,
            count=int(empty.size * len(values)),
        )


def _named(columns: Array, names: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Return the names of columns, and how a message shows them."""
    if names is None:
        numbers = [f"column {j}" for j in columns]
        return numbers, numbers.copy()
    found = [str(names[int(j)]) for j in columns]
    return found, [repr(name) for name in found]


def _first(words: list[str]) -> str:
    return ", ".join([*words[:_SHOWN], *(["..."] if len(words) > _SHOWN else [])])


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
            f"`sample_weight` must hold one weight per row, shape {(n_rows,)!r}; got shape {weights.shape!r}."
        )
    if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.max() > 0):
        raise DataError(
            "`sample_weight` must be finite and not negative, and at least one weight positive; got weights from "
            f"{float(weights.min())!r} to {float(weights.max())!r}. Leave them out to weight all rows equally."
        )
    require_total(weights)
    return weights


def require_total(weights: FloatArray, most: float = 1e100, reason: str = "") -> None:
    """Raise `DataError` where weights sum to less or more than rows can be counted with."""
    with np.errstate(over="ignore"):
        total = float(weights.sum())
    if not 1e-100 <= total <= most:
        raise DataError(
            f"`sample_weight` must sum to at least 1e-100 and at most {most:g}{reason}; got a sum of {total:g}. Divide "
            "the weights by their mean: then they sum to the number of rows."
        )


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
        from sklearn.utils import check_random_state  # slow to load, and a whole number does not need it

        return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    except ValueError as error:
        raise ParameterError(
            f"`random_state` must be a whole number from 0 to {2**32 - 1}, a RandomState or None; got "
            f"{random_state!r}. Try `random_state=0`."
        ) from error


def sample_size(rows: Sized, weights: FloatArray | None) -> int:
    """Return how many rows a sample like these has: as many as the weights, taken as counts, sum to, rounded."""
    return len(rows) if weights is None else round(float(weights.sum()))


def count_rows(rows: Sized, weights: FloatArray | None) -> int:
    """Return how many rows have a positive weight: all where no weights were given."""
    return len(rows) if weights is None else int(np.count_nonzero(weights))


def require_enough(rows: Sized, weights: FloatArray | None, n_components: int) -> None:
    """Raise `TooFewRowsError` unless the rows, and samples like them, have at least as many rows as components."""
    require_rows(count_rows(rows, weights), n_components, "rows of positive weight")
    require_rows(sample_size(rows, weights), n_components, "rows that the weights sum to")
    if weights is not None:
        require_total(weights, max(_MOST_DRAWN, len(rows)), ", as samples have as many rows")


def require_rows(n_rows: int, n_components: int, what: str) -> None:
    """Raise `TooFewRowsError` unless there are at least as many rows as components."""
    if n_rows < n_components:
        raise TooFewRowsError(
            f"There must be at least as many rows as components; got {n_rows!r} {what} for {n_components!r} "
            "components. Use fewer components, or give more rows."
        )


def require_at_least(name: str, value: object, least: int) -> None:
    """Raise `ParameterError` unless a number is whole and not below the least allowed."""
    require(name, value, Interval(least, whole=True), f"Try `{name}={least}` or more.")


def whole_numbers(name: str, values: object, least: int) -> list[int]:
    """Return numbers as integers, each once and in their order; 2.0 is one, 2.5 is not.

    Raises
    ------
    ParameterError
        The list is empty, or a number is not whole or below the least allowed.
    """
    given: list[Any] = []
    if isinstance(values, Iterable) and not isinstance(values, str | bytes):
        given = list(values)
    if not given:
        raise ParameterError(
            f"`{name}` must be a list of whole numbers of at least {least!r}; got {values!r}. Try `{name}=[2, 3]`."
        )
    for one in given:
        if not _is_whole(one) or one < least:
            raise ParameterError(
                f"`{name}` must be whole numbers of at least {least!r}; got {one!r} in {given!r}. Try `{name}=[2, 3]`."
            )
    return list(dict.fromkeys(int(one) for one in given))


def _is_whole(value: object) -> bool:
    if isinstance(value, bool | np.bool_):
        return False
    return isinstance(value, int | np.integer) or (
        isinstance(value, float | np.floating) and float(value).is_integer()
    )
