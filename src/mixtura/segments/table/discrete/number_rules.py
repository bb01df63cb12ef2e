"""What numbers look like: counts, ordered levels, and amounts with point masses; by the shares of their values."""

from __future__ import annotations

from typing import Literal

import numpy as np

from mixtura._typing import FloatArray, IntArray

__all__ = ["LARGEST_COUNT", "first_of_count", "level_kind", "point_masses"]

_SPIKE = 0.05
"""Least share of the rows at a point mass."""
_SPIKE_ROWS = 10
_OUT_OF_LINE = 5.0
"""How many times as frequent as a usual value a point mass is."""
_APART = 2.5
"""How many times as frequent as any other value."""
_USUAL = 10
"""The next most frequent values, whose median is the frequency of a usual one; and how many lie next to an end."""
_MOST_SPIKES = 3
_FEWEST_VALUES = 12
"""Different values that a column needs beside its point masses to be continuous there."""
_FINE_VALUES = 100
"""Different whole numbers from which on a value between the others may be a point mass; of fewer it is a mode."""

_MOST_COUNT = 100
"""Largest number of a count that has few different ones."""
LARGEST_COUNT = 1000
"""Largest number of any count."""
_COUNT_VALUES = 30
_BULK = 0.95
"""Share of the rows in which counts have few different values: the others are a long tail."""
_SINGLE_VALUES = 4
"""Values that hold half of the rows where components of continuous numbers would sit on single ones."""
_HEAPED_FROM, _HEAPED_RANGE, _HEAPED, _HEAPED_ROWS = 8, 20, 0.5, 0.05
"""Numbers from 8 on, that reach 20, are rounded amounts if half of them are multiples of five: 10, 15, 20."""
_ORDERED_VALUES = 7
_STEPS = 12
"""Different values of a column of which one is in most rows: they are levels, too few to be continuous beside it."""
_ROWS_PER_VALUE = 10
"""Rows for each level; with fewer, levels say little and counts may as well be continuous."""
_ZEROS = 7.0
"""Expected zeros from which on it is not chance that there is none (one in a thousand)."""


def point_masses(values: FloatArray) -> tuple[float, ...]:
    """Return values that far more rows have than any usual one, the smallest first: zeros, caps, "never".

    One, two or three values are point masses if at least 5 % of the rows have each of them, two and a half times as
    many as have the next most frequent value, and five times as many as have a usual one, the median of the ten next
    most frequent. Beside them a column has twelve different values. Of fewer than a hundred whole numbers only zero,
    the smallest and the largest can be point masses: any other is a mode, such as twelve years of school.

    Zero, the smallest and the largest value are point masses also where at least 5 % of the rows have them, and two and
    a half times as many as have any of the ten values next to them: a frequency in twelfths has few values, and its cap
    is not five times as frequent as a usual one; and where most are low, 1/12 may be more frequent than the cap.

    Parameters
    ----------
    values : ndarray of shape (N,)
        Finite.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.table.discrete.number_rules import point_masses
    >>> point_masses(np.concatenate([np.zeros(30), np.linspace(1, 9, 70)]))
    (0.0,)
    """
    different, counts = np.unique(values, return_counts=True)
    enough = max(_SPIKE * values.size, _SPIKE_ROWS)
    most = min(_MOST_SPIKES, different.size - _FEWEST_VALUES)
    if most < 1:
        return ()
    found = _most_frequent(different, counts, enough, most)
    at_ends = (one for one in _ends(different) if one not in found)
    stand_out = [one for one in at_ends if _stands_out(one, found, different, counts, enough)]
    stand_out.sort(key=lambda one: -counts[one])
    return tuple(different[sorted([*found, *stand_out[: most - len(found)]])].tolist())


def _most_frequent(different: FloatArray, counts: IntArray, enough: float, most: int) -> tuple[int, ...]:
    """Return the numbers of the most frequent values, as many as are apart from all others."""
    coarse = different.size < _FINE_VALUES and bool(np.all(different == np.rint(different)))
    ends, order = _ends(different), np.argsort(-counts, kind="stable")
    sizes = counts[order]
    for n_spikes in range(most, 0, -1):
        found = tuple(order[:n_spikes].tolist())
        if coarse and not ends.issuperset(found):
            continue
        least, rest = sizes[n_spikes - 1], sizes[n_spikes : n_spikes + _USUAL]
        if least >= max(enough, _APART * rest[0], _OUT_OF_LINE * float(np.median(rest))):
            return found
    return ()


def _ends(different: FloatArray) -> set[int]:
    """Return the numbers of zero, of the smallest and of the largest value."""
    return {0, different.size - 1, *np.flatnonzero(different == 0).tolist()}


def _stands_out(
    one: int, found: tuple[int, ...], different: FloatArray, counts: IntArray, enough: float
) -> bool:
    """Return whether far more rows have a value than those next to it, but for values that are point masses."""
    apart = np.abs(different - different[one])
    apart[[one, *found]] = np.inf
    near = np.argsort(apart, kind="stable")[: min(_USUAL, different.size - 1 - len(found))]
    return bool(counts[one] >= max(enough, _APART * counts[near].max()))


def level_kind(values: FloatArray) -> tuple[Literal["count", "ordered"], str] | None:
    """Return whether numbers are counts or ordered levels, and why; None where they are continuous.

    Counts are whole numbers from zero or one that vary at least about as much as a Poisson distribution. They have at
    most thirty different values, up to a hundred; or a long tail, up to a thousand, beyond at most thirty values that
    hold 95 % of the rows, of which four hold half: there components of a mixture of continuous numbers sit on single
    ones. Where most of the larger numbers are multiples of five they are rounded amounts, such as prices. Few different
    numbers that vary less, such as answers from 1 to 5, or steps of a price, are ordered levels: at most seven, or
    twelve where most rows have the same.

    Parameters
    ----------
    values : ndarray of shape (N,)
        Finite.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.table.discrete.number_rules import level_kind
    >>> level_kind(np.random.default_rng(0).negative_binomial(0.5, 0.1, size=2000).astype(float))
    ('count', '17 whole numbers of 0 to 55 hold 95 % of the rows, as of counts')
    """
    different, sizes = np.unique(values, return_counts=True)
    if different.size < 2:
        return None
    counted = _counted(values, different, sizes)
    if counted is not None:
        return "count", counted
    if values.size < _ROWS_PER_VALUE * different.size:
        return None
    low, high = different[0], different[-1]
    whole, spread = bool(np.all(different == np.rint(different))), f"{low:g} to {high:g}"
    few = different.size <= _ORDERED_VALUES
    if whole and few and high - low < 2 * _ORDERED_VALUES:
        return "ordered", f"{different.size} different whole numbers ({spread}), as of ordered answers"
    if few or (different.size <= _STEPS and 2 * sizes.max() > values.size):
        return "ordered", f"{different.size} different numbers ({spread}), as of steps"
    return None


def first_of_count(values: FloatArray) -> int:
    """Return the smallest number that a count can be: 1 where its smallest is 1 and zeros would have to be there.

    Of any mixture of Poisson distributions, so of negative binomials, too, at least ``n_1^2 / (2 n_2)`` rows at 0 go
    with n_1 at 1 and n_2 at 2, by Cauchy and Schwarz (Chao 1984); ``n_1 (n_1 - 1) / (2 (n_2 + 1))`` estimates it for
    few rows. If it is 7 or more, that none is at 0 has a probability of one in a thousand. Where most numbers are
    large the smallest is chance, and it makes little difference what it is.

    Parameters
    ----------
    values : ndarray of shape (N,)
        Whole numbers from 0.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.table.discrete.number_rules import first_of_count
    >>> orders = 1.0 + np.random.default_rng(0).poisson(1.0, size=200)
    >>> first_of_count(orders), first_of_count(orders - 1.0), first_of_count(orders + 17.0)
    (1, 0, 0)
    """
    if values.min() != 1:
        return 0
    ones, twos = (int(np.count_nonzero(values == number)) for number in (1, 2))
    return 1 if ones * (ones - 1) >= _ZEROS * 2 * (twos + 1) else 0


def _counted(values: FloatArray, different: FloatArray, sizes: IntArray) -> str | None:
    """Return why numbers are counts; None where they are not."""
    low, high, mean = different[0], different[-1], float(values.mean())
    if low not in (0, 1) or high > LARGEST_COUNT or not np.all(different == np.rint(different)):
        return None
    if float(values.var()) < 0.7 * mean or (low == 1 and different.size <= _ORDERED_VALUES):
        return None
    shares = np.cumsum(np.sort(sizes)[::-1]) / values.size
    half, bulk = (int(np.searchsorted(shares, share)) + 1 for share in (0.5, _BULK))
    if values.size < _ROWS_PER_VALUE * bulk or _are_heaped(different, sizes):
        return None
    if different.size <= _COUNT_VALUES and high <= _MOST_COUNT:
        return f"small whole numbers ({low:g} to {high:g}), as of counts"
    if bulk <= _COUNT_VALUES and half <= _SINGLE_VALUES:
        return f"{bulk} whole numbers of {low:g} to {high:g} hold 95 % of the rows, as of counts"
    return None


def _are_heaped(different: FloatArray, sizes: IntArray) -> bool:
    """Return whether most of the larger numbers are multiples of five, as prices and estimates are."""
    larger = different >= _HEAPED_FROM
    rows, round_rows = sizes[larger].sum(), sizes[larger & (different % 5 == 0)].sum()
    return bool(
        different[-1] >= _HEAPED_RANGE and rows >= _HEAPED_ROWS * sizes.sum() and round_rows > _HEAPED * rows
    )
