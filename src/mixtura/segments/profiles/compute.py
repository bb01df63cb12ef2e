"""Profiles of all segments, computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.segments.model.assign import Assignment
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.profiles.distinctness import bins_of, distinguish
from mixtura.segments.profiles.profile import (
    CategoryProfile,
    LevelShare,
    NumericProfile,
    Population,
    SegmentProfile,
    TypicalCustomer,
    ValueProfile,
    hard_means,
)
from mixtura.segments.profiles.profile_columns import Levels, Numbers
from mixtura.segments.profiles.share_interval import bootstrap_interval
from mixtura.segments.weighted import NumericSummary, mean_and_sd, summarize_numbers

__all__ = ["Profiled", "profile_segments"]

T = TypeVar("T", NumericProfile, CategoryProfile)

_TYPICAL = 5


@dataclass(frozen=True, slots=True, eq=False)
class Profiled:
    """What profiles are made of: the complete rows, and where they went.

    Parameters
    ----------
    model : SegmentModel
    rows : ndarray of shape (N, D)
        In the user's units.
    assignment : Assignment
    weights : ndarray of shape (N,) or None
    numbers : sequence of Numbers
    levels : sequence of Levels
    value : str or None
        Name of the value among `numbers`.
    """

    model: SegmentModel
    rows: FloatArray
    assignment: Assignment
    weights: FloatArray | None
    numbers: Sequence[Numbers]
    levels: Sequence[Levels]
    value: str | None

    @property
    def labels(self) -> IntArray:
        return self.assignment.labels[self.assignment.complete]


def profile_segments(given: Profiled) -> tuple[tuple[SegmentProfile, ...], Population]:
    """Return the profile of every segment, and that of everybody."""
    model, labels, weights = given.model, given.labels, given.weights
    population = _population(given)
    fallback = model.scaling.restore(model.mixture.means)
    counts, means = hard_means(given.rows, labels, fallback, weights)
    differences = _differences(given, fallback)
    effects = dict(zip(model.columns, differences.T, strict=True))
    numbers = [
        _numeric_profiles(
            column,
            population.numbers[column.name],
            given,
            effects[column.name] if column.role == "builds" else None,
        )
        for column in given.numbers
    ]
    categories = [
        _category_profiles(column, population.categories[column.name], given) for column in given.levels
    ]
    typical = _typical(given)
    totals = np.bincount(labels, weights=weights, minlength=model.n_segments)
    segments = tuple(
        SegmentProfile(
            number=k + 1,
            name=model.names[k],
            count=int(counts[k]),
            share=float(totals[k] / totals.sum()),
            weight=float(model.mixture.weights[k]),
            means=means[k],
            differences=differences[k],
            share_interval=bootstrap_interval(labels, k, weights),
            value=None if population.value is None else _value(given, labels == k, population.value),
            numbers=_sorted([one[k] for one in numbers]),
            categories=_sorted([one[k] for one in categories]),
            typical=typical[k],
        )
        for k in range(model.n_segments)
    )
    return segments, population


def _differences(given: Profiled, fallback: FloatArray) -> FloatArray:
    """Return how far each segment's means lie from everybody's, in standard deviations of everybody, shape (K, D).

    Transformed columns are compared as the mixture sees them: in the user's units a few large values would decide, and
    the differences would not be those that the segments are made of.
    """
    scaling = given.model.scaling
    seen, centers = scaling.transformed(given.rows), scaling.transformed(fallback)
    _, means = hard_means(seen, given.labels, centers, given.weights)
    moments = np.array([mean_and_sd(values, given.weights) for values in seen.T])
    return np.asarray((means - moments[:, 0]) / moments[:, 1])


def _sorted(profiles: list[T]) -> tuple[T, ...]:
    return tuple(sorted(profiles, key=lambda one: -np.nan_to_num(one.distinction.divergence)))


def _population(given: Profiled) -> Population:
    weights = given.weights
    numbers = {column.name: summarize_numbers(column.values, weights) for column in given.numbers}
    categories = {}
    for column in given.levels:
        counts = np.bincount(column.codes, minlength=len(column.levels))
        shares = _level_shares(column, np.ones(len(column.codes), dtype=bool), weights)
        categories[column.name] = tuple(
            LevelShare(level, int(count), float(share), float(share), 1.0)
            for level, count, share in zip(column.levels, counts, shares, strict=True)
        )
    total = float(len(given.rows) if weights is None else weights.sum())
    value = None if given.value is None else _value(given, np.ones(len(given.rows), dtype=bool), None)
    return Population(len(given.rows), total, numbers, categories, value)


def _numeric_profiles(
    column: Numbers, everybody: NumericSummary, given: Profiled, differences: FloatArray | None
) -> list[NumericProfile]:
    """Return the profile of a column in every segment; `differences` (K,) are those of a column that builds."""
    labels, weights, n_segments = given.labels, given.weights, given.model.n_segments
    known = ~np.isnan(column.values)
    values, labels_known = column.values[known], labels[known]
    weights_known = None if weights is None else weights[known]
    distinctions = distinguish(bins_of(values, weights_known), labels_known, n_segments, weights_known)
    held = np.bincount(labels_known, weights=weights_known, minlength=n_segments)
    shares = held / (held.sum() or 1.0)
    profiles = []
    for k in range(n_segments):
        members = labels == k
        summary = summarize_numbers(column.values[members], None if weights is None else weights[members])
        difference = (summary.mean - everybody.mean) / (everybody.sd if everybody.sd > 0 else float("nan"))
        if differences is not None and summary.count:
            difference = float(differences[k])
        profiles.append(
            NumericProfile(
                column=column.name,
                role=column.role,
                summary=summary,
                difference=difference,
                cohens_d=_cohens_d(summary.mean, float(shares[k]), everybody),
                distinction=distinctions[k],
            )
        )
    return profiles


def _cohens_d(mean: float, share: float, everybody: NumericSummary) -> float:
    """Return Cohen's d of a segment with this mean and share of the known values.

    By the law of total variance the pooled variance is that of everybody less ``share (1 - share) (m - m_rest)^2``.
    """
    if not 0 < share < 1:
        return float("nan")
    apart = (mean - everybody.mean) / (1 - share)
    pooled = everybody.sd**2 - share * (1 - share) * apart**2
    return apart / float(np.sqrt(pooled)) if pooled > 1e-12 * everybody.sd**2 else float("nan")


def _level_shares(column: Levels, members: Array, weights: FloatArray | None) -> FloatArray:
    held = None if weights is None else weights[members]
    sums = np.bincount(column.codes[members], weights=held, minlength=len(column.levels)).astype(np.float64)
    return sums / sums.sum() if sums.sum() > 0 else np.full(sums.shape, np.nan)


def _category_profiles(
    column: Levels, everybody: tuple[LevelShare, ...], given: Profiled
) -> list[CategoryProfile]:
    labels, weights, n_segments = given.labels, given.weights, given.model.n_segments
    distinctions = distinguish(column.codes, labels, n_segments, weights)
    profiles = []
    for k in range(n_segments):
        members = labels == k
        counts = np.bincount(column.codes[members], minlength=len(column.levels))
        levels = tuple(
            LevelShare(
                level=whole.level,
                count=int(count),
                share=float(share),
                population_share=whole.share,
                lift=float(share / whole.share) if whole.share > 0 else float("nan"),
            )
            for whole, count, share in zip(
                everybody, counts, _level_shares(column, members, weights), strict=True
            )
        )
        profiles.append(CategoryProfile(column.name, levels, distinctions[k]))
    return profiles


def _value(given: Profiled, members: Array, everybody: ValueProfile | None) -> ValueProfile:
    column = next(one for one in given.numbers if one.name == given.value)
    values = column.values[members]
    weights = None if given.weights is None else given.weights[members]
    known = ~np.isnan(values)
    total = float(values[known].sum() if weights is None else values[known] @ weights[known])
    summary = summarize_numbers(values, weights)
    whole_total = total if everybody is None else everybody.total
    whole_mean = summary.mean if everybody is None else everybody.mean
    return ValueProfile(
        column=column.name,
        total=total,
        share=total / whole_total if whole_total > 0 else float("nan"),
        mean=summary.mean,
        median=summary.median,
        index=summary.mean / whole_mean if whole_mean > 0 else float("nan"),
        missing=summary.missing,
    )


def _typical(given: Profiled) -> list[tuple[TypicalCustomer, ...]]:
    """Return the most typical customers of each segment, ties in the order of the table.

    The density of a component follows from what is known: ``log N_k(z) = log p(z) + log r_k - log w_k``.
    """
    model, assignment = given.model, given.assignment
    rows_of = np.flatnonzero(assignment.complete)
    log_density = assignment.log_density[rows_of] - model.scaling.log_jacobian(given.rows)
    labels = given.labels
    own = assignment.memberships[rows_of, labels] / model.mixture.weights[labels]
    density = log_density + np.log(own)
    found = []
    for k in range(model.n_segments):
        members = np.flatnonzero(labels == k)
        best = members[np.argsort(-density[members], kind="stable")[:_TYPICAL]]
        found.append(
            tuple(
                TypicalCustomer(
                    row=int(rows_of[n]),
                    customer=assignment.customer(int(rows_of[n])),
                    log_density=float(density[n]),
                    values=given.rows[n],
                )
                for n in best
            )
        )
    return found
