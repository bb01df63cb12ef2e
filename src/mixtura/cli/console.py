"""Where text goes: results to standard output, progress and errors to standard error."""

from __future__ import annotations

import functools
import os
import sys
import textwrap
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ParamSpec, TypeVar

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mixtura.cli.option_names import with_options
from mixtura.exceptions import ColumnWarning, MixturaError

__all__ = [
    "error_console",
    "exit_if_interrupted",
    "handle_errors",
    "output_console",
    "plain_table",
    "print_notes",
    "print_table",
]

P = ParamSpec("P")
R = TypeVar("R")

_PIPED_WIDTH = 110
"""Characters per line if the output is not a terminal."""

_BETWEEN = 3
"""Characters that a column of a table takes beside its cells."""


def _console(*, stderr: bool, quiet: bool = False) -> Console:
    # Markup is off because names of columns and customers may hold brackets.
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH
    return Console(stderr=stderr, quiet=quiet, width=width, markup=False, emoji=False, highlight=False)


def output_console(*, quiet: bool = False) -> Console:
    """Return the console for results; a quiet one prints nothing."""
    return _console(stderr=False, quiet=quiet)


def error_console() -> Console:
    """Return the console for progress and errors."""
    return _console(stderr=True)


def handle_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Let errors of mixtura leave a command as a message and exit code 2, an interruption as 130."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with warnings.catch_warnings():
                # The commands print what is left out of a table.
                warnings.simplefilter("ignore", ColumnWarning)
                return command(*args, **kwargs)
        except MixturaError as error:
            # Not through the console, which would break long lines: paths in messages stay whole.
            typer.echo(f"Error: {with_options(str(error))}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("Interrupted. Results are written whole or not at all.", err=True)
            raise typer.Exit(130) from None

    return guarded


def exit_if_interrupted(interrupted: bool, checkpoint: Path | None) -> None:
    """End with exit code 130 where the results written are those of an interrupted search, and say so."""
    if interrupted:
        again = (
            "Give --checkpoint FILE to be able to go on."
            if checkpoint is None
            else "The same command with --overwrite goes on."
        )
        typer.echo(f"Interrupted: the results are the best of the models fitted so far. {again}", err=True)
        raise typer.Exit(130)


def print_table(console: Console, table: Table, *least_important: str) -> None:
    """Print a table, on a narrow console with broken heads and without the columns that matter least.

    Columns of these heads are left out in this order until words and numbers of the others are whole.
    """
    if _needed(table) > console.width:
        for column in table.columns:
            head = str(column.header)
            widest = max(map(cell_len, [*head.split(), *map(str, column.cells)]), default=1)
            column.header = "\n".join(textwrap.wrap(head, widest)) if column.no_wrap else head
    for head in least_important:
        if _needed(table) <= console.width:
            break
        kept = [column for column in table.columns if str(column.header).split() != head.split()]
        table.columns[:] = [replace(column, _index=index) for index, column in enumerate(kept)]
    console.print(table)


def _needed(table: Table) -> int:
    """Return the characters per line that leave numbers and words whole."""
    needed = -1
    for column in table.columns:
        texts = [str(column.header), *map(str, column.cells)]
        lines = [line for text in texts for line in (text.split("\n") if column.no_wrap else text.split())]
        needed += max(map(cell_len, lines), default=0) + _BETWEEN
    return needed


def plain_table(*headers: str, title: str | None = None, left: int = 1) -> Table:
    """Return a table with a title, the first `left` columns aligned left and the others right."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for position, header in enumerate(headers):
        table.add_column(
            header, justify="left" if position < left else "right", overflow="fold", no_wrap=position >= left
        )
    return table


def print_notes(console: Console, notes: Sequence[str]) -> None:
    """Print notes that are in the words of the command line."""
    for note in notes:
        console.print(Text.assemble(("Note: ", "bold yellow"), note))
