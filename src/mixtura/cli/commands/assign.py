"""``mixtura assign MODEL TABLE``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixtura.cli.console import handle_errors, output_console
from mixtura.cli.option_types import (
    DropMissing,
    IdColumn,
    ModelFile,
    Overwrite,
    Quiet,
)
from mixtura.cli.table_input import Database, NewCustomers, Sql, TableInput

__all__ = ["assign"]


OutputFile = Annotated[
    Path | None,
    typer.Option(help="File for the results, .csv or .parquet. [default: TABLE-assigned.csv, here]"),
]


@handle_errors
def assign(
    model: ModelFile,
    table: NewCustomers = None,
    sql: Sql = None,
    database: Database = None,
    id_column: IdColumn = None,
    drop_missing: DropMissing = False,
    output: OutputFile = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Assign customers of a new table to the segments of a saved model."""
    from mixtura.cli.printing.print_model import print_assignment
    from mixtura.io import TABLE_SUFFIXES, output_file
    from mixtura.segments import SegmentModel, assign_table

    given = TableInput(table, sql, database)
    path = Path(f"{given.stem}-assigned.csv") if output is None else output
    with output_file(path, overwrite=overwrite, suffixes=TABLE_SUFFIXES) as writing:
        loaded = SegmentModel.load(model)
        read = given.read(id_column, loaded.training.id_column)
        result = assign_table(loaded, read.data, id_column=id_column, drop_missing=drop_missing)
        result.write(writing)
    console = output_console(quiet=quiet)
    print_assignment(console, given.name, result)
    console.print(f"\nWritten: {path}", soft_wrap=True)
