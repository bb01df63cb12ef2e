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
Onnx = Annotated[
    bool, typer.Option("--onnx", help="Write an ONNX model instead of a SELECT; needs --output.")
]
Script = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="NAME",
        help="Write a function of javascript, or syntax of spss, instead of a SELECT.",
    ),
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
    onnx: Onnx = False,
    language: Script = None,
    output: OutputFile = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a saved model for a database, as one SELECT that assigns the rows of a table; or for other runtimes."""
    if language is not None:
        if onnx or sql is not None or table is not None or id_column:
            raise ParameterError("--language needs none of --onnx, --sql, --table and --id.")
        _write_script(model, language, max_missing, output, overwrite=overwrite)
        return
    if onnx:
        if sql is not None or table is not None or id_column or output is None:
            raise ParameterError("--onnx needs --output FILE, and none of --sql, --table and --id.")
        _write_onnx(model, output, max_missing, overwrite=overwrite)
        return
    if sql is None or table is None:
        raise ParameterError(
            "--sql DIALECT and --table NAME are required, or --onnx, or --language. Try --sql duckdb --table "
            "customers."
        )
    _write_sql(model, sql, table, id_column, max_missing, output, overwrite=overwrite)


def _write_sql(
    model: Path,
    sql: str,
    table: str,
    id_column: list[str] | None,
    max_missing: int | None,
    output: Path | None,
    *,
    overwrite: bool,
) -> None:
    from mixtura.io import output_file
    from mixtura.io.export import get_dialect
    from mixtura.segments import SegmentModel

    dialect = get_dialect(sql).name
    text = SegmentModel.load(model).to_sql(
        dialect, table=table, id_column=id_column or None, max_missing=max_missing
    )
    if output is None:
        typer.echo(text, nl=False)
        return
    with output_file(output, overwrite=overwrite, inputs=[model]) as writing:
        writing.write_text(text, encoding="utf-8")
    typer.echo(f"Written: {output}")


def _write_script(
    model: Path, language: str, max_missing: int | None, output: Path | None, *, overwrite: bool
) -> None:
    from mixtura.io import output_file
    from mixtura.io.export import scoring_javascript, scoring_spss
    from mixtura.segments import SegmentModel

    writers = {"javascript": (scoring_javascript, "JavaScript"), "spss": (scoring_spss, "SPSS syntax")}
    if language not in writers:
        raise ParameterError(f"--language must be {' or '.join(writers)}; got {language!r}.")
    most = 1 if max_missing is None else max_missing
    written, form = writers[language]
    text = written(SegmentModel.load(model).scorer(form), max_missing=most)
    if output is None:
        typer.echo(text, nl=False)
        return
    with output_file(output, overwrite=overwrite, inputs=[model]) as writing:
        writing.write_text(text, encoding="utf-8")
    typer.echo(f"Written: {output}")


def _write_onnx(model: Path, output: Path, max_missing: int | None, *, overwrite: bool) -> None:
    from mixtura.io import output_file
    from mixtura.segments import SegmentModel

    with output_file(output, overwrite=overwrite, inputs=[model]) as writing:
        found = SegmentModel.load(model).to_onnx(max_missing=max_missing)
        writing.write_bytes(found.SerializeToString())
    typer.echo(f"Written: {output}")
