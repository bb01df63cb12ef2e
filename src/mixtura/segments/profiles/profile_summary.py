"""Profiles as JSON, and as a table with one row per number or level."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mixtura.segments.profiles.distinctness import Distinctness
from mixtura.segments.profiles.profile import (
    CategoryProfile,
    LevelShare,
    NumericProfile,
    Population,
    SegmentProfile,
    TypicalCustomer,
    ValueProfile,
)
from mixtura.segments.weighted import NumericSummary

__all__ = ["json_number", "population_summary", "profile_rows", "segment_summary"]

Row = dict[str, Any]


def json_number(value: float) -> float | None:
    """Return a number that JSON knows: neither NaN nor infinity."""
    return float(value) if math.isfinite(value) else None


def population_summary(population: Population) -> Row:
    """Return what is known of everybody, column by column."""
    return {
        "value": None if population.value is None else _value(population.value),
        "numbers": {name: _summary(one) for name, one in population.numbers.items()},
        "categories": {
            name: [{"level": level.level, "count": level.count, "share": level.share} for level in levels]
            for name, levels in population.categories.items()
        },
    }


def segment_summary(segment: SegmentProfile, columns: Sequence[str]) -> Row:
    """Return what is known of a segment; `columns` are those that build."""
    return {
        "number": segment.number,
        "name": segment.name,
        "count": segment.count,
        "share": segment.share,
        "share_interval": list(segment.share_interval),
        "weight": segment.weight,
        "means": dict(zip(columns, segment.means.tolist(), strict=True)),
        "differences": dict(zip(columns, segment.differences.tolist(), strict=True)),
        "value": None if segment.value is None else _value(segment.value),
        "distinguishing": [one.column for one in segment.distinguishing],
        "numbers": [_numeric(one) for one in segment.numbers],
        "categories": [_category(one) for one in segment.categories],
        "typical": [_typical(one, columns) for one in segment.typical],
    }


def _value(value: ValueProfile) -> Row:
    return {
        "column": value.column,
        "total": json_number(value.total),
        "share": json_number(value.share),
        "mean": json_number(value.mean),
        "median": json_number(value.median),
        "index": json_number(value.index),
        "missing": value.missing,
    }


def _summary(summary: NumericSummary) -> Row:
    measured = ("mean", "sd", "minimum", "q1", "median", "q3", "maximum", "iqr")
    return {"count": summary.count, "missing": summary.missing} | {
        name: json_number(getattr(summary, name)) for name in measured
    }


def _distinction(distinction: Distinctness) -> Row:
    return {
        "overlap": json_number(distinction.overlap),
        "divergence_bits": json_number(distinction.divergence),
        "distinctness": json_number(distinction.distinctness),
    }


def _numeric(profile: NumericProfile) -> Row:
    return {
        "column": profile.column,
        "role": profile.role,
        **_summary(profile.summary),
        "difference": json_number(profile.difference),
        "cohens_d": json_number(profile.cohens_d),
        **_distinction(profile.distinction),
    }


def _category(profile: CategoryProfile) -> Row:
    return {
        "column": profile.column,
        **_distinction(profile.distinction),
        "levels": [_level(level) for level in profile.levels],
    }


def _level(level: LevelShare) -> Row:
    return {
        "level": level.level,
        "count": level.count,
        "share": json_number(level.share),
        "population_share": json_number(level.population_share),
        "lift": json_number(level.lift),
    }


def _typical(customer: TypicalCustomer, columns: Sequence[str]) -> Row:
    return {
        "customer": customer.customer,
        "row": customer.row,
        "log_density": json_number(customer.log_density),
        "values": dict(zip(columns, customer.values.tolist(), strict=True)),
    }


def profile_rows(
    segments: Sequence[SegmentProfile], population: Population, roles: Mapping[str, str]
) -> list[Row]:
    """Return profiles as rows of one table: a segment, a column, and for words a level, with their numbers.

    Segment 0 is everybody. What a row does not have is absent from it.

    Parameters
    ----------
    segments : sequence of SegmentProfile
    population : Population
    roles : mapping of str to str
        Of the numeric columns.
    """
    everybody = {"segment": 0, "segment_name": "everybody"}
    rows = [
        everybody | {"column": name, "role": roles[name]} | _summary(one)
        for name, one in population.numbers.items()
    ]
    for name, levels in population.categories.items():
        rows += [everybody | {"column": name, "role": "describes"} | _level(level) for level in levels]
    for segment in segments:
        who = {"segment": segment.number, "segment_name": segment.name}
        rows += [who | _numeric(one) for one in segment.numbers]
        for category in segment.categories:
            shown = {"column": category.column, "role": "describes", **_distinction(category.distinction)}
            rows += [who | shown | _level(level) for level in category.levels]
    return rows
