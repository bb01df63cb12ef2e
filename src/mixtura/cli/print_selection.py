"""A ranking of models on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table
from mixtura.cli.numbers import criterion_text
from mixtura.segments import Selection

if TYPE_CHECKING:
    from mixtura.select import Candidate

__all__ = ["print_selection"]

_SHOWN = 10
_WIDE = 100
"""From so many characters on, the table has all its columns."""


def print_selection(console: Console, selection: Selection) -> None:
    """Print the best, the ten best with their gap to it, what failed and why, and whether the edge is the best."""
    found = selection.found
    best, name = found.best, found.criterion
    plural = "" if best.n_components == 1 else "s"
    console.print(
        Text.assemble(
            (f"\n{best.covariance_type}, {best.n_components} component{plural}", "bold green"),
            f": the smallest {name.upper()} ({criterion_text(name, best.criterion(name))})",
        )
    )
    fitted = [candidate for candidate in found.ranking if candidate.failure is None]
    _print_ranking(console, fitted[:_SHOWN], name)
    if len(fitted) > _SHOWN:
        console.print(f"and {len(fitted) - _SHOWN} more in selection.csv", style="dim")
    _print_failures(console, [candidate for candidate in found.ranking if candidate.failure is not None])
    dropped = f"Rows with missing or infinite values, left out: {selection.n_dropped:,}."
    for note in (
        _passed_over(selection),
        found.edge,
        dropped if selection.n_dropped else None,
        *selection.notes,
    ):
        if note is not None:
            console.print(Text.assemble(("Note: ", "bold yellow"), note))
    console.print(f"\n{len(found.candidates)} models tried in {selection.seconds:.2f} s")


def _passed_over(selection: Selection) -> str | None:
    """Say how many models with a smaller criterion are degenerate, and why the first is."""
    passed = selection.found.passed_over
    if not passed:
        return None
    first = passed[0]
    why = first.degeneracies[0].describe(selection.columns.used, first=1)
    models = "1 model" if len(passed) == 1 else f"{len(passed)} models"
    return (
        f"Passed over as degenerate: {models} with a smaller criterion. Of the first "
        f"({first.covariance_type}, {first.n_components}), {why}."
    )


def _print_ranking(console: Console, candidates: Sequence[Candidate], name: str) -> None:
    wide, best = console.width >= _WIDE, candidates[0].criterion(name)
    table = plain_table("", "covariances" if wide else "type", "components", name.upper(), "above", left=2)
    table.columns[0].justify, table.columns[1].no_wrap = "right", True
    for header in ("parameters", "log-likelihood") if wide else ():
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("ended")
    for rank, one in enumerate(candidates, start=1):
        value = one.criterion(name)
        gap = "" if rank == 1 else criterion_text(name, value - best)
        more = (str(one.n_parameters), f"{one.log_likelihood:,.2f}") if wide else ()
        ended = "degenerate" if one.is_degenerate else "" if one.outcome is None else one.outcome.value
        figures = (criterion_text(name, value), gap, *more, ended)
        table.add_row(
            str(rank),
            one.covariance_type,
            str(one.n_components),
            *figures,
            style="bold" if rank == 1 else None,
        )
    console.print(table)


def _print_failures(console: Console, failed: Sequence[Candidate]) -> None:
    """Print each reason once, with the models it stopped."""
    reasons: dict[str, list[str]] = {}
    for one in failed:
        reasons.setdefault(one.failure or "", []).append(f"{one.covariance_type} {one.n_components}")
    for reason, models in reasons.items():
        console.print(Text.assemble(("Not fitted: ", "bold yellow"), f"{', '.join(models)}. {reason}"))
