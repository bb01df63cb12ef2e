"""Segments and population as parts of the document, and as one table with a row per number or level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixtura.segments.jsonable import jsonable_fields, to_jsonable
from mixtura.segments.profiles.distinctness import Distinctness
from mixtura.segments.profiles.index_table import ALPHA, LEAST_BASE, index_table
from mixtura.segments.profiles.profile import (
    CategoryProfile,
    LevelShare,
    NumericProfile,
    SegmentProfile,
    TypicalCustomer,
)
from mixtura.segments.weighted import NumericSummary, group_sums, row_maxima

if TYPE_CHECKING:
    from mixtura.segments.results.segmentation_result import SegmentationResult

__all__ = ["index_part", "population_part", "profile_rows", "segment_parts"]

Content = dict[str, Any]


def population_part(result: SegmentationResult) -> Content:
    """Return what is known of all customers, column by column."""
    population = result.population
    return {
        "count": population.count,
        "total_weight": population.total_weight,
        "effective_base": population.effective_base,
        "value": None if population.value is None else jsonable_fields(population.value),
        "numbers": {name: _statistics(one) for name, one in population.numbers.items()},
        "categories": {
            name: [{"level": level.level, "count": level.count, "share": level.share} for level in levels]
            for name, levels in population.categories.items()
        },
    }


def index_part(result: SegmentationResult) -> Content:
    """Return the index table: means and shares of all segments side by side."""
    rows = index_table(result.segments, result.population, result.columns.discrete)
    return {
        "alpha": ALPHA,
        "least_base": LEAST_BASE,
        "rows": [
            jsonable_fields(row, without={"cells"}) | {"cells": [jsonable_fields(cell) for cell in row.cells]}
            for row in rows
        ],
    }


def segment_parts(result: SegmentationResult) -> list[Content]:
    """Return what is known of each segment."""
    return [
        _segment(segment, result.model.columns)
        | {"mean_certainty": certainty, "effective_base": segment.effective_base}
        for segment, certainty in zip(result.segments, _mean_certainties(result), strict=True)
    ]


def profile_rows(result: SegmentationResult) -> list[Content]:
    """Return profiles as rows of one table: a segment, a column, and for words a level, with their numbers.

    Segment 0 is all customers. What a row does not have is absent from it.
    """
    population = population_part(result)
    overall = {"segment": 0, "segment_name": "all customers"}
    roles = {one.column: one.role for one in result.segments[0].numbers}
    rows = [
        overall | {"column": name, "role": roles[name]} | one for name, one in population["numbers"].items()
    ]
    for name, levels in result.population.categories.items():
        rows += [overall | {"column": name, "role": "descriptive"} | _level(level) for level in levels]
    for segment in result.segments:
        who = {"segment": segment.number, "segment_name": segment.name}
        rows += [who | _numeric(one) for one in segment.numbers]
        for category in segment.categories:
            shown = {"column": category.column, "role": "descriptive", **_distinctness(category.distinction)}
            rows += [who | shown | _level(level) for level in category.levels]
    return rows


def _segment(segment: SegmentProfile, columns: tuple[str, ...]) -> Content:
    return {
        "number": segment.number,
        "name": segment.name,
        "count": segment.count,
        "share": segment.share,
        "share_interval": segment.share_interval,
        "weight": segment.weight,
        "means": dict(zip(columns, segment.means.tolist(), strict=True)),
        "differences": dict(zip(columns, segment.differences.tolist(), strict=True)),
        "value": None if segment.value is None else jsonable_fields(segment.value),
        "distinguishing": [one.column for one in segment.distinguishing],
        "numbers": [_numeric(one) for one in segment.numbers],
        "categories": [_category(one) for one in segment.categories],
        "typical": [_typical(one, columns) for one in segment.typical],
    }


def _mean_certainties(result: SegmentationResult) -> list[float]:
    """Return the mean certainty of the customers of each segment, by weight; NaN for one without."""
    if result.whole is not None:
        return list(result.whole.mean_certainties)
    assignment, k, weights = result.assignment, result.model.n_segments, result.weights
    labels, certainty = assignment.labels[assignment.complete], row_maxima(result.memberships)
    totals = group_sums(labels, weights, k)
    sums = group_sums(labels, certainty if weights is None else weights * certainty, k)
    return [
        float(total / size) if size > 0 else float("nan") for total, size in zip(sums, totals, strict=True)
    ]


def _statistics(found: NumericSummary) -> Content:
    return jsonable_fields(found) | {"iqr": to_jsonable(found.iqr)}


def _distinctness(found: Distinctness) -> Content:
    return {
        "overlap": to_jsonable(found.overlap),
        "divergence_bits": to_jsonable(found.divergence),
        "distinctness": to_jsonable(found.distinctness),
    }


def _numeric(profile: NumericProfile) -> Content:
    return {
        "column": profile.column,
        "role": profile.role,
        **_statistics(profile.summary),
        "difference": to_jsonable(profile.difference),
        "cohens_d": to_jsonable(profile.cohens_d),
        **_distinctness(profile.distinction),
    }


def _category(profile: CategoryProfile) -> Content:
    return {
        "column": profile.column,
        **_distinctness(profile.distinction),
        "levels": [_level(level) for level in profile.levels],
    }


def _level(level: LevelShare) -> Content:
    return jsonable_fields(level)


def _typical(customer: TypicalCustomer, columns: tuple[str, ...]) -> Content:
    values = dict(zip(columns, np.asarray(customer.values).tolist(), strict=True))
    return jsonable_fields(customer, without={"values"}) | {"values": values}
