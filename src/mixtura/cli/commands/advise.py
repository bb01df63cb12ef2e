"""``mixtura advise TABLE``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mixtura.cli.console import handle_errors, output_console
from mixtura.cli.option_types import (
    ColumnKinds,
    Columns,
    IdColumn,
    Overwrite,
    Quiet,
    Seed,
    parse_kinds,
    parse_names,
)
from mixtura.cli.table_input import CustomerTable, Database, Sql, TableInput

__all__ = ["advise"]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Output = Annotated[
    Path | None, typer.Option(help="File for the advice as JSON. [default: nothing is written]")
]


@handle_errors
def advise(
    table: CustomerTable = None,
    sql: Sql = None,
    database: Database = None,
    columns: Columns = None,
    id_column: IdColumn = None,
    kind: ColumnKinds = None,
    seed: Seed = 0,
    as_json: AsJson = False,
    output: Output = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Say whether a Gaussian mixture suits a table, and why, before segmenting it."""
    from mixtura.cli.printing.print_advice import advice_document, print_advice
    from mixtura.io import output_file
    from mixtura.segments import advise as advise_on

    given = TableInput(table, sql, database)
    read = given.drawn(seed, id_column)
    asked: dict[str, Any] = {
        "columns": parse_names(columns), "id_column": id_column, "kinds": parse_kinds(kind),
    }  # fmt: skip
    advice = advise_on(read.data, random_state=seed, **asked)
    text = json.dumps(advice_document(advice, given.arguments), indent=2, ensure_ascii=False, allow_nan=False)
    if output is not None:
        with output_file(output, overwrite=overwrite, inputs=given.inputs) as path:
            path.write_text(text + "\n", encoding="utf-8")
    if as_json:
        if not quiet:
            typer.echo(text)
        return

    from mixtura.cli.printing.print_columns import print_table_read

    console = output_console(quiet=quiet)
    print_table_read(console, read, advice.columns)
    print_advice(console, advice, given.arguments)
    if output is not None:
        console.print(f"\nWritten: {output}", soft_wrap=True)
