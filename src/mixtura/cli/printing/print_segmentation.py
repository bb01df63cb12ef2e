"""A segmentation on the terminal: what the document says, in tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table, print_notes, print_table
from mixtura.cli.printing.numbers import criterion_text, decimals_for, percent, readable, reason_text
from mixtura.cli.printing.print_profiles import WIDE, print_profiles

if TYPE_CHECKING:
    from mixtura.segments.known.document_part import KnownPart
    from mixtura.segments.results.document import CandidatePart, Document
    from mixtura.segments.results.document_checks import DriverPart, LeastCertainPart

__all__ = ["print_segmentation"]

_RUNNERS_UP = 4
_ANOMALIES = 8
_DOUBTFUL = 5
_CERTAIN = 0.99995
"""Membership from which on a customer is in one segment alone, as far as percentages show it."""
_ELSEWHERE = "known, but elsewhere"
_REASONS = 3
"""Columns that are named beside an anomaly, those with most of its distance."""
_NAMED = 20
"""Further anomalies that are listed by their ids."""


def print_segmentation(console: Console, document: Document) -> None:
    """Print the choice, the segments, the least certain customers, and the anomalies."""
    _print_choice(console, document)
    _print_selection(console, document)
    _print_known(console, document)
    _print_kept(console, document)
    print_profiles(console, document)
    _print_least_certain(console, document)
    _print_anomalies(console, document)
    print_notes(console, document.notes)
    n_models = len(document.candidates)
    models = f"{n_models} models fitted" if n_models > 1 else "1 model fitted"
    assigned = document.table.rows - document.table.rows_unassigned
    console.print(f"\n{models}, {assigned:,} customers assigned in {document.seconds:.2f} s")


def _print_choice(console: Console, document: Document) -> None:
    choice, verdict = document.choice, document.verdict
    if verdict.clusters_explanation is not None:
        console.print(f"\nClusters: {verdict.clusters_explanation}")
    found = "1 segment" if verdict.segments == 1 else f"{verdict.segments} segments"
    reason = reason_text(choice.criterion_name, choice.rule, determined=choice.determined)
    by_criterion = bool(document.diagnostics.excluded) and choice.determined and choice.rule != "stability"
    among = " of the models that were not excluded" if by_criterion else ""
    console.print(
        Text.assemble(
            ("\n" + found, "bold green"),
            f" ({_merged(document)}{_kind(document)}{_robust(document)}): {reason}{among}, "
            f"{choice.outcome or ''} after {choice.n_iter} iterations",
        )
    )
    if verdict.stability is not None and verdict.adjusted_rand is not None and verdict.segments > 1:
        console.print(
            f"Stability: {verdict.stability}; segments of resampled customers agree by {verdict.adjusted_rand:.2f} "
            f"(1 is the same, 0 is chance){_least_stable(document)}"
        )
    others = [one for one in document.candidates if not _is_chosen(one, document) and one.failure is None]
    if others:
        _print_ranking(console, document, others[:_RUNNERS_UP])


def _kind(document: Document) -> str:
    """Return what the model is called: by its covariances, where columns have some."""
    return f"{document.choice.covariance_type} covariances" if document.table.active else "latent classes"


def _merged(document: Document) -> str:
    """Return of how many components the segments were made, where some were merged."""
    return f"merged from {document.choice.n_components} components, " if document.are_merged else ""


def _robust(document: Document) -> str:
    """Return what the model has against outliers, as the headline says it."""
    if document.choice.robust == "t":
        return ", t distributions"
    outliers = document.table.outliers
    return f"; {outliers:,} outliers in none" if document.choice.robust == "noise" else ""


def _print_selection(console: Console, document: Document) -> None:
    """Print what every column is to the segments, and the evidence."""
    if document.selection is None:
        return
    wide = console.width >= WIDE
    table = plain_table("", "", "evidence", "resamples", "", title="\nColumns that build the segments")
    for column in (1, 4):
        table.columns[column].justify = "left"
        table.columns[column].no_wrap = column == 1
    for one in document.selection.columns:
        evidence = "" if one.evidence is None else f"{one.evidence:+,.1f}"
        again = "" if one.stability is None else percent(one.stability)
        style = "bold" if one.role == "building" else None
        table.add_row(one.column, one.role, evidence, again, one.why if wide else "", style=style)
    print_table(console, table, "resamples", "evidence")


def _print_known(console: Console, document: Document) -> None:
    """Print how many customers came into each segment which way, and whose label looks wrong."""
    found = document.known
    if found is None:
        return
    names = [f"{one.number} {one.name}" for one in document.segments]
    table = plain_table("", "", "known", "put in it", _ELSEWHERE, title=f"\nSegments known by {found.column}")
    table.columns[1].justify = "left"
    for one in found.segments:
        how, elsewhere = ("known", f"{one.elsewhere:,}") if one.is_known else ("found", "")
        table.add_row(names[one.segment - 1], how, f"{one.known:,}", f"{one.free:,}", elsewhere)
    print_table(console, table, _ELSEWHERE)
    if found.contradictions:
        _print_doubtful(console, document, found, names)


def _print_kept(console: Console, document: Document) -> None:
    """Print which segments were kept, and their shares before and now."""
    found = document.kept
    if found is None:
        return
    title = f"\nSegments kept from {found.source}, {found.created[:10]}"
    table = plain_table("", "", "share before", "share", "customers", title=title)
    table.columns[1].justify = "left"
    for one, segment in zip(found.segments, document.segments, strict=True):
        before = "" if one.share_before is None else percent(one.share_before)
        how = "kept" if one.is_kept else "new"
        table.add_row(f"{one.segment} {segment.name}", how, before, percent(one.share), f"{one.customers:,}")
    print_table(console, table, "customers")
    alone, name = found.criterion_without_new, document.choice.criterion_name
    value = document.choice.criterion(name)
    if found.n_new and alone is not None and value is not None:
        better = criterion_text(name, alone - value)
        console.print(f"Without the new segments {name.upper()} would be {better} larger.", style="dim")
    if not found.n_new:
        console.print(_why_none(document, len(found.segments)), style="dim")


def _why_none(document: Document, n_kept: int) -> str:
    """Return why there is no new segment beside those kept."""
    if all(one.n_components <= n_kept for one in document.candidates):
        return "No new segment was tried, as no more segments were asked for than those that are kept."
    return "No new segment makes the customers likelier than it costs."


def _print_doubtful(console: Console, document: Document, found: KnownPart, names: list[str]) -> None:
    title = f"\nLabels that look wrong: {found.n_elsewhere:,} of {found.n_known:,} known customers"
    table = plain_table(document.table.id_column or "row", "known", "", "most probable", "", title=title)
    for column in (1, 3):
        table.columns[column].justify, table.columns[column].no_wrap = "left", False
    for one in found.contradictions[:_DOUBTFUL]:
        probable = "outlier" if one.probable < 0 else names[one.probable - 1]
        table.add_row(
            one.customer,
            names[one.known - 1],
            percent(one.membership, 2),
            probable,
            percent(one.probable_membership, 2),
        )
    print_table(console, table)
    more = found.n_elsewhere - min(_DOUBTFUL, len(found.contradictions))
    if more:
        console.print(f"and {more:,} more", style="dim")


def _least_stable(document: Document) -> str:
    verdict = document.verdict
    if verdict.least_stable is None or verdict.least_jaccard is None:
        return ""
    return f", the least stable, {verdict.least_stable!r}, is found again by {verdict.least_jaccard:.2f}"


def _is_chosen(one: CandidatePart, document: Document) -> bool:
    choice = document.choice
    return (one.covariance_type, one.n_components) == (choice.covariance_type, choice.n_components)


def _print_ranking(console: Console, document: Document, others: Sequence[CandidatePart]) -> None:
    """Print the chosen model and the runners-up; a narrow console gets what matters most."""
    best, name = document.choice, document.choice.criterion_name
    wide, names = console.width >= WIDE, dict.fromkeys(("bic", "aic", name))
    shares = ("smallest segment" if wide else "smallest",) if best.min_share else ()
    table = plain_table(
        "",
        f"{document.counted}s",
        *(("covariances",) if document.table.active else ()),
        *shares,
        *(("parameters", *map(str.upper, names)) if wide else (name.upper(),)),
    )
    table.columns[0].no_wrap = True
    table.add_column("above the chosen" if wide else "above", justify="right")
    for candidate in (best, *others):
        chosen = candidate is best
        figures = [_criterion(candidate, one) for one in (names if wide else (name,))]
        shown = (str(candidate.n_parameters), *figures) if wide else tuple(figures)
        table.add_row(
            "chosen" if chosen else "excluded" if candidate.excluded else "",
            str(candidate.n_components),
            *((candidate.covariance_type,) if document.table.active else ()),
            *(percent(candidate.smallest_share or 0.0) for _ in shares),
            *shown,
            "" if chosen else _gap(candidate, best, name),
            style="bold" if chosen else None,
        )
    console.print(table)


def _criterion(one: CandidatePart, name: str) -> str:
    value = one.criterion(name)
    return "" if value is None else criterion_text(name, value)


def _gap(one: CandidatePart, best: CandidatePart, name: str) -> str:
    value, smallest = one.criterion(name), best.criterion(name)
    return "" if value is None or smallest is None else criterion_text(name, value - smallest)


def _print_least_certain(console: Console, document: Document) -> None:
    if not document.least_certain:
        return
    between = [one for one in document.least_certain if max(one.memberships) < _CERTAIN]
    if between:
        _print_ambiguous(console, document, between)
    else:
        console.print("\nNo customer is between two segments.", style="bold")
    console.print(
        f"K-means assigns {percent(document.kmeans.agreement)} of all customers to the same segment.",
        style="dim",
    )


def _print_ambiguous(console: Console, document: Document, between: Sequence[LeastCertainPart]) -> None:
    wide = console.width >= WIDE
    table = plain_table(
        document.table.id_column or "row",
        "most probable",
        "",
        "next",
        "",
        "K-means cluster" if wide else "K-means",
        title="\nMost ambiguous customers",
    )
    for column in (1, 3, 5):
        table.columns[column].justify = "left"
        table.columns[column].no_wrap = False

    def name(number: int) -> str:
        if number < 0:
            return "outlier"
        return f"{number} {document.segments[number - 1].name}" if wide else str(number)

    for customer in between:
        inside = customer.memberships
        rest = 1.0 - sum(inside) if customer.second < 0 else inside[customer.second - 1]
        most = name(customer.first), percent(inside[customer.first - 1], 2)
        following = name(customer.second), percent(rest, 2)
        cluster = "" if customer.kmeans_segment is None else name(customer.kmeans_segment)
        table.add_row(customer.customer, *most, *following, cluster)
    print_table(console, table)


def _reason(driver: DriverPart, document: Document) -> str:
    """Return a column with its value, and what would be normal given the others."""
    population = document.population.numbers[driver.column]
    decimals, years = decimals_for(population.sd), population.has_years
    value = f"{driver.column} {readable(driver.value, decimals, years=years)}"
    if driver.expected is None:
        return value
    return f"{value} (expected {readable(driver.expected, decimals, years=years)})"


def _print_anomalies(console: Console, document: Document) -> None:
    found = document.anomalies
    if found.log_density_threshold is None:
        return
    who = "1 customer" if found.count == 1 else f"{found.count:,} customers"
    title = (
        f"\nAnomalies: {who} with a log density below {found.log_density_threshold:.2f} "
        f"(percentile {found.percentile:g})"
    )
    console.print(Text(title, style="bold"))
    if not found.customers:
        return
    shown = found.customers[:_ANOMALIES]
    headers = ["reasons"] if any(one.drivers for one in shown) else []
    table = plain_table(document.table.id_column or "row", "log density", "segment", *headers)
    for column in table.columns[3:]:
        column.justify, column.no_wrap = "left", False
    for one in shown:
        density = "" if one.log_density is None else f"{one.log_density:.2f}"
        reasons = (
            [", ".join(_reason(driver, document) for driver in one.drivers[:_REASONS])] if headers else []
        )
        table.add_row(one.customer, density, str(one.segment), *reasons)
    print_table(console, table, "log density", "segment")
    if found.count > _ANOMALIES:
        rest = ", ".join(one.customer for one in found.customers[_ANOMALIES : _ANOMALIES + _NAMED])
        more = ", ..." if found.count > _ANOMALIES + _NAMED else ""
        console.print(f"and {rest}{more}", style="dim")
