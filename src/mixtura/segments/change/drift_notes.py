"""What is said of rows and columns of which a comparison of two times says nothing."""

from __future__ import annotations

from collections.abc import Sequence

from mixtura.segments.change.periods import Period
from mixtura.segments.model.read_rows import ModelRows
from mixtura.segments.table.columns import LeftOut

__all__ = ["FEWEST_ROWS", "absent_notes", "period_notes", "unused_notes"]

FEWEST_ROWS = 30
"""Rows with which a period is compared, at least."""


def period_notes(
    periods: Sequence[Period], kept: Sequence[Period], time: str, without: int
) -> tuple[str, ...]:
    """Say which periods have too few rows, and how many rows have no time."""
    few = [f"{one.label} ({one.rows.size})" for one in periods if one not in kept]
    said = []
    if few:
        more = f" and {len(few) - 8} more" if len(few) > 8 else ""
        said.append(f"Periods with fewer than {FEWEST_ROWS} rows are left out: {', '.join(few[:8])}{more}.")
    if without:
        rows, are = ("row", "is") if without == 1 else ("rows", "are")
        said.append(f"{without:,} {rows} without a time in {time!r} {are} left out.")
    return tuple(said)


def absent_notes(read: ModelRows, label: str) -> tuple[str, ...]:
    """Say which columns of the model have no value in a table."""
    if not read.absent:
        return ()
    named = ", ".join(map(repr, read.absent))
    rest = "nothing is said of changes in it, nor of log densities, which others have without it"
    return (f"{label} has no values in {named}: {rest}; the remaining columns are compared.",)


def unused_notes(left_out: Sequence[LeftOut], label: str) -> tuple[str, ...]:
    """Say in which columns no change can be seen, as they say nothing in the reference period."""
    silent = [one.name for one in left_out if one.reason.startswith(("no values", "the same value"))]
    named = ", ".join(map(repr, silent[:8])) + (f" and {len(silent) - 8} more" if len(silent) > 8 else "")
    return (
        (f"Nothing is said of changes in {named}: {label} has one value there, or none.",) if silent else ()
    )
