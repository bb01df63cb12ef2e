"""A segmentation on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table
from mixtura.cli.printing.numbers import criterion_text, decimals_for, percent, readable, reason_text
from mixtura.cli.printing.print_profiles import WIDE, print_profiles
from mixtura.segments import SegmentationResult

if TYPE_CHECKING:
    from mixtura.select import Candidate

__all__ = ["print_segmentation"]

_RUNNERS_UP = 4
_ANOMALIES = 8


def print_segmentation(
    console: Console, result: SegmentationResult, stability: tuple[str, float] | None = None
) -> None:
    """Print the choice, the segments, who is between them, and who fits nowhere.

    `stability` is the verdict on it and the adjusted Rand index of resamples; None where it was not measured.
    """
    _print_choice(console, result, stability)
    print_profiles(console, result)
    _print_ambiguous(console, result)
    _print_anomalies(console, result)
    for note in result.notes:
        console.print(Text.assemble(("Note: ", "bold yellow"), note))
    models = f"{len(result.ranking)} models fitted" if len(result.ranking) > 1 else "1 model fitted"
    console.print(
        f"\n{models}, {result.assignment.complete.size:,} customers assigned in {result.seconds:.2f} s"
    )


def _print_choice(console: Console, result: SegmentationResult, stability: tuple[str, float] | None) -> None:
    best, training = result.best, result.model.training
    found = "1 segment" if best.n_components == 1 else f"{best.n_components} segments"
    reason = reason_text(training.criterion, smallest=best is result.smallest)
    among = " among models without segments of a few outliers" if result.passed_over else ""
    console.print(
        Text.assemble(
            ("\n" + found, "bold green"),
            f" ({best.covariance_type} covariances): {reason}{among}, "
            f"{training.outcome} after {best.n_iter} iterations",
        )
    )
    if stability is not None and best.n_components > 1:
        console.print(
            f"Stability: {stability[0]}; segments of resampled customers agree by {stability[1]:.2f} "
            "(1 is the same, 0 is chance)"
        )
    others = [
        candidate for candidate in result.ranking if candidate is not best and candidate.failure is None
    ]
    if not others:
        return
    _print_ranking(console, result, others[:_RUNNERS_UP])


def _print_ranking(console: Console, result: SegmentationResult, others: Sequence[Candidate]) -> None:
    """Print the chosen model and the runners-up; a narrow console gets what matters most."""
    best, name = result.best, result.model.training.criterion
    wide, names = console.width >= WIDE, dict.fromkeys(("bic", "aic", name))
    table = plain_table(
        "", "segments", "covariances", *(("parameters", *map(str.upper, names)) if wide else (name.upper(),))
    )
    table.columns[0].no_wrap = True
    table.add_column("above the chosen" if wide else "above", justify="right")
    for candidate in (best, *others):
        chosen = candidate is best
        figures = [criterion_text(one, candidate.criterion(one)) for one in (names if wide else (name,))]
        shown = (str(candidate.n_parameters), *figures) if wide else tuple(figures)
        table.add_row(
            "chosen" if chosen else "passed over" if candidate in result.passed_over else "",
            str(candidate.n_components),
            candidate.covariance_type,
            *shown,
            "" if chosen else criterion_text(name, candidate.criterion(name) - best.criterion(name)),
            style="bold" if chosen else None,
        )
    console.print(table)


def _print_ambiguous(console: Console, result: SegmentationResult) -> None:
    if not result.ambiguous:
        return
    wide = console.width >= WIDE
    said = "K-means says, and no more" if wide else "K-means"
    table = plain_table(
        result.assignment.id_name, "most probable", "", "next", "", said, title="\nMost ambiguous customers"
    )
    for column in (1, 3, 5):
        table.columns[column].justify = "left"
        table.columns[column].no_wrap = False

    def name(segment: int) -> str:
        return f"{segment + 1} {result.segments[segment].name}" if wide else str(segment + 1)

    for customer in result.ambiguous:
        first, second = (
            percent(float(customer.memberships[k]), 2) for k in (customer.first, customer.second)
        )
        table.add_row(
            customer.customer,
            name(customer.first),
            first,
            name(customer.second),
            second,
            name(customer.kmeans),
        )
    console.print(table)
    console.print(
        f"K-means puts {percent(result.kmeans.agreement)} of all customers into the same segment.",
        style="dim",
    )


def _print_anomalies(console: Console, result: SegmentationResult) -> None:
    model, rows = result.model, result.anomalies
    if model.anomaly_threshold is None:
        return
    title = (
        f"\nAnomalies: {len(rows)} customers with a log density below {model.anomaly_threshold:.2f} "
        f"(percentile {model.anomaly_percentile:g})"
    )
    if not rows:
        console.print(Text(title, style="bold"))
        return
    names = list(model.columns)[: max(1, min(6, (console.width - 40) // 14))]
    table = plain_table(result.assignment.id_name, "log density", *names, title=title)
    position = result.assignment.complete.cumsum() - 1
    for row in rows[:_ANOMALIES]:
        values = result.rows[position[row]]
        cells = [
            readable(float(values[d]), decimals_for(result.population.numbers[names[d]].sd))
            for d in range(len(names))
        ]
        table.add_row(result.assignment.customer(row), f"{result.assignment.log_density[row]:.2f}", *cells)
    console.print(table)
    if len(rows) > _ANOMALIES:
        rest = ", ".join(result.assignment.customer(row) for row in rows[_ANOMALIES : _ANOMALIES + 20])
        more = ", ..." if len(rows) > _ANOMALIES + 20 else ""
        console.print(f"and {rest}{more}", style="dim")
