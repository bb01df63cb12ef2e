"""A ranking of models on the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table, print_notes
from mixtura.cli.option_names import notes_with_options
from mixtura.cli.printing.numbers import criterion_text, percent, reason_text
from mixtura.segments import Selection
from mixtura.segments.table.complete import left_out_note

if TYPE_CHECKING:
    from mixtura.select import Candidate, SearchResult

__all__ = ["print_selection"]

_SHOWN = 10
_WIDE = 100
"""Width from which the table has all its columns."""


def print_selection(console: Console, selection: Selection, *, drop_missing: bool = False) -> None:
    """Print the best, the first ten with their gaps, what failed and why, and whether the best lies on the edge."""
    found = selection.found
    best, name = found.best, found.criterion
    named = best if found.rule == "covariance type" else found.minimum
    smallest = criterion_text(name, named.criterion(name))
    plural = "" if best.n_components == 1 else "s"
    console.print(
        Text.assemble(
            (f"\n{best.covariance_type}, {best.n_components} component{plural}", "bold green"),
            f": {reason_text(name, found.rule)} ({smallest})",
        )
    )
    fitted = [candidate for candidate in found.ranking if candidate.failure is None]
    shown = [one for rank, one in enumerate(fitted) if rank < _SHOWN or one is best]
    _print_ranking(console, shown, found)
    if len(fitted) > len(shown):
        console.print(f"and {len(fitted) - len(shown)} more in selection.csv", style="dim")
    _print_reasons(console, found)
    notes = (
        _passed_over(selection),
        found.robust_reason,
        found.selection_reason,
        found.boundary_warning,
        left_out_note(selection.n_dropped, "left out", drop_missing=drop_missing)
        if selection.n_dropped
        else None,
        *selection.notes,
    )
    print_notes(console, notes_with_options(note for note in notes if note is not None))
    console.print(f"\n{len(found.candidates)} models tried in {selection.seconds:.2f} s")


def _passed_over(selection: Selection) -> str | None:
    """Say how many models with a smaller criterion are excluded, and why."""
    passed, least = selection.found.excluded, selection.found.min_share
    degenerate = [one for one in passed if one.is_degenerate]
    small = [one for one in passed if not one.is_degenerate]
    said = [_degenerate(degenerate, selection)] if degenerate else []
    if small:
        which = "; ".join(
            f"{one.covariance_type}, {one.n_components}: {percent(one.smallest_share)}"
            for one in small[:_SHOWN]
        )
        said.append(
            f"Excluded, with a smaller criterion and a component below {percent(least)} of the rows: "
            f"{_models(small)} ({which})."
        )
    return " ".join(said) or None


def _models(found: Sequence[Candidate]) -> str:
    return "1 model" if len(found) == 1 else f"{len(found)} models"


def _degenerate(found: Sequence[Candidate], selection: Selection) -> str:
    first = found[0]
    why = first.degeneracies[0].describe(selection.columns.used, first=1)
    return (
        f"Excluded as degenerate: {_models(found)} with a smaller criterion. Of the first "
        f"({first.covariance_type}, {first.n_components}), {why}."
    )


def _print_ranking(console: Console, candidates: Sequence[Candidate], found: SearchResult) -> None:
    wide, name, first = console.width >= _WIDE, found.criterion, candidates[0]
    table = plain_table("", "covariances" if wide else "type", "components", name.upper(), "above", left=2)
    table.columns[0].justify, table.columns[1].no_wrap = "right", True
    if name == "cv":
        table.add_column("error", justify="right", no_wrap=True)
    for header in ("parameters", "log-likelihood") if wide else ():
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("ended")
    for one in candidates:
        value = one.criterion(name)
        gap = "" if one is first else criterion_text(name, value - first.criterion(name))
        error = (_error(one),) if name == "cv" else ()
        more = (str(one.n_parameters), f"{one.log_likelihood:,.2f}") if wide else ()
        ended = "degenerate" if one.is_degenerate else "" if one.outcome is None else one.outcome.value
        figures = (criterion_text(name, value), gap, *error, *more, ended)
        table.add_row(
            str(found.ranking.index(one) + 1),
            one.covariance_type,
            str(one.n_components),
            *figures,
            style="bold" if one is found.best else None,
        )
    console.print(table)


def _error(candidate: Candidate) -> str:
    error = candidate.criteria["cv_standard_error"]
    return criterion_text("cv", error) if math.isfinite(error) else ""


def _print_reasons(console: Console, found: SearchResult) -> None:
    """Print each reason why there is no fit, or no score, once, with the models it stopped."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in found.ranking:
        unscored = None if one.folds is None else one.folds.failure
        if one.failure is not None or unscored is not None:
            what = "Not fitted" if one.failure is not None else "Not scored"
            key = (what, one.failure or unscored or "")
            reasons.setdefault(key, []).append(f"{one.covariance_type} {one.n_components}")
    for (what, reason), models in reasons.items():
        console.print(Text.assemble((f"{what}: ", "bold yellow"), f"{', '.join(models)}. {reason}"))
