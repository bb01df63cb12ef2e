"""What was read, and which of its columns are used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.text import Text

from mixtura.io import Table
from mixtura.segments import ColumnChoice
from mixtura.segments.table.discrete.kinds import KIND_WORDS

if TYPE_CHECKING:
    from mixtura.segments.results.document import Document

__all__ = ["print_pairs", "print_table_read", "print_table_segmented"]


def print_table_read(console: Console, table: Table, choice: ColumnChoice) -> None:
    """Print the size of the table, the columns used, and those left out with their reasons."""
    left_out = {one.name: one.reason for one in choice.left_out}
    roles = _Roles(choice.building, choice.describe, choice.value, choice.weight, choice.id_column, left_out)
    _print_read(console, table, roles)


def print_table_segmented(console: Console, table: Table, document: Document) -> None:
    """Print the same of a table that was segmented, with what was done to the columns, from the document."""
    kinds = {one.column: one.kind for one in document.transforms if one.kind != "none"}
    building = [*document.table.active, *document.table.discrete]
    kinds |= {one.column: KIND_WORDS[one.kind] for one in document.table.kinds if one.kind in KIND_WORDS}
    used = [f"{name} ({kinds[name]})" if name in kinds else name for name in building]
    read = document.table
    left_out = {one.column: one.reason for one in read.left_out}
    roles = _Roles(used, read.descriptive, read.value_column, read.weight_column, read.id_column, left_out)
    _print_read(console, table, roles)


class _Roles(NamedTuple):
    """What the columns of a table are used for; those left out with the reason."""

    used: Sequence[str]
    describe: Sequence[str]
    value: str | None
    weight: str | None
    id_column: str | None
    left_out: dict[str, str]


def _print_read(console: Console, table: Table, roles: _Roles) -> None:
    console.print(Text(table.path.name, style="bold"), end="")
    n_columns = len(table.columns)
    console.print(f": {table.n_rows:,} rows, {n_columns} {'column' if n_columns == 1 else 'columns'}")
    pairs = [("Reading", note) for note in table.notes]
    pairs.append(("Columns used", ", ".join(roles.used)))
    if roles.describe:
        pairs.append(("Describing", ", ".join(roles.describe)))
    for label, column in (("Value", roles.value), ("Weight", roles.weight)):
        if column is not None:
            pairs.append((label, column))
    with_role = {roles.id_column, roles.value, roles.weight, *roles.describe}
    left_out = [f"{name} ({reason})" for name, reason in roles.left_out.items() if name not in with_role]
    if left_out:
        pairs.append(("Left out", "; ".join(left_out)))
    pairs.append(("Customer", roles.id_column or "row number, from 1"))
    print_pairs(console, pairs)


def print_pairs(console: Console, pairs: Sequence[tuple[str, str]]) -> None:
    """Print lines of a label and a text, the texts aligned."""
    from rich.table import Table as Grid

    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in pairs:
        grid.add_row(label, text)
    console.print(grid)
