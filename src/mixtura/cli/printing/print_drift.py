"""Change over time on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table, print_notes
from mixtura.cli.printing.numbers import percent
from mixtura.segments.results.changes.drift_document import DriftDocument, MoversPart, PeriodPart

__all__ = ["print_drift"]

_SHOWN = 8


def print_drift(console: Console, document: DriftDocument) -> None:
    """Print the verdict, the shares over time, what changed last, and who moved."""
    last, reference = document.periods[-1], document.reference
    period = "" if last.label == document.source else f" {last.label},"
    said = f":{period} {last.rows:,} rows, compared with {reference.label}, {reference.rows:,} rows"
    console.print(Text.assemble((document.source, "bold"), said))
    console.print(Text.assemble((document.verdict.word.upper(), "bold"), f"  {document.verdict.sentence}"))
    _print_causes(console, document)
    _print_shares(console, document)
    if len(document.periods) > 1:
        _print_periods(console, document)
    _print_changes(console, last)
    if document.movers is not None:
        _print_movers(console, document, document.movers)
    if document.renewal is not None and document.renewal.sentences:
        console.print("\nIn the new model: " + " ".join(document.renewal.sentences))
    print_notes(console, tuple(document.notes))


def _print_causes(console: Console, document: DriftDocument) -> None:
    verdict = document.verdict
    if verdict.word == "keep":
        return
    words = {True: "yes", False: "not found"}
    said = [
        f"other shares: {words[verdict.mix]}",
        f"segments moved: {words[verdict.segments]}",
        f"a new kind of customer: {words[verdict.new_kind]}",
    ]
    console.print("; ".join(said) + ".")


def _print_shares(console: Console, document: DriftDocument) -> None:
    last = document.periods[-1]
    table = plain_table(
        "Segment", "before", "after", "95 %", "Hellinger", "expected", title="Shares and shapes", left=1
    )
    for name, share, held in zip(document.names, last.shares, last.segments, strict=True):
        table.add_row(
            f"{name.number} {name.name}",
            percent(share.before),
            percent(share.after),
            f"± {100 * share.after_half:.1f}",
            _number(held.hellinger),
            _number(held.hellinger_expected),
        )
    console.print()
    console.print(table)
    console.print(
        f"Population stability index {last.stability_index:.4f}; {last.stability_index_expected:.4f} is expected if "
        "nothing changed."
    )


def _print_periods(console: Console, document: DriftDocument) -> None:
    table = plain_table(
        "Period", "rows", "verdict", "shares", "moved", "new kind", "log density by", title="Periods"
    )
    for one in document.periods:
        verdict = one.verdict
        table.add_row(
            one.label,
            f"{one.rows:,}",
            verdict.word,
            *("yes" if found else "-" for found in (verdict.mix, verdict.segments, verdict.new_kind)),
            f"{one.log_likelihood.difference:+.2f}",
        )
    console.print()
    console.print(table)


def _print_changes(console: Console, period: PeriodPart) -> None:
    changes = [one for one in period.changes if one.matters]
    if not changes:
        return
    console.print(Text(f"\nWhat changed in {period.label}", style="bold"))
    for one in changes[:_SHOWN]:
        console.print(f"  {one.sentence[:1].upper()}{one.sentence[1:]}.")
    if len(changes) > _SHOWN:
        console.print(f"  {len(changes) - _SHOWN} more are in drift.json.")
    new = period.new_segment
    if new is not None:
        far = sorted(new.distances, key=lambda name: -abs(new.distances[name]))[:3]
        values = ", ".join(f"{name} {new.values[name]:,.4g}" for name in far if new.values[name] is not None)
        console.print(f"  A segment that the model lacks, {percent(new.share)} of the customers: {values}.")


def _print_movers(console: Console, document: DriftDocument, movers: MoversPart) -> None:
    console.print(Text(f"\nWho moved from {movers.before} to {movers.after}", style="bold"))
    console.print(
        f"  {movers.customers:,} customers are known at both times, {movers.only_before:,} only before, "
        f"{movers.only_after:,} only after."
    )
    console.print(
        f"  {movers.moved:,} are in another segment; {movers.expected:,.0f} would be by chance. Beyond chance: "
        f"{movers.beyond_chance:,.0f} ({movers.low:,.0f} to {movers.high:,.0f})."
    )
    paths = [one for one in movers.paths if one.beyond_chance > 0][:_SHOWN]
    if not paths:
        return
    worth = [] if movers.value_column is None else [movers.value_column]
    table = plain_table("From", "to", "customers", "by chance", "beyond", *worth, left=2)
    names = {one.number: f"{one.number} {one.name}" for one in document.names} | {-1: "outlier"}
    for one in paths:
        value = one.value_after if one.value_after is not None else one.value_before
        held = [] if movers.value_column is None else ["-" if value is None else f"{value:,.0f}"]
        table.add_row(
            names[one.before],
            names[one.after],
            f"{one.customers:,}",
            f"{one.expected:,.1f}",
            f"{one.beyond_chance:,.0f}",
            *held,
        )
    console.print(table)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
