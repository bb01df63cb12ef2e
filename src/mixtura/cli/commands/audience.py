"""``mixtura audience MODEL TABLE``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mixtura.cli.console import handle_errors, output_console
from mixtura.cli.option_types import (
    DropMissing,
    IdColumn,
    ModelFile,
    Overwrite,
    Quiet,
    Weight,
)
from mixtura.cli.table_input import Database, NewCustomers, Sql, TableInput

if TYPE_CHECKING:
    from mixtura.segments import AudienceList, SegmentModel

__all__ = ["audience"]

Segments = Annotated[
    list[str],
    typer.Option(
        "--segment",
        help="A segment's number, its name or how the name starts; give it again for more audiences.",
    ),
]
MinProbability = Annotated[
    float | None, typer.Option(min=0, max=1, help="Least membership of those in the audience, such as 0.3.")
]
Top = Annotated[
    int | None,
    typer.Option(min=1, help="Only the top N: by membership, or with --value by expected value."),
]
Value = Annotated[
    str | None, typer.Option(help="Column with what a customer is worth; membership times value is expected.")
]
MinExpectedValue = Annotated[
    float | None, typer.Option(help="Least expected value of those in the audience; needs --value.")
]
OutputFile = Annotated[
    Path | None,
    typer.Option(help="File for the list, .csv or .parquet. [default: TABLE-audience.csv, here]"),
]
Json = Annotated[bool, typer.Option("--json", help="Print the numbers as JSON, for programs.")]


@handle_errors
def audience(
    model: ModelFile,
    segment: Segments,
    table: NewCustomers = None,
    sql: Sql = None,
    database: Database = None,
    min_probability: MinProbability = None,
    top: Top = None,
    value: Value = None,
    weight: Weight = None,
    min_expected_value: MinExpectedValue = None,
    id_column: IdColumn = None,
    drop_missing: DropMissing = False,
    output: OutputFile = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List the customers whom a campaign for a segment should address; one may be on several lists."""
    limits = {
        "min_probability": min_probability,
        "top": top,
        "value": value,
        "weight": weight,
        "min_expected_value": min_expected_value,
        "drop_missing": drop_missing,
    }
    given = TableInput(table, sql, database)
    path = Path(f"{given.stem}-audience.csv") if output is None else output
    _run(model, given, segment, id_column, limits, path, overwrite=overwrite, quiet=quiet, json=json)


def _run(
    model: Path,
    table: TableInput,
    segments: list[str],
    id_column: str | None,
    limits: dict[str, Any],
    path: Path,
    *,
    overwrite: bool,
    quiet: bool,
    json: bool,
) -> None:
    from mixtura.cli.printing.print_audiences import print_audiences
    from mixtura.io import TABLE_SUFFIXES, output_file, readable_json
    from mixtura.segments import SegmentModel

    with output_file(
        path, overwrite=overwrite, suffixes=TABLE_SUFFIXES, inputs=[model, *table.inputs]
    ) as writing:
        result = _found(SegmentModel.load(model), table, segments, id_column, limits)
        result.write(writing)
    if json:
        typer.echo(readable_json(result.to_dict()))
        return
    console = output_console(quiet=quiet)
    print_audiences(console, table.name, result, drop_missing=limits["drop_missing"])
    console.print(f"\nWritten: {path}", soft_wrap=True)


def _found(
    model: SegmentModel, table: TableInput, segments: list[str], id_column: str | None, limits: dict[str, Any]
) -> AudienceList:
    """Return the audiences of a table, which is read in parts where it is large."""
    from mixtura.data.sources import Source
    from mixtura.segments import audiences_of_table
    from mixtura.segments.audiences.audience_source import audiences_of_source

    ids = id_column, model.training.id_column
    read = table.open(*ids)
    if isinstance(read, Source):
        return audiences_of_source(model, read, segments, id_column=id_column, **limits)
    return audiences_of_table(model, read.data, segments, id_column=id_column, **limits)
