"""Advice on the terminal: the verdict first, then findings, the most important first."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from mixtura.cli.console import plain_table
from mixtura.segments import Advice, Finding

__all__ = ["print_advice"]

_STYLES = {"serious": "bold red", "notable": "bold yellow", "fine": "bold green"}
_HEADINGS = {
    "serious": "Changes what to do",
    "notable": "Worth knowing",
    "fine": "As it should be, or for information",
}


def print_advice(console: Console, advice: Advice) -> None:
    """Print the verdict with its reasons and steps, what the rows carry, and every finding."""
    verdict = advice.verdict
    console.print(Text(f"\n{verdict.title}", style="bold green"))
    for reason in verdict.reasons:
        _item(console, "-", Text(reason))
    console.print(Text("\nWhat to do", style="bold"))
    for number, step in enumerate(verdict.steps, start=1):
        _item(console, f"{number}.", Text(step))
    if verdict.command is not None:
        _command(console, verdict.command)
    for severity, heading in _HEADINGS.items():
        findings = [finding for finding in advice.findings if finding.severity == severity]
        if findings:
            _findings(console, heading, findings)
    _capacity(console, advice)
    console.print(_scope(advice))


def _findings(console: Console, heading: str, findings: Sequence[Finding]) -> None:
    console.print(Text(f"\n{heading}", style="bold"))
    for finding in findings:
        threshold = "" if finding.threshold is None else f" (threshold {finding.threshold:g})"
        said = Text.assemble(
            (f"{finding.topic}: ", _STYLES[finding.severity]),
            f"{finding.measured}{threshold}. {finding.meaning}",
        )
        if finding.action:
            said.append(f" {finding.action}", style="bold")
        _item(console, "-", said)
        if finding.command is not None:
            _command(console, finding.command)


def _item(console: Console, mark: str, text: Text) -> None:
    """Print a line that hangs under its mark."""
    from rich.table import Table as Grid

    grid = Grid.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(mark, text)
    console.print(grid)


def _command(console: Console, command: str) -> None:
    # Not folded: a command must survive copying.
    console.print(Padding(Text(command, style="cyan", no_wrap=True), (0, 0, 0, 4)), soft_wrap=True)


def _capacity(console: Console, advice: Advice) -> None:
    console.print()
    table = plain_table("covariances", "parameters of 5", "most components", title="What the rows carry")
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
