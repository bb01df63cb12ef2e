"""Profiles of segments, compared with all customers.

Customers count for the segment that is most probable for them: whole, not by membership. Weights count where there are
weights, in every statistic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.segments.model.naming import name_segments
from mixtura.segments.profiles.distinctness import Distinctness
from mixtura.segments.profiles.leading_level import leading_level
from mixtura.segments.profiles.profile_columns import Role
from mixtura.segments.weighted import NumericSummary

__all__ = [
    "CategoryProfile",
    "LevelShare",
    "NumericProfile",
    "Population",
    "SegmentProfile",
    "TypicalCustomer",
    "ValueProfile",
    "name_components",
]


@dataclass(frozen=True, slots=True)
class NumericProfile:
    """A numeric column in one segment.

    Parameters
    ----------
    column : str
    role : {"active", "descriptive", "value"}
    summary : NumericSummary
        Of the segment's customers, in the column's units.
    difference : float
        Effect size: mean of the segment minus mean of all customers, in standard deviations of all customers. Of a
        transformed active column, all three are those of the transformed values.
    cohens_d : float
        Cohen's d: mean of the segment less mean of the rest, in their pooled standard deviation (divisors: the total
        weights). NaN where there is no rest.
    distinction : Distinction
        Overlap with the rest, and divergence from the population.
    """

    column: str
    role: Role
    summary: NumericSummary
    difference: float
    cohens_d: float
    distinction: Distinctness


@dataclass(frozen=True, slots=True)
class LevelShare:
    """A level of a categorical column in one segment.

    Parameters
    ----------
    level : str
        `mixtura.segments.profiles.profile_columns.OTHER` for the rest, `MISSING` for no value.
    count : int
        Customers of the segment with it.
    share : float
        Of the segment.
    population_share : float
        Of all customers.
    lift : float
        `share` over `population_share`: 2 is twice as frequent as in the population.
    """

    level: str
    count: int
    share: float
    population_share: float
    lift: float


@dataclass(frozen=True, slots=True)
class CategoryProfile:
    """A categorical column in one segment.

    Parameters
    ----------
    column : str
    levels : tuple of LevelShare
    distinction : Distinction
        Missing is a level as any other.
    """

    column: str
    levels: tuple[LevelShare, ...]
    distinction: Distinctness

    @property
    def leading_level(self) -> LevelShare:
        """The level that says most of the segment, see `mixtura.segments.profiles.leading_level`."""
        return leading_level(self.levels)


@dataclass(frozen=True, slots=True)
class ValueProfile:
    """What the customers of a segment are worth, in units of the value column.

    Parameters
    ----------
    column : str
    total : float
        Sum over the customers whose value is known, each times its weight.
    share : float
        `total` over that of all customers; NaN where that is not above zero.
    mean : float
        Per customer whose value is known.
    median : float
    index : float
        `mean` over the mean of all customers: 2 is worth twice as much as a customer on average. NaN where that mean is
        not above zero.
    missing : int
        Customers whose value is not known.
    """

    column: str
    total: float
    share: float
    mean: float
    median: float
    index: float
    missing: int


@dataclass(frozen=True, slots=True, eq=False)
class TypicalCustomer:
    """A customer where the segment is densest.

    Parameters
    ----------
    row : int
        Of the table, from 0.
    customer : str
        The id.
    log_density : float
        Of the segment's component alone, per unit of what the mixture sees (scaled, transformed columns), in nats.
    values : ndarray of shape (D,)
        Of the columns that build, in the user's units.
    """

    row: int
    customer: str
    log_density: float
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SegmentProfile:
    """One segment.

    Parameters
    ----------
    number : int
        From 1; the largest segment first.
    name : str
    count : int
        Customers for whom it is the most probable segment.
    share : float
        Their part of all assigned customers, by weight.
    weight : float
        Mixing weight: its share when each customer counts with its membership.
    means : ndarray of shape (D,)
        Mean of each active column over these customers, in the user's units; where there are none, the center of
        the component.
    differences : ndarray of shape (D,)
        Means minus the mean of all customers, in standard deviations of all customers; of transformed columns, those of
        the transformed values.
    share_interval : tuple of two floats
        95 % bootstrap interval of `share`, see `bootstrap_interval`.
    value : ValueProfile or None
        None without a value column.
    numbers : tuple of NumericProfile
        The columns that build, describe, or are the value; what distinguishes the segment most comes first.
    categories : tuple of CategoryProfile
        The categorical columns that describe, likewise.
    typical : tuple of TypicalCustomer
        At most five, the most typical first: members where the density of the segment's own component is highest. That
        is not the nearest to the mean in the user's units, but by the segment's own spread and slant.
    effective_base : float, default=0.0
        Effective number of customers, ``(sum w)^2 / sum w^2`` of their weights (Kish 1965); `count` where all weights
        are equal.
    """

    number: int
    name: str
    count: int
    share: float
    weight: float
    means: FloatArray
    differences: FloatArray
    share_interval: tuple[float, float]
    value: ValueProfile | None
    numbers: tuple[NumericProfile, ...]
    categories: tuple[CategoryProfile, ...]
    typical: tuple[TypicalCustomer, ...]
    effective_base: float = 0.0

    @property
    def distinguishing(self) -> tuple[NumericProfile | CategoryProfile, ...]:
        """All columns, the most distinguishing first."""
        return tuple(sorted((*self.numbers, *self.categories), key=lambda one: _rank(one.distinction)))


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """All customers that are in a segment, whichever.

    Parameters
    ----------
    count : int
    total_weight : float
        Their number, where there are no weights.
    numbers : dict of str to NumericSummary
        Per numeric column, in the order of roles.
    categories : dict of str to tuple of LevelShare
        Per categorical column; every lift is 1.
    value : ValueProfile or None
    effective_base : float, default=0.0
        As of `SegmentProfile`.
    """

    count: int
    total_weight: float
    numbers: dict[str, NumericSummary]
    categories: dict[str, tuple[LevelShare, ...]]
    value: ValueProfile | None
    effective_base: float = 0.0


def _rank(distinction: Distinctness) -> float:
    return 0.0 if np.isnan(distinction.divergence) else -distinction.divergence


def name_components(
    scaled_means: FloatArray, columns: Sequence[str], scaled_spreads: FloatArray | None = None
) -> tuple[str, ...]:
    """Return names from means and spreads of scaled rows, shape (K, D); a single segment is "all customers"."""
    if len(scaled_means) == 1:
        return ("all customers",)
    return name_segments(scaled_means, columns, scaled_spreads)
