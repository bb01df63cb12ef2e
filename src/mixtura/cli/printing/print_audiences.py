"""Audiences on the terminal."""

from __future__ import annotations

import math

import numpy as np
from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table, print_notes
from mixtura.cli.option_names import notes_with_options, with_options
from mixtura.cli.printing.numbers import decimals_for, percent, readable
from mixtura.segments import Audience, AudienceList

__all__ = ["print_audiences"]


def print_audiences(
    console: Console, source: str, result: AudienceList, *, drop_missing: bool = False
) -> None:
    """Print each audience's reach, who of it is expected to belong, its value, and who is in several."""
    assignment, found = result.assignment, result.found
    total = assignment.n_rows
    console.print(Text.assemble((source, "bold"), f": {total:,} customers"))
    for audience in found.audiences:
        console.print(f"{audience.segment + 1} {audience.rule}")
    _print_reach(console, result)
    if len(found.audiences) > 1:
        _print_overlap(console, result)
    if assignment.n_outliers:
        console.print(f"{assignment.n_outliers:,} outliers: they lie far from all segments")
    if total > assignment.n_known:
        console.print(
            with_options(assignment.unknown_note("in no audience", drop_missing=drop_missing)), soft_wrap=True
        )
    if result.weight_name is not None:
        console.print(f"Shares and sums count each customer {result.weight_name!r} times")
    if result.n_without_value:
        console.print(f"{result.n_without_value:,} without a value of {result.value_name!r}: in no audience")
    print_notes(console, notes_with_options(assignment.notes))


def _print_reach(console: Console, result: AudienceList) -> None:
    """Print measures downwards and segments across, in as many pieces as the width needs."""
    audiences = result.found.audiences
    values = np.concatenate([[] if one.value is None else one.value for one in audiences])
    decimals = decimals_for(float(values.std())) if values.size else 2
    per_piece = max((console.width - 30) // 16, 1)
    for start in range(0, len(audiences), per_piece):
        piece = audiences[start : start + per_piece]
        table = plain_table("", *(f"segment {audience.segment + 1}" for audience in piece))
        cells = [_cells(audience, decimals) for audience in piece]
        for measure in cells[0]:
            table.add_row(measure, *(column[measure] for column in cells))
        console.print(table)


def _cells(audience: Audience, decimals: int) -> dict[str, str]:
    found = {
        "customers reached": f"{audience.reach:,}",
        "of all customers": percent(audience.share),
        "expected to belong to it": f"{audience.expected_members:,.1f}",
        "of those reached": _share(audience.expected_share),
        "of all who belong to it": _share(audience.coverage),
    }
    if audience.total_value is not None and audience.total_expected_value is not None:
        found["value"] = readable(audience.total_value, decimals)
        found["expected value"] = readable(audience.total_expected_value, decimals)
    return found


def _share(value: float) -> str:
    return "" if math.isnan(value) else percent(value)


def _print_overlap(console: Console, result: AudienceList) -> None:
    """Print who is in which two audiences, by the numbers of the segments."""
    found = result.found
    numbers = [f"segment {audience.segment + 1}" for audience in found.audiences]
    table = plain_table("customers in both", *numbers)
    for number, counts in zip(numbers, found.overlap.tolist(), strict=True):
        table.add_row(number, *(f"{count:,}" for count in counts))
    console.print(table)
    console.print(f"{found.n_reached:,} customers in at least one audience")
