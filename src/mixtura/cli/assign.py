"""``mixtura assign MODEL TABLE``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixtura.cli.console import door, output_console

__all__ = ["assign"]


@door
def assign(
    model: Annotated[Path, typer.Argument(help="A model.json that mixtura segment wrote.")],
    table: Annotated[Path, typer.Argument(help="Customers; columns are matched by name, in any order.")],
    id_column: Annotated[
        str | None, typer.Option("--id", help="The column that names customers. [default: as in the model]")
    ] = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave rows with missing values unassigned.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="File for the results, .csv or .parquet. [default: TABLE-assigned.csv, here]")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier file.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Assign customers of a new table to the segments of a saved model."""
    from mixtura.cli.print_model import print_assignment
    from mixtura.io import output_file, read_table
    from mixtura.segments import SegmentModel, assign_table

    loaded = SegmentModel.load(model)
    known = (id_column, loaded.training.id_column)
    read = read_table(table, text=[name for name in known if name is not None])
    path = Path(f"{table.stem}-assigned.csv") if output is None else output
    with output_file(path, overwrite=overwrite) as writing:
        result = assign_table(loaded, read.data, id_column=id_column, drop_missing=drop_missing)
        result.write(writing)
    console = output_console(quiet=quiet)
    print_assignment(console, table.name, result)
    console.print(f"\nWritten: {path}", soft_wrap=True)
