"""The segments on the terminal: how large, what they are worth, what they look like, what distinguishes them."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table
from mixtura.cli.printing.numbers import decimals_for, percent, readable
from mixtura.segments import (
    CategoryProfile,
    NumericProfile,
    NumericSummary,
    SegmentationResult,
    SegmentProfile,
)

__all__ = ["WIDE", "print_profiles"]

WIDE = 90
"""From so many characters on, tables are printed with all they have."""

_MARKS = ((1.0, "++"), (0.5, "+"))
"""Marks beside a mean: how many standard deviations it lies off the mean of everybody."""

_CELL = 13
"""Characters that one segment takes in the table of means."""

_MEANS = 12
"""So many columns are told with their means, the most distinguishing first if there are more."""

_TELLING = 3
"""So many columns are told per segment."""

_TYPICAL = 3


def print_profiles(console: Console, result: SegmentationResult) -> None:
    """Print sizes and values, means, and what distinguishes each segment from everybody."""
    _print_sizes(console, result)
    _print_means(console, result)
    if len(result.segments) > 1:
        _print_distinguishing(console, result)


def _print_sizes(console: Console, result: SegmentationResult) -> None:
    wide, value = console.width >= WIDE, result.population.value
    headers = ["", "segment", "share", *(["95 % interval"] if wide else []), "customers", "certainty"]
    if value is not None:
        headers += [f"of all {value.column}", *(["per customer"] if wide else [])]
    table = plain_table(*headers, *(["most typical"] if wide else []), left=2)
    assignment = result.assignment
    for segment in result.segments:
        members = assignment.certainty[assignment.labels == segment.number - 1]
        low, high = segment.share_interval
        table.add_row(
            str(segment.number),
            segment.name,
            percent(segment.share),
            *([f"{100 * low:.1f} to {100 * high:.1f} %"] if wide else []),
            f"{segment.count:,}",
            percent(float(members.mean())) if members.size else "",
            *_value_cells(result, segment, wide=wide),
            *([", ".join(one.customer for one in segment.typical[:_TYPICAL])] if wide else []),
        )
    console.print(table)


def _value_cells(result: SegmentationResult, segment: SegmentProfile, *, wide: bool) -> list[str]:
    value, population = segment.value, result.population
    if value is None:
        return []
    cells = [percent(value.share) if np.isfinite(value.share) else ""]
    if wide:
        decimals = decimals_for(population.numbers[value.column].sd)
        cells.append(readable(value.mean, decimals) if np.isfinite(value.mean) else "")
    return cells


def _print_means(console: Console, result: SegmentationResult) -> None:
    """Print columns downwards and segments across, in as many pieces as the width needs."""
    names, transformed = result.model.columns, _transformed(result)
    shown = _most_telling(result)
    widest = min(max(len(names[d]) + 2 * (names[d] in transformed) for d in shown), 36)
    per_piece = max((console.width - max(widest, 14) - _CELL) // _CELL, 1)
    head = "mean, * median" if transformed else "mean of"
    for start in range(0, len(result.segments), per_piece):
        piece = result.segments[start : start + per_piece]
        table = plain_table(head, "everybody", *(f"segment {segment.number}" for segment in piece))
        table.columns[0].max_width = max(widest, len(head))
        for d in shown:
            everybody = result.population.numbers[names[d]]
            decimals = decimals_for(everybody.sd)
            moved = names[d] in transformed
            cells = [_middle_cell(segment, d, names[d], decimals, median=moved) for segment in piece]
            middle = everybody.median if moved else everybody.mean
            table.add_row(names[d] + " *" * moved, readable(middle, decimals) + "   ", *cells)
        console.print(table)
    console.print(
        "+ or - half a standard deviation from everybody, ++ or -- a whole one or more"
        + ("; * of the transformed column" if transformed else ""),
        style="dim",
    )
    if len(shown) < len(names):
        console.print(f"{len(names) - len(shown)} more columns are in profiles.csv", style="dim")


def _transformed(result: SegmentationResult) -> set[str]:
    """Return the columns of which the mixture sees something else; a few large values carry their means away."""
    pairs = zip(result.model.columns, result.model.transforms, strict=True)
    return {name for name, transform in pairs if transform.kind != "none"}


def _most_telling(result: SegmentationResult) -> list[int]:
    """Return the columns to tell, in the order of the table."""
    names = result.model.columns
    if len(names) <= _MEANS:
        return list(range(len(names)))
    most = dict.fromkeys(names, 0.0)
    for segment in result.segments:
        for one in segment.numbers:
            if one.column in most and np.isfinite(one.distinction.distinctness):
                most[one.column] = max(most[one.column], one.distinction.distinctness)
    return sorted(sorted(range(len(names)), key=lambda d: -most[names[d]])[:_MEANS])


def _middle_cell(segment: SegmentProfile, d: int, column: str, decimals: int, *, median: bool) -> Text:
    summary = next(one.summary for one in segment.numbers if one.column == column)
    difference = segment.differences[d]
    mark = next((mark for threshold, mark in _MARKS if abs(difference) >= threshold), "")
    if difference < 0:
        mark = mark.replace("+", "-")
    style = "" if not mark else "green" if difference > 0 else "magenta"
    value = summary.median if median and summary.count else segment.means[d]
    return Text(f"{readable(float(value), decimals)} {mark:<2}", style=style)


def _print_distinguishing(console: Console, result: SegmentationResult) -> None:
    """Print the few columns that distinguish each segment; what describes is told beside what builds."""
    table = plain_table(
        "", "", "here", "everybody", "difference", "distinct", title="\nWhat distinguishes them", left=2
    )
    for segment in result.segments:
        for position, one in enumerate(_told(segment)):
            number = "" if position else str(segment.number)
            table.add_row(number, *_told_cells(result, one), f"{one.distinction.distinctness:.0f}")
    console.print(table)
    console.print(
        "median (middle half), or share of customers; distinct: 0 as everybody, 100 told apart by it alone",
        style="dim",
    )


def _told(segment: SegmentProfile) -> list[NumericProfile | CategoryProfile]:
    """Return the most distinguishing columns that build, and those that describe, none that says nothing."""
    telling = [one for one in segment.distinguishing if one.distinction.distinctness >= 1]
    builds = [one for one in telling if isinstance(one, NumericProfile) and one.role == "builds"]
    others = [one for one in telling if one not in builds]
    return [*builds[:_TELLING], *others[:_TELLING]]


def _told_cells(result: SegmentationResult, one: NumericProfile | CategoryProfile) -> tuple[str, ...]:
    if isinstance(one, CategoryProfile):
        level = one.highest_lift
        shares = percent(level.share), percent(level.population_share)
        return f"{one.column}: {level.level}", *shares, f"{level.lift:.1f} times"
    everybody = result.population.numbers[one.column]
    decimals = decimals_for(everybody.sd)

    def middle(summary: NumericSummary) -> str:
        low, median, high = (readable(value, decimals) for value in (summary.q1, summary.median, summary.q3))
        return f"{median} ({low} to {high})"

    return one.column, middle(one.summary), middle(everybody), f"{one.difference:+.1f} sd"
