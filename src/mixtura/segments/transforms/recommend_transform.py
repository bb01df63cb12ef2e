"""Which columns should be transformed, and by what: the rule behind ``transform="auto"``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import ParameterError
from mixtura.segments.transforms.transforms import IDENTITY, TRANSFORMS, Transform, fit_transform
from mixtura.segments.weighted import effective_counts, has_few_values, known, quantiles, skewness

__all__ = ["EVERY_OTHER", "TransformAdvice", "advise_transform", "check_transforms", "transforms_of"]

EVERY_OTHER = "*"
"""Stands for the columns that are not named, where some are."""

_SKEWED = 1.0
"""Skewness from which on a column counts as skewed; that of an exponential distribution is 2."""

_ZERO_HEAVY = 0.1
"""From this share of zeros on, skewness is judged on the other values: no transform moves a spike."""

_FAR = 3.0
"""Extremes are far if their distance exceeds this multiple of that of percentiles 1 and 99 (normal: 1.4 to 2)."""

_TIED = 0.05
"""From this share of one value on, zeros aside, a column is discrete: a transform only moves its point masses."""

_FEWEST_ROWS, _FEWEST_VALUES = 20, 10
"""In shorter tables, and of codes and counts of a few, a shape cannot be judged."""


@dataclass(frozen=True, slots=True)
class TransformAdvice:
    """What the rule says of a column.

    Parameters
    ----------
    column : str
    kind : str
        One of `TRANSFORMS`.
    share_zero : float
        Of the values.
    skewness : float
        Of the values; of those that are not zero, where at least a tenth are.
    skewness_after : float
        The same once transformed.
    reason : str
    """

    column: str
    kind: str
    share_zero: float
    skewness: float
    skewness_after: float
    reason: str


def advise_transform(column: str, values: FloatArray, weights: FloatArray | None = None) -> TransformAdvice:
    """Say which transform suits a column.

    The first that applies:

    1. ``none`` where fewer than 20 values, or fewer than 10 different ones, cannot show a shape, and of skewed columns
       that are discrete, such as counts: a twentieth of the values other than zero, or more, are the same.
    2. ``log1p`` where no value is negative, the skewness is above 1, and log1p at least halves it, to at most 1.
    3. ``yeo-johnson`` where the skewness is above 1 or below -1, and Yeo and Johnson's transform at least halves it, to
       at most 1 in size.
    4. ``winsorize`` where a few values lie far out: the range is more than three times the distance of percentiles 1
       and 99.
    5. ``none``.

    Where a tenth of the values or more are zero, skewness is that of the others. That a transform must halve the
    skewness keeps the rule off columns that are skewed because they hold a small group apart, which a mixture describes
    as they are; that it must end near symmetry, off columns that no transform tames.

    Parameters
    ----------
    column : str
    values : ndarray of shape (N,)
        Finite.
    weights : ndarray of shape (N,) or None, default=None

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments import advise_transform
    >>> revenue = np.random.default_rng(0).lognormal(3, 1, size=500)
    >>> advice = advise_transform("revenue", revenue)
    >>> advice.kind, round(advice.skewness, 1), round(advice.skewness_after, 1)
    ('log1p', 4.2, 0.1)
    """
    if weights is not None:
        values, weights = values[weights > 0], weights[weights > 0]
    zero = values == 0
    share_zero = float(np.average(zero, weights=weights))
    n_rows = values.size if weights is None else float(effective_counts(weights).sum())
    if n_rows < _FEWEST_ROWS or has_few_values(values, _FEWEST_VALUES):
        return TransformAdvice(column, "none", share_zero, 0.0, 0.0, "too few different values to judge")
    judged, judged_weights = values, weights
    if share_zero >= _ZERO_HEAVY:
        judged, judged_weights = values[~zero], None if weights is None else weights[~zero]
    before = skewness(judged, judged_weights)
    if abs(before) > _SKEWED and _tied_share(judged, judged_weights) >= _TIED:
        reason = f"skewness {_tenths(before)}, but discrete: one value is frequent"
        return TransformAdvice(column, "none", share_zero, before, before, reason)
    for kind in _candidates(values, before):
        transform = fit_transform(kind, column, values, weights)
        after = skewness(transform.forward(judged), judged_weights)
        if abs(after) <= min(0.5 * abs(before), _SKEWED):
            reason = f"skewness {_tenths(before)}, transformed {_tenths(after)}"
            return TransformAdvice(column, kind, share_zero, before, after, _with_zeros(reason, share_zero))
    if _is_far_out(values, weights):
        clipped = fit_transform("winsorize", column, values, weights)
        after = skewness(clipped.forward(judged), judged_weights)
        reason = "a few values lie far beyond percentiles 1 and 99"
        return TransformAdvice(column, "winsorize", share_zero, before, after, reason)
    reason = f"skewness {_tenths(before)}"
    return TransformAdvice(column, "none", share_zero, before, before, _with_zeros(reason, share_zero))


def _candidates(values: FloatArray, before: float) -> tuple[str, ...]:
    if abs(before) <= _SKEWED:
        return ()
    return ("log1p", "yeo-johnson") if before > 0 and values.min() >= 0 else ("yeo-johnson",)


def _tied_share(values: FloatArray, weights: FloatArray | None) -> float:
    """Return the share of the most frequent value that is not zero, of those that are not."""
    different, place = np.unique(values, return_inverse=True)
    counts = np.bincount(place, weights).astype(np.float64)
    counts[different == 0] = 0.0
    total = float(counts.sum())
    return float(counts.max()) / total if total > 0 else 0.0


def _is_far_out(values: FloatArray, weights: FloatArray | None) -> bool:
    low, high = quantiles(values, np.array([0.01, 0.99]), weights)
    return bool(high > low and values.max() / _FAR - values.min() / _FAR > high - low)


def _tenths(value: float) -> str:
    """Return a number with one decimal, and no sign before a zero."""
    return f"{round(value, 1) + 0.0:.1f}"


def _with_zeros(reason: str, share_zero: float) -> str:
    return reason if share_zero < _ZERO_HEAVY else f"{reason} without the {100 * share_zero:.0f} % zeros"


def check_transforms(
    transform: str | Mapping[str, str],
    columns: Sequence[str] | None = None,
    discrete: Sequence[str] = (),
) -> dict[str, str]:
    """Return the kind asked for each column that was named, and for `EVERY_OTHER`.

    Parameters
    ----------
    transform : str or mapping of str to str
        One of `TRANSFORMS` or "auto", for all columns; or one per column, where ``"*"`` stands for the columns that are
        not named.
    columns : sequence of str or None, default=None
        The columns that build the segments, once they are known.
    discrete : sequence of str, default=()
        Counts and categories that build them, too, and have no transform.

    Raises
    ------
    ParameterError
        There is no such transform, or a column is named that does not build the segments.
    """
    asked = {EVERY_OTHER: transform} if isinstance(transform, str) else {EVERY_OTHER: "none", **transform}
    for column, kind in asked.items():
        if kind not in (*TRANSFORMS, "auto"):
            where = "" if column == EVERY_OTHER else f" for the column {column!r}"
            raise ParameterError(
                f"`transform` must be one of auto, {', '.join(TRANSFORMS)}, for all columns or by column; got {kind!r}"
                f'{where}. Try `transform="auto"`.'
            )
        if column in discrete:
            if kind in ("none", "auto"):
                continue
            raise ParameterError(
                f"`transform` is for amounts; got {kind!r} for {column!r}, which `kinds` takes for a count or a "
                "category. Take the column as continuous with `kinds`, or leave its transform out."
            )
        if columns is not None and column not in (*columns, EVERY_OTHER):
            raise ParameterError(
                f"`transform` must name columns that build the segments; got {column!r}. These are "
                f"{', '.join(repr(name) for name in columns)}. Leave it out, or check the name."
            )
    return {column: kind for column, kind in asked.items() if column not in discrete}


def transforms_of(
    asked: Mapping[str, str], columns: Sequence[str], rows: FloatArray, weights: FloatArray | None
) -> tuple[tuple[Transform, ...], tuple[TransformAdvice, ...]]:
    """Return the transform of each column, shape (D,), and what the rule says of each.

    Parameters
    ----------
    asked : mapping of str to str
        As `check_transforms` returns it.
    columns : sequence of str, length D
    rows : ndarray of shape (N, D)
        In the user's units; missing values, NaN, are not looked at.
    weights : ndarray of shape (N,) or None
    """
    columns_known = [known(values, weights) for values in rows.T]
    advice = tuple(advise_transform(name, *columns_known[d]) for d, name in enumerate(columns))
    transforms = []
    for d, said in enumerate(advice):
        kind = asked.get(said.column, asked[EVERY_OTHER])
        kind = said.kind if kind == "auto" else kind
        transforms.append(IDENTITY if kind == "none" else fit_transform(kind, said.column, *columns_known[d]))
    return tuple(transforms), advice
