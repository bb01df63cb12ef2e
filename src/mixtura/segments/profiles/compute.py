"""Profiles of all segments, from what one pass over the rows has gathered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from mixtura._typing import FloatArray
from mixtura.segments.mergeable import GroupMoments, TopRows
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.profiles.distinctness import distinctness_of
from mixtura.segments.profiles.profile import (
    CategoryProfile,
    LevelShare,
    NumericProfile,
    Population,
    SegmentProfile,
    TypicalCustomer,
    ValueProfile,
)
from mixtura.segments.profiles.profile_columns import Categories, Numbers
from mixtura.segments.profiles.segment_statistics import (
    CategorySummary,
    LevelCounts,
    MeansSummary,
    NumberStatistics,
    NumberSummary,
    SegmentSizes,
    SizesSummary,
    TypicalSummary,
)
from mixtura.segments.profiles.share_interval import share_interval
from mixtura.segments.scan import Scored, Summary
from mixtura.segments.weighted import NumericSummary

__all__ = ["ProfileInput", "profile_segments", "profile_summaries"]

T = TypeVar("T", NumericProfile, CategoryProfile)

_TYPICAL = 5


@dataclass(frozen=True, slots=True, eq=False)
class ProfileInput:
    """What profiles are made of.

    Parameters
    ----------
    model : SegmentModel
    sizes : SegmentSizes
    scaled : sequence of GroupMoments, length D
        Of the active columns as the mixture sees them.
    typical : sequence of TopRows, length K
    numbers : sequence of pairs of Numbers and NumberStatistics
    levels : sequence of pairs of Categories and LevelCounts
    value : str or None
        Name of the value among `numbers`.
    customer : callable
        From the number of a complete row to its number in the table and the id of its customer.
    rows : ndarray of shape (n_complete, D)
        In the user's units.
    """

    model: SegmentModel
    sizes: SegmentSizes
    scaled: Sequence[GroupMoments]
    typical: Sequence[TopRows]
    numbers: Sequence[tuple[Numbers, NumberStatistics]]
    levels: Sequence[tuple[Categories, LevelCounts]]
    value: str | None
    customer: Callable[[int], tuple[int, str]]
    rows: FloatArray | Mapping[int, FloatArray]


def profile_summaries(
    model: SegmentModel, numbers: Sequence[Numbers], levels: Sequence[Categories], sample: Scored
) -> tuple[list[Summary[Any]], list[NumberSummary]]:
    """Return the summaries of a scan that profiles are made of: sizes, means, typical rows and levels; and numbers.

    Results of the former are the `sizes`, `scaled`, `typical` and `levels` of a `ProfileInput`. Those of the latter are
    summaries for a second pass.
    """
    k, active = model.n_segments, {name: d for d, name in enumerate(model.columns)}
    first: list[Summary[Any]] = [
        SizesSummary(k),
        MeansSummary(k, len(model.columns)),
        TypicalSummary(model.segment_mixture.weights, _TYPICAL),
        *(CategorySummary(one.name, len(one.levels), k) for one in levels),
    ]
    return first, [NumberSummary(active.get(one.name, one.name), k, sample) for one in numbers]


def profile_segments(given: ProfileInput) -> tuple[tuple[SegmentProfile, ...], Population]:
    """Return the profile of every segment, and that of all customers."""
    model, sizes = given.model, given.sizes
    weights = model.segment_mixture.weights
    population = _population(given)
    means, differences = _means(given), _differences(given)
    effects = dict(zip(model.columns, differences.T, strict=True))
    numbers = [
        _numeric_profiles(column, found, effects.get(column.name) if column.role == "active" else None)
        for column, found in given.numbers
    ]
    categories = [
        _category_profiles(column, found, population.categories[column.name], sizes)
        for column, found in given.levels
    ]
    segments = tuple(
        SegmentProfile(
            number=k + 1,
            name=model.names[k],
            count=int(sizes.counts[k]),
            share=float(sizes.shares[k]),
            weight=float(weights[k]),
            means=means[k],
            differences=differences[k],
            share_interval=share_interval(sizes, k),
            effective_base=float(sizes.effective[k]),
            value=_value(given, k, population.value),
            numbers=_sorted([one[k] for one in numbers]),
            categories=_sorted([one[k] for one in categories]),
            typical=_typical(given, k),
        )
        for k in range(model.n_segments)
    )
    return segments, population


def _means(given: ProfileInput) -> FloatArray:
    """Return the means of the active columns by segment, shape (K, D); the component's where no customer counts."""
    model = given.model
    found = {column.name: statistics.moments.mean for column, statistics in given.numbers}
    means = np.array([found[name] for name in model.columns]).reshape(-1, model.n_segments).T
    return np.where(np.isnan(means), model.scaling.restore(model.segment_mixture.means), means)


def _differences(given: ProfileInput) -> FloatArray:
    """Return how far the means of segments lie from those of all, in standard deviations of all, shape (K, D).

    Transformed columns are compared as the mixture sees them: in the user's units a few large values would decide, and
    the differences would not be those that the segments are made of. In a column that is constant but for outliers, who
    are in no segment, there are none.
    """
    if not given.scaled:
        return np.empty((given.model.n_segments, 0))
    means = np.stack([moments.mean for moments in given.scaled], axis=1)
    means = np.where(np.isnan(means), given.model.segment_mixture.means, means)
    together = [moments.together() for moments in given.scaled]
    center, spread = (np.concatenate([getattr(one, what) for one in together]) for what in ("mean", "sd"))
    return np.asarray(np.divide(means - center, spread, out=np.zeros_like(means), where=spread > 0))


def _sorted(profiles: list[T]) -> tuple[T, ...]:
    return tuple(sorted(profiles, key=lambda one: -np.nan_to_num(one.distinction.divergence)))


def _population(given: ProfileInput) -> Population:
    categories = {}
    for column, found in given.levels:
        counts, shares = found.counts.sum(axis=1), _shares(found.weights.sum(axis=1))
        categories[column.name] = tuple(
            LevelShare(level, int(count), float(share), float(share), 1.0)
            for level, count, share in zip(column.levels, counts, shares, strict=True)
        )
    return Population(
        count=int(given.sizes.counts.sum()),
        total_weight=float(given.sizes.weights.sum()),
        effective_base=float(given.sizes.weights.sum() ** 2 / given.sizes.squares.sum()),
        numbers={column.name: found.population for column, found in given.numbers},
        categories=categories,
        value=_value(given, None, None),
    )


def _numeric_profiles(
    column: Numbers, found: NumberStatistics, differences: FloatArray | None
) -> list[NumericProfile]:
    """Return the profile of a column in every segment; `differences` (K,) are those of an active column."""
    population, held = found.population, found.moments.weight
    distinctions = distinctness_of(found.bins, _effective(held, found.moments))
    shares = held / (held.sum() or 1.0)
    profiles = []
    for k, summary in enumerate(found.segments):
        difference = (summary.mean - population.mean) / (population.sd if population.sd > 0 else float("nan"))
        if differences is not None and summary.count:
            difference = float(differences[k])
        profiles.append(
            NumericProfile(
                column=column.name,
                role=column.role,
                summary=summary,
                difference=difference,
                cohens_d=_cohens_d(summary.mean, float(shares[k]), population),
                distinction=distinctions[k],
            )
        )
    return profiles


def _effective(weights: FloatArray, counted: GroupMoments | SegmentSizes) -> FloatArray:
    """Return weights by segment as numbers of customers; see `mixtura.segments.weighted.effective_counts`."""
    total, n_rows = float(weights.sum()), int(counted.positive.sum())
    return weights if total >= n_rows else weights * (n_rows / (total or 1.0))


def _cohens_d(mean: float, share: float, population: NumericSummary) -> float:
    """Return Cohen's d of a segment with this mean and share of the known values.

    By the law of total variance the pooled variance is that of all customers less ``share (1 - share) (m - m_rest)^2``.
    """
    if not 0 < share < 1:
        return float("nan")
    apart = (mean - population.mean) / (1 - share)
    pooled = population.sd**2 - share * (1 - share) * apart**2
    return apart / float(np.sqrt(pooled)) if pooled > 1e-12 * population.sd**2 else float("nan")


def _shares(sums: FloatArray) -> FloatArray:
    return np.asarray(sums / sums.sum()) if sums.sum() > 0 else np.full(sums.shape, np.nan)


def _category_profiles(
    column: Categories, found: LevelCounts, population: tuple[LevelShare, ...], sizes: SegmentSizes
) -> list[CategoryProfile]:
    distinctions = distinctness_of(found.weights, _effective(sizes.weights, sizes))
    profiles = []
    for k, distinction in enumerate(distinctions):
        levels = tuple(
            LevelShare(
                level=whole.level,
                count=int(count),
                share=float(share),
                population_share=whole.share,
                lift=float(share / whole.share) if whole.share > 0 else float("nan"),
            )
            for whole, count, share in zip(
                population, found.counts[:, k], _shares(found.weights[:, k]), strict=True
            )
        )
        profiles.append(CategoryProfile(column.name, levels, distinction))
    return profiles


def _value(given: ProfileInput, segment: int | None, population: ValueProfile | None) -> ValueProfile | None:
    """Return what a segment is worth, or all customers where it is None; None without a value column."""
    found = next((found for column, found in given.numbers if column.name == given.value), None)
    if given.value is None or found is None:
        return None
    summary = found.population if segment is None else found.segments[segment]
    totals = found.moments.total
    total = float(totals.sum() if segment is None else totals[segment])
    whole_total = total if population is None else population.total
    whole_mean = summary.mean if population is None else population.mean
    return ValueProfile(
        column=given.value,
        total=total,
        share=total / whole_total if whole_total > 0 else float("nan"),
        mean=summary.mean,
        median=summary.median,
        index=summary.mean / whole_mean if whole_mean > 0 else float("nan"),
        missing=summary.missing,
    )


def _typical(given: ProfileInput, segment: int) -> tuple[TypicalCustomer, ...]:
    """Return the most typical customers of a segment, ties in the order of the table."""
    top = given.typical[segment]
    return tuple(
        TypicalCustomer(*given.customer(int(row)), log_density=-float(key), values=given.rows[int(row)])
        for key, row in zip(top.keys, top.rows, strict=True)
    )
