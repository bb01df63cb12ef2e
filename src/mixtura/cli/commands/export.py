"""``mixtura export MODEL``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixtura.cli.console import handle_errors
from mixtura.cli.option_types import ModelFile, Overwrite
from mixtura.exceptions import ParameterError

__all__ = ["export"]

Sql = Annotated[
    str | None,
    typer.Option(
        "--sql",
        metavar="DIALECT",
        help="Write a SELECT: bigquery, clickhouse, datafusion, duckdb, firebird, mariadb, polars, postgresql, "
        "snowflake, spark or sqlite.",
    ),
]
TableName = Annotated[
    str | None,
    typer.Option("--table", help="The table that the SELECT reads, such as crm.customers.", metavar="NAME"),
]
HandedOn = Annotated[
    list[str] | None,
    typer.Option(
        "--id",
        help="A column handed on to the result; give it again for more. [default: the one the model knows]",
    ),
]
MaxMissing = Annotated[
    int | None,
    typer.Option(
        "--max-missing",
        min=0,
        help="Rows that lack more values are in no segment. [default: as many as can be missing in 64 ways]",
    ),
]
OutputFile = Annotated[Path | None, typer.Option(help="File to write. [default: print the SELECT]")]


@handle_errors
def export(
    model: ModelFile,
    sql: Sql = None,
    table: TableName = None,
    id_column: HandedOn = None,
    max_missing: MaxMissing = None,
    output: OutputFile = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a saved model for a database: one SELECT that assigns the rows of a table."""
    from mixtura.io import output_file
    from mixtura.io.export import get_dialect
    from mixtura.segments import SegmentModel

    if sql is None or table is None:
        raise ParameterError(
            "--sql DIALECT and --table NAME are required. Try --sql duckdb --table customers."
        )
    dialect = get_dialect(sql).name
    text = SegmentModel.load(model).to_sql(
        dialect, table=table, id_column=id_column or None, max_missing=max_missing
    )
    if output is None:
        typer.echo(text, nl=False)
        return
    with output_file(output, overwrite=overwrite) as writing:
        writing.write_text(text, encoding="utf-8")
    typer.echo(f"Written: {output}")
