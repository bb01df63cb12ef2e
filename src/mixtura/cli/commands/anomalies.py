"""``mixtura anomalies TABLE``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixtura.cli import option_types as options
from mixtura.cli.console import handle_errors, output_console
from mixtura.cli.table_input import CustomerTable, Database, Sql, TableInput

if TYPE_CHECKING:
    from mixtura.segments.anomalies import SourceAnomalies, TableAnomalies

__all__ = ["anomalies"]

Reference = Annotated[
    Path | None,
    typer.Option(
        help="A table of normal rows to compare with. [default: the table itself, anomalies and all]"
    ),
]
Threshold = Annotated[
    str,
    typer.Option(
        help="conformal or tail: flag p-values at the rate of --fdr; percentile: flag the share of --contamination."
    ),
]
Rate = Annotated[float, typer.Option(help="Expected share of false alarms among the rows flagged.")]
Contamination = Annotated[float, typer.Option(help="Share of rows that percentile flags.")]
OutputFile = Annotated[
    Path | None,
    typer.Option(help="File for the results, .csv or .parquet. [default: TABLE-anomalies.csv, here]"),
]
Json = Annotated[bool, typer.Option("--json", help="Print what was found as JSON, and nothing else.")]


@handle_errors
def anomalies(
    table: CustomerTable = None,
    sql: Sql = None,
    database: Database = None,
    reference: Reference = None,
    columns: options.Columns = None,
    id_column: options.IdColumn = None,
    threshold: Threshold = "conformal",
    fdr: Rate = 0.1,
    contamination: Contamination = 0.04,
    drop_missing: options.DropMissing = False,
    seed: options.Seed = 0,
    output: OutputFile = None,
    overwrite: options.Overwrite = False,
    json: Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Find rows that are stranger than chance explains, and the columns that make them so."""
    from mixtura.io import TABLE_SUFFIXES, output_file
    from mixtura.segments.anomalies import find_anomalies

    given = TableInput(table, sql, database)
    path = output or Path(f"{given.stem}-anomalies.csv")
    inputs = given.inputs if reference is None else [*given.inputs, reference]
    with output_file(path, overwrite=overwrite, suffixes=TABLE_SUFFIXES, inputs=inputs) as writing:
        found = find_anomalies(
            given.rows(id_column),
            reference=reference and TableInput([str(reference)]).rows(),
            columns=options.parse_names(columns),
            id_column=id_column,
            threshold=threshold,
            fdr=fdr,
            contamination=contamination,
            drop_missing=drop_missing,
            random_state=seed,
        )
        found.write(writing)
    _print(given.name, found, path, drop_missing=drop_missing, json=json, quiet=quiet)


def _print(
    source: str,
    found: TableAnomalies | SourceAnomalies,
    path: Path,
    *,
    drop_missing: bool,
    json: bool,
    quiet: bool,
) -> None:
    from mixtura.cli.option_names import notes_with_options
    from mixtura.cli.printing.print_anomalies import print_anomalies
    from mixtura.io import readable_json

    found = replace(found, notes=notes_with_options(found.notes))
    if json:
        typer.echo(readable_json(found.to_dict()), nl=False)
        return
    console = output_console(quiet=quiet)
    print_anomalies(console, source, found, drop_missing=drop_missing)
    console.print(f"\nWritten: {path}", soft_wrap=True)
