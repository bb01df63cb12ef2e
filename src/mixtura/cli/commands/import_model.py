"""``mixtura import MODEL``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixtura.cli.console import handle_errors, output_console
from mixtura.cli.option_types import Overwrite, Quiet, parse_names

__all__ = ["import_model"]

Source = Annotated[
    Path,
    typer.Argument(
        help="An .rds file of R's mclust or mixtools, a .skops file of scikit-learn, or a model folder of Spark ML.",
        metavar="MODEL",
    ),
]
ColumnNames = Annotated[
    list[str] | None,
    typer.Option(
        help="Names of the model's columns, in its order, separated by commas. [default: those it keeps]"
    ),
]
OutputFile = Annotated[Path, typer.Option(help="Model file to write.")]


@handle_errors
def import_model(
    source: Source,
    columns: ColumnNames = None,
    output: OutputFile = Path("model.json"),
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Turn a model of another program into one that assign, show and export take."""
    from mixtura.cli.printing.print_model import print_model
    from mixtura.io import output_file
    from mixtura.segments import import_model

    with output_file(output, overwrite=overwrite, inputs=[source]) as writing:
        model = import_model(source, columns=parse_names(columns))
        writing.write_text(model.to_json(), encoding="utf-8")
    console = output_console(quiet=quiet)
    print_model(console, output.name, model)
    console.print(f"\nWritten: {output}", soft_wrap=True)
