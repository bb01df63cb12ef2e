"""Advice on the terminal: the verdict, then findings in order of importance, with the commands to type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table
from mixtura.cli.option_names import command_line, with_options
from mixtura.segments import Advice, Finding, Recommendation

__all__ = ["advice_document", "print_advice"]

_STYLES = {"serious": "bold red", "notable": "bold yellow", "fine": "bold green"}
_HEADINGS = {
    "serious": "Changes the recommendation",
    "notable": "Worth knowing",
    "fine": "For information",
}


def advice_document(advice: Advice, table: Sequence[str]) -> dict[str, Any]:
    """Return the advice as plain values, with the commands for a table beside the arguments."""
    document = advice.to_dict()
    document["verdict"]["command"] = _command_of(advice.verdict, table)
    document["verdict"]["steps"] = [with_options(step) for step in advice.verdict.steps]
    for finding, written in zip(advice.findings, document["findings"], strict=True):
        written["command"] = _command_of(finding, table)
        written["action"] = with_options(finding.action)
    return document


def print_advice(console: Console, advice: Advice, table: Sequence[str]) -> None:
    """Print the verdict with its reasons and steps, every finding, and how many components the rows support."""
    verdict = advice.verdict
    console.print(Text(f"\n{verdict.title}", style="bold green"))
    for reason in verdict.reasons:
        _item(console, "-", Text(reason))
    console.print(Text("\nWhat to do", style="bold"))
    for number, step in enumerate(verdict.steps, start=1):
        _item(console, f"{number}.", Text(with_options(step)))
    _command(console, verdict, table)
    for severity, heading in _HEADINGS.items():
        findings = [finding for finding in advice.findings if finding.severity == severity]
        if findings:
            _findings(console, heading, findings, table)
    _capacity(console, advice)
    console.print(_scope(advice))


def _findings(console: Console, heading: str, findings: Sequence[Finding], table: Sequence[str]) -> None:
    console.print(Text(f"\n{heading}", style="bold"))
    for finding in findings:
        threshold = "" if finding.threshold is None else f" (threshold {finding.threshold:g})"
        said = Text.assemble(
            (f"{finding.topic}: ", _STYLES[finding.severity]),
            f"{finding.measured}{threshold}. {finding.meaning}",
        )
        if finding.action:
            said.append(f" {with_options(finding.action)}", style="bold")
        _item(console, "-", said)
        _command(console, finding, table)


def _item(console: Console, mark: str, text: Text) -> None:
    """Print a text with its mark, indented as a block."""
    from rich.table import Table as Grid

    grid = Grid.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(mark, text)
    console.print(grid)


def _command_of(what: Finding | Recommendation, table: Sequence[str]) -> str | None:
    return None if what.arguments is None else command_line("segment", table, what.arguments)


def _command(console: Console, what: Finding | Recommendation, table: Sequence[str]) -> None:
    command = _command_of(what, table)
    if command is not None:
        # Neither wrapped nor cut at the width of the terminal: a command must survive copying.
        console.print(Text(f"    {command}", style="cyan"), soft_wrap=True, crop=False)


def _capacity(console: Console, advice: Advice) -> None:
    console.print()
    table = plain_table("covariances", "parameters of 5", "most components", title="What the rows support")
    for one in advice.capacity:
        most = "none" if one.most_components == 0 else f"{one.most_components}"
        table.add_row(one.covariance_type, f"{one.n_parameters:,}", most)
    console.print(table)


def _scope(advice: Advice) -> str:
    rows = f"{advice.n_rows:,} complete rows"
    if advice.n_dropped:
        rows += f" ({advice.n_dropped:,} left out)"
    if 0 < advice.n_sampled < advice.n_rows:
        rows += f"; fits, tests and distances on {advice.n_sampled:,} of them, drawn with seed {advice.seed}"
    logged = f". As log(1 + x): {', '.join(advice.logged)}" if advice.logged else ""
    return f"{rows}{logged}. {advice.seconds:.2f} s"
