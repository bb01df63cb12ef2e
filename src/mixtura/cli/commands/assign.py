"""``mixtura assign MODEL TABLE``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixtura.cli.console import handle_errors, output_console
from mixtura.cli.option_types import (
    DropMissing,
    IdColumn,
    ModelFile,
    Overwrite,
    Progress,
    Quiet,
)
from mixtura.cli.standard_streams import STANDARD, received, sent
from mixtura.cli.table_input import Database, SpoolDir, Sql, TableInput

if TYPE_CHECKING:
    from mixtura.cli.progress import Stages
    from mixtura.segments import Assignment, SegmentModel
    from mixtura.segments.large.assigning.assign_source import AssignedSource

__all__ = ["assign"]


OutputFile = Annotated[
    Path | None,
    typer.Option(
        help="File for the results, .csv or .parquet; - for standard output. [default: TABLE-assigned.csv, here]"
    ),
]


Assigned = Annotated[
    list[str] | None,
    typer.Argument(
        help="Customers, in a file or several, or - for standard input, which goes to standard output; columns are "
        "matched by name, in any order."
    ),
]


@handle_errors
def assign(
    model: ModelFile,
    table: Assigned = None,
    sql: Sql = None,
    database: Database = None,
    id_column: IdColumn = None,
    drop_missing: DropMissing = False,
    output: OutputFile = None,
    overwrite: Overwrite = False,
    spool_dir: SpoolDir = None,
    progress: Progress = False,
    quiet: Quiet = False,
) -> None:
    """Assign customers of a new table to the segments of a saved model."""
    from mixtura.cli.printing.print_model import print_assignment
    from mixtura.cli.progress import stages
    from mixtura.data.spool import spooled_in
    from mixtura.io import TABLE_SUFFIXES
    from mixtura.segments import SegmentModel

    with received(table) as tables, spooled_in(spool_dir), stages(quiet=quiet, lines=progress) as shown:
        given = TableInput(tables, sql, database)
        path = _place(given, table) if output is None else output
        with sent(
            path, overwrite=overwrite, suffixes=TABLE_SUFFIXES, inputs=[model, *given.inputs]
        ) as writing:
            loaded = SegmentModel.load(model)
            result = _assigned(loaded, given, writing, id_column, shown, drop_missing=drop_missing)
    if str(path) == STANDARD:
        return
    console = output_console(quiet=quiet)
    print_assignment(console, given.name, result, drop_missing=drop_missing)
    console.print(f"\nWritten: {path}", soft_wrap=True)


def _place(given: TableInput, table: list[str] | None) -> Path:
    return Path(STANDARD if table == [STANDARD] else f"{given.stem}-assigned.csv")


def _assigned(
    model: SegmentModel,
    given: TableInput,
    path: Path,
    id_column: str | None,
    shown: Stages,
    *,
    drop_missing: bool,
) -> Assignment | AssignedSource:
    """Assign a table, in parts where it is large."""
    from mixtura.data.sources import Source
    from mixtura.segments import assign_table
    from mixtura.segments.large.assigning.assign_source import assign_source

    ids, on_rows = (id_column, model.training.id_column), shown.amount("rows")
    shown.begin(f"Reading {given.name}")
    found = given.open(*ids, on_rows=on_rows)
    shown.begin("Assigning customers")
    if isinstance(found, Source):
        return assign_source(
            model, found, path, id_column=id_column, drop_missing=drop_missing, on_rows=on_rows
        )
    result = assign_table(model, found.data, id_column=id_column, drop_missing=drop_missing)
    result.write(path)
    return result
