"""What was read, and which of its columns are used."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from mixtura.io import Table
from mixtura.segments import ColumnChoice

__all__ = ["print_pairs", "print_table_read"]


def print_table_read(
    console: Console, table: Table, choice: ColumnChoice, transforms: Sequence[str] = ()
) -> None:
    """Print the size of the table, the columns used, and those left out with their reasons.

    `transforms` are what is done to the columns used, in their order, "none" for nothing; empty for nothing at all.
    """
    console.print(Text(table.path.name, style="bold"), end="")
    console.print(f": {table.n_rows:,} rows, {len(table.columns)} columns")
    kinds = transforms or ["none"] * len(choice.used)
    used = (
        name if kind == "none" else f"{name} ({kind})" for name, kind in zip(choice.used, kinds, strict=True)
    )
    pairs = [("Reading", note) for note in table.notes]
    pairs.append(("Columns used", ", ".join(used)))
    roles = {choice.id_column, choice.value, choice.weight, *choice.describe}
    if choice.describe:
        pairs.append(("Describing", ", ".join(choice.describe)))
    for label, column in (("Value", choice.value), ("Weight", choice.weight)):
        if column is not None:
            pairs.append((label, column))
    left_out = [column for column in choice.left_out if column.name not in roles]
    if left_out:
        pairs.append(("Left out", "; ".join(f"{column.name} ({column.reason})" for column in left_out)))
    pairs.append(("Customer", choice.id_column or "row number, from 1"))
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
