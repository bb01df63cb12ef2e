"""The segments on the terminal: how large, what they are worth, what they look like, what distinguishes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table, print_table
from mixtura.cli.printing.numbers import decimals_for, percent, readable

if TYPE_CHECKING:
    from mixtura.segments.results.document import Document
    from mixtura.segments.results.document_profiles import (
        CategoryPart,
        NumericPart,
        SegmentPart,
        StatisticsPart,
    )

__all__ = ["WIDE", "print_profiles"]

WIDE = 90
"""Width in characters from which on tables are printed with all their columns."""

_MARKS = ((1.0, "++"), (0.5, "+"))
"""Marks beside a mean: how many standard deviations it is from the mean of all customers."""

_CELL = 13
"""Characters that one segment takes in the table of means."""

_MEANS = 12
"""Columns in the table of means at most; of more, the most distinguishing."""

_DISTINGUISHING = 3
"""Columns of each kind that are listed per segment."""

_TYPICAL = 3

_INTERVAL, _PER_CUSTOMER, _MOST_TYPICAL = "95 % interval", "per customer", "most typical"
_LEAST_IMPORTANT = (_MOST_TYPICAL, _INTERVAL, _PER_CUSTOMER, "certainty")
"""Columns of the table of segments that a narrow console leaves out, the least important first."""

_ALL, _DIFFERENCE, _DISTINCT = "all customers", "difference", "distinct"
"""Columns of the table of what distinguishes segments that a narrow console leaves out, the last first."""

_NAME, _BETWEEN = 28, 3
"""Characters that a name is given before it breaks, and that each column takes beside its cells."""

_NONE = "–"


def print_profiles(console: Console, document: Document) -> None:
    """Print sizes and values, means, and what distinguishes each segment from all customers."""
    _print_sizes(console, document)
    _print_means(console, document)
    if len(document.segments) > 1:
        _print_distinguishing(console, document)


def _print_sizes(console: Console, document: Document) -> None:
    """Print a row per segment; a narrow console leaves out what matters least, so that names stay readable."""
    columns = _size_columns(document)
    for left_out in _LEAST_IMPORTANT:
        if _width(columns) <= console.width:
            break
        columns.pop(left_out, None)
    table = plain_table(*columns, left=2)
    table.columns[1].no_wrap = False
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*cells)
    print_table(console, table, "customers")


def _size_columns(document: Document) -> dict[str, list[str]]:
    """Return the cells of all columns by their heads."""
    segments, value = document.segments, document.population.value
    columns = {
        "": [str(one.number) for one in segments],
        "segment": [one.name for one in segments],
        "share": [percent(one.share) for one in segments],
        _INTERVAL: [
            "{:.1f} to {:.1f} %".format(*(100 * end for end in one.share_interval)) for one in segments
        ],
        "customers": [f"{one.count:,}" for one in segments],
        "certainty": ["" if one.mean_certainty is None else percent(one.mean_certainty) for one in segments],
    }
    if value is not None:
        decimals = decimals_for(document.population.numbers[value.column].sd)
        worths = [one.value for one in segments]
        columns[f"of all {value.column}"] = [
            "" if worth is None or worth.share is None else percent(worth.share) for worth in worths
        ]
        columns[_PER_CUSTOMER] = [
            "" if worth is None or worth.mean is None else readable(worth.mean, decimals) for worth in worths
        ]
    columns[_MOST_TYPICAL] = [", ".join(who.customer for who in one.typical[:_TYPICAL]) for one in segments]
    return columns


def _width(columns: dict[str, list[str]]) -> int:
    """Return the characters that a table takes, a name of a segment at most `_NAME`."""
    widths = [max(map(len, [head, *cells])) for head, cells in columns.items()]
    widths[1] = min(widths[1], _NAME)
    return sum(widths) + _BETWEEN * len(widths)


def _print_means(console: Console, document: Document) -> None:
    """Print columns downwards and segments across, in as many pieces as the width needs."""
    names, transformed = _with_means(document), _transformed(document)
    shown = _most_distinguishing(document)
    if not shown:
        return
    widest = min(max(len(name) + 2 * (name in transformed) for name in shown), 36)
    per_piece = max((console.width - max(widest, 14) - _CELL) // _CELL, 1)
    head = "mean, * median" if transformed else "mean of"
    for start in range(0, len(document.segments), per_piece):
        piece = document.segments[start : start + per_piece]
        table = plain_table(head, "all", *(f"segment {segment.number}" for segment in piece))
        table.columns[0].max_width = max(widest, len(head))
        for name in shown:
            overall, moved = document.population.numbers[name], name in transformed
            written = _written(overall)
            cells = [_middle_cell(segment, name, written, median=moved) for segment in piece]
            middle = written(overall.median if moved else overall.mean)
            table.add_row(name + " *" * moved, middle + "   ", *cells)
        console.print(table)
    console.print(
        "+ or - half a standard deviation from all customers, ++ or -- a whole one or more"
        + ("; * of the transformed column" if transformed else ""),
        style="dim",
    )
    if len(shown) < len(names):
        console.print(f"{len(names) - len(shown)} more columns are in profiles.csv", style="dim")


def _signed(value: float) -> str:
    """Return a number with its sign and one decimal; zero has none."""
    text = f"{value:+.1f}"
    return "0.0" if text in {"+0.0", "-0.0"} else text


def _written(overall: StatisticsPart) -> Callable[[float | None], str]:
    """Return what writes the values of a column: with as many digits as distinguish customers, years as years."""
    decimals, years = decimals_for(overall.sd), overall.has_years

    def written(value: float | None) -> str:
        return _NONE if value is None else readable(value, decimals, years=years)

    return written


def _transformed(document: Document) -> set[str]:
    """Return the transformed columns: a few large values distort their means."""
    return {one.column for one in document.transforms if one.kind != "none"}


def _with_means(document: Document) -> list[str]:
    """Return the columns that build segments and have means: the continuous ones, then counts and ordered answers."""
    table = document.table
    return [*table.active, *(name for name in table.discrete if name in document.population.numbers)]


def _most_distinguishing(document: Document) -> list[str]:
    """Return the columns whose means are shown, in the order of the table."""
    names = _with_means(document)
    if len(names) <= _MEANS:
        return names
    most = dict.fromkeys(names, 0.0)
    for segment in document.segments:
        for one in segment.numbers:
            if one.column in most and one.distinctness is not None:
                most[one.column] = max(most[one.column], one.distinctness)
    chosen = sorted(names, key=lambda name: -most[name])[:_MEANS]
    return [name for name in names if name in chosen]


def _middle_cell(
    segment: SegmentPart, column: str, written: Callable[[float | None], str], *, median: bool
) -> Text:
    found = next(one for one in segment.numbers if one.column == column)
    difference = segment.differences.get(column, found.difference) or 0.0
    mark = next((mark for threshold, mark in _MARKS if abs(difference) >= threshold), "")
    if difference < 0:
        mark = mark.replace("+", "-")
    style = "" if not mark else "green" if difference > 0 else "magenta"
    value = found.median if median and found.median is not None else segment.means.get(column, found.mean)
    return Text(f"{written(value)} {mark:<2}", style=style)


def _print_distinguishing(console: Console, document: Document) -> None:
    """Print the few columns that distinguish each segment, active ones first."""
    table = plain_table(
        "", "", "here", _ALL, _DIFFERENCE, _DISTINCT, title="\nWhat distinguishes them", left=2
    )
    for segment in document.segments:
        for position, one in enumerate(_listed(segment)):
            number = "" if position else str(segment.number)
            table.add_row(number, *_cells(document, one), f"{one.distinctness or 0.0:.0f}")
    print_table(console, table, _DISTINCT, _DIFFERENCE, _ALL)
    distinct = (
        ""
        if table.columns[-1].header != _DISTINCT
        else "; distinct: 0 as all customers, 100 identified by it alone"
    )
    console.print(f"median (middle half), or share of customers{distinct}", style="dim")


def _listed(segment: SegmentPart) -> list[NumericPart | CategoryPart]:
    """Return the most distinguishing active columns, and the most distinguishing others."""
    numbers = {one.column: one for one in segment.numbers}
    categories = {one.column: one for one in segment.categories}
    ordered = [numbers.get(name) or categories[name] for name in segment.distinguishing]
    found = [one for one in ordered if one.distinctness is not None and one.distinctness >= 1]
    active = [one for one in found if getattr(one, "role", None) == "active"]
    others = [one for one in found if getattr(one, "role", None) != "active"]
    return [*active[:_DISTINGUISHING], *others[:_DISTINGUISHING]]


def _cells(document: Document, one: NumericPart | CategoryPart) -> tuple[str, ...]:
    from mixtura.segments.results.document_profiles import CategoryPart

    if isinstance(one, CategoryPart):
        level = one.leading_level
        return (
            f"{one.column}: {level.level}",
            percent(level.share or 0.0),
            percent(level.population_share or 0.0),
            f"{level.lift or 0.0:.1f} times",
        )
    overall = document.population.numbers[one.column]
    written = _written(overall)

    def middle(found: StatisticsPart) -> str:
        low, median, high = map(written, (found.q1, found.median, found.q3))
        return f"{median} ({low} to {high})"

    return one.column, middle(one), middle(overall), f"{_signed(one.difference or 0.0)} sd"
