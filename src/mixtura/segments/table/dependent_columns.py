"""Columns that are sums of other columns, up to rounding, or curves of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixtura._typing import Array, FloatArray
from mixtura.segments.table.columns import ColumnChoice, LeftOut
from mixtura.segments.table.rounding import rounding_step

__all__ = ["DEPENDENT_REASONS", "Dependence", "drop_dependent_columns", "find_curve", "find_dependence"]

DEPENDENT_REASONS = ("the sum of ", "a combination of ", "the same as ", "a curve of ")
"""How the reasons of columns begin that are computed from others."""

_ROWS = 5_000
"""A dependence is looked for in at most this many rows, evenly spaced, and then verified in all."""
_ROWS_PER_COLUMN = 5
_EXPLAINED = 0.99
"""Share of variance that the other columns must explain, so that coarse rounding alone is not a dependence."""
_EXACT = 1e-9
"""Residuals below this share of the largest value are rounding of floating-point numbers."""
_EXCEPTIONS = 0.01
"""Share of rows in which a sum may not hold: returns, corrections and typing errors in real tables."""
_TRIMS = 3
_FEWEST_STEPS = 20
"""Steps of a curve, at least: chance does not put twenty in the same order."""
_CURVE_SAMPLE = 200
"""Rows in which a curve is looked for first."""
_TIES = 0.05
"""Share of the steps along a curve in which one of the columns may stay, by rounding."""
_STRAIGHT = 0.9999
"""Share of variance explained from which on a curve is a line."""
_NEAR_WHOLE = 0.05
"""Coefficients this near to whole numbers are taken for them: rounding of the columns biases a regression."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """A column that is a constant plus multiples of others, to within the rounding of all of them.

    Parameters
    ----------
    column : int
        Position of the column that can be left out.
    others : tuple of int
        Positions of the columns it is computed from.
    coefficients : tuple of float
        One per other column.
    n_exceptions : int, default=0
        Rows in which it does not hold; at most one in a hundred, and only where all coefficients are whole numbers.
    """

    column: int
    others: tuple[int, ...]
    coefficients: tuple[float, ...]
    n_exceptions: int = 0

    def reason(self, names: Sequence[str]) -> str:
        """Return the reason in words, such as "the sum of 'online' and 'store'"."""
        quoted = [repr(names[other]) for other in self.others]
        if len(quoted) == 1:
            return f"the same as {quoted[0]}, up to scale and rounding{self._except}"
        listed = f"{', '.join(quoted[:-1])} and {quoted[-1]}"
        summed = all(coefficient == 1.0 for coefficient in self.coefficients)
        return f"the sum of {listed}{self._except}" if summed else f"a combination of {listed}{self._except}"

    @property
    def _except(self) -> str:
        if not self.n_exceptions:
            return ""
        return f" in all but {self.n_exceptions} row{'' if self.n_exceptions == 1 else 's'}"


def find_dependence(rows: FloatArray) -> Dependence | None:
    """Return a column that is a sum of multiples of others, or None.

    Of the columns of a sum, the one whose multiples are all positive (the total) is named, else the last.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        No column is constant; rows that lack a value are not looked at.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.table.dependent_columns import find_dependence
    >>> online, store = np.random.default_rng(0).normal([[50.0], [30.0]], 9.0, size=(2, 200))
    >>> found = find_dependence(np.column_stack([online, np.rint(online + store), store]))
    >>> found.column, found.reason(["online", "total", "store"])
    (1, "the sum of 'online' and 'store'")
    """
    missing = np.isnan(rows).any(axis=1)
    rows = rows[~missing] if missing.any() else rows
    n_rows, n_columns = rows.shape
    if n_columns < 2 or n_rows < _ROWS_PER_COLUMN * n_columns:
        return None
    sample = rows[:: -(-n_rows // _ROWS)]
    center, largest = sample.mean(axis=0), np.maximum(rows.max(axis=0), -rows.min(axis=0))
    scale = sample.std(axis=0)
    if not scale.all():
        return None
    scaled = (sample - center) / scale
    steps = np.array([rounding_step(column) for column in rows.T])
    found = []
    for column in range(n_columns):
        one = _explained(scaled, column, scale)
        checked = None if one is None else _checked(rows, one, steps, largest)
        if checked is not None:
            found.append(checked)
    if not found:
        return None
    totals = [one for one in found if min(one.coefficients) > 0]
    return (totals or found)[-1]


def _explained(scaled: FloatArray, column: int, scale: FloatArray) -> Dependence | None:
    """Return the regression of a column on those of the others that matter, if it explains enough.

    Least squares on all rows, then on those with the smaller residuals, then with the columns that matter alone.
    """
    others = np.delete(np.arange(scaled.shape[1]), column)
    weights, left = _regression(scaled, column, others)
    for _ in range(_TRIMS):
        kept = np.abs(left) <= np.quantile(np.abs(left), 1 - 2 * _EXCEPTIONS)
        weights = _regression(scaled[kept], column, others)[0]
        left = scaled[:, column] - scaled[:, others] @ weights
        left -= np.median(left)
    spread = float(np.sqrt(np.square(left[kept]).mean()))
    if spread**2 > 1 - _EXPLAINED:
        return None
    others = others[np.abs(weights) > max(1e-6, 0.5 * spread)]
    weights = _regression(scaled[kept], column, others)[0]
    coefficients = weights * scale[column] / scale[others]
    near = np.rint(coefficients)
    if near.all() and np.allclose(coefficients, near, rtol=0.0, atol=_NEAR_WHOLE):
        coefficients = near
    return Dependence(column, tuple(map(int, others)), tuple(map(float, coefficients)))


def _regression(scaled: FloatArray, column: int, others: Array) -> tuple[FloatArray, FloatArray]:
    """Return the weights of other columns, and the residuals."""
    given = np.column_stack([scaled[:, others], np.ones(len(scaled))])
    solved = np.linalg.lstsq(given, scaled[:, column], rcond=1e-10)[0]
    return np.asarray(solved[:-1]), np.asarray(scaled[:, column] - given @ solved)


def _checked(
    rows: FloatArray, found: Dependence, steps: FloatArray, largest: FloatArray
) -> Dependence | None:
    """Return the dependence with its exceptions: rows further off than the rounding of the columns allows."""
    others, coefficients = list(found.others), np.array(found.coefficients)
    if not others:
        return None
    left = rows[:, found.column] - rows[:, others] @ coefficients
    whole = bool(np.all(coefficients == np.rint(coefficients)))
    left -= np.median(left) if whole else (left.min() + left.max()) / 2
    allowed = (steps[found.column] + np.abs(coefficients) @ steps[others]) / 2
    allowed += _EXACT * (largest[found.column] + np.abs(coefficients) @ largest[others])
    n_exceptions = int((np.abs(left) > (2 if whole else 1) * allowed).sum())
    if n_exceptions > (_EXCEPTIONS * len(rows) if whole else 0):
        return None
    return replace(found, n_exceptions=n_exceptions)


def find_curve(rows: FloatArray) -> tuple[int, int] | None:
    """Return a column that rises, or falls, with an earlier one in all rows, and that one; None without such a pair.

    A logarithm, a power or a rank says again what the column says that it was made of. Lines are left to
    `find_dependence`.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        NaN where a value is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.table.dependent_columns import find_curve
    >>> spent, visits = np.random.default_rng(0).gamma(2.0, size=(2, 100))
    >>> find_curve(np.column_stack([spent, visits, np.log(spent)]))
    (2, 0)
    """
    sample = rows[:: max(1, len(rows) // _CURVE_SAMPLE)]
    for other, values in enumerate(sample.T):
        steps = np.diff(sample[np.argsort(values, kind="stable")], axis=0)
        against = np.minimum((steps < 0).mean(axis=0), (steps > 0).mean(axis=0))
        for column in np.flatnonzero(against <= _TIES).tolist():
            if column > other and _is_curve(rows[:, [other, column]]):
                return column, other
    return None


def _is_curve(pair: FloatArray) -> bool:
    """Return whether the second column rises or falls with the first throughout, and not along a line; shape (N, 2)."""
    x, y = pair[~np.isnan(pair).any(axis=1)].T
    if x.size <= _FEWEST_STEPS:
        return False
    order = np.lexsort((y, x))
    along, across = np.diff(x[order]), np.diff(y[order])
    sign = 1.0 if across.sum() >= 0 else -1.0
    if sign < 0:  # rows of the same x in the order of y
        order = np.lexsort((-y, x))
        across = -np.diff(y[order])
    steps = (along > 0) | (across > 0)
    both = int(np.count_nonzero((along > 0) & (across > 0)))
    if (across < 0).any() or both < max(_FEWEST_STEPS, (1 - _TIES) * np.count_nonzero(steps)):
        return False
    return bool(np.corrcoef(x, y)[0, 1] ** 2 < _STRAIGHT)


def drop_dependent_columns(
    choice: ColumnChoice, rows: FloatArray, *, explicit: bool
) -> tuple[ColumnChoice, FloatArray]:
    """Leave out columns that are sums or curves of others: they hold no information, and make covariances singular.

    Columns that the user named stay; the reason is then in the notes of the result.

    Parameters
    ----------
    choice : ColumnChoice
    rows : ndarray of shape (N, D)
        The columns in use.
    explicit : bool
        Whether the user named the columns.
    """
    if explicit:
        return choice, rows
    while (pair := find_curve(rows)) is not None:
        name, other = choice.used[pair[0]], choice.used[pair[1]]
        choice, rows = _without(
            choice, rows, LeftOut(name, f"a curve of {other!r}, in the order of all rows")
        )
    while (found := find_dependence(rows)) is not None:
        name = choice.used[found.column]
        choice, rows = _without(choice, rows, LeftOut(name, found.reason(choice.used)))
    return choice, rows


def _without(choice: ColumnChoice, rows: FloatArray, left_out: LeftOut) -> tuple[ColumnChoice, FloatArray]:
    position = choice.used.index(left_out.name)
    used = tuple(one for one in choice.used if one != left_out.name)
    choice = replace(choice, used=used, left_out=(*choice.left_out, left_out))
    return choice, np.ascontiguousarray(np.delete(rows, position, axis=1))
