"""Which level of a categorical column says most of a segment."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2, sqrt
from typing import Protocol, TypeVar

__all__ = ["MISSING", "OTHER", "leading_level"]

OTHER, MISSING = "(other)", "(missing)"

_ASSOCIATED = 3.0
"""Standard errors from which on missing values are more frequent in a segment than chance makes them."""


class _Level(Protocol):
    """A level with its customers in the segment, and its shares of the segment and of all customers."""

    @property
    def level(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def share(self) -> float | None: ...
    @property
    def population_share(self) -> float | None: ...


Level = TypeVar("Level", bound=_Level)


def leading_level(levels: Sequence[Level]) -> Level:
    """Return the level that adds most to the divergence of the segment, ``share log2(share / population share)``.

    It is one that many of the segment's customers have and few others: with the highest ratio alone it would be a rare
    one. Missing values lead only where they are more frequent in the segment than chance makes them: three standard
    errors of a share.

    Parameters
    ----------
    levels : sequence of objects with `level`, `count`, `share` and `population_share`
        At least one. Those without shares come last.

    Examples
    --------
    >>> from mixtura.segments.profiles.leading_level import leading_level
    >>> from mixtura.segments.profiles.profile import LevelShare
    >>> female, none = LevelShare("female", 72, 0.935, 0.480, 1.95), LevelShare("(missing)", 5, 0.065, 0.032, 2.03)
    >>> leading_level([none, female]).level
    'female'
    """
    n_customers = sum(one.count for one in levels)
    return max(levels, key=lambda one: _said(one, n_customers))


def _said(one: _Level, n_customers: int) -> float:
    share, expected = one.share or 0.0, one.population_share or 0.0
    if share <= 0 or expected <= 0:
        return 0.0 if share == expected == 0 and one.share is not None else -1.0
    by_chance = _ASSOCIATED * sqrt(expected * (1.0 - expected) / max(n_customers, 1))
    if one.level == MISSING and share - expected <= by_chance:
        return -1.0
    return share * log2(share / expected)
