"""``mixtura typing MODEL TABLE``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mixtura.cli import option_types as options
from mixtura.cli.console import handle_errors, output_console
from mixtura.cli.table_input import CustomerTable, TableInput

__all__ = ["typing"]

Asked = Annotated[
    list[str] | None,
    typer.Option("--columns", help="Columns that may be asked. [default: all of the model]"),
]
Questions = Annotated[
    int | None,
    typer.Option(
        "--questions", min=1, help="How many questions. [default: the fewest that reach --min-agreement]"
    ),
]
MaxQuestions = Annotated[int, typer.Option(min=1, help="How many questions are tried.")]
MinAgreement = Annotated[
    float, typer.Option(help="Share of people held out who are to be put in the segment of the whole model.")
]
Dialect = Annotated[str, typer.Option("--sql", metavar="DIALECT", help="Of typing.sql; see mixtura export.")]
TableName = Annotated[str, typer.Option("--table", metavar="NAME", help="The table that typing.sql reads.")]
Output = Annotated[Path | None, typer.Option(help="Directory for the results. [default: typing, here]")]


@handle_errors
def typing(
    model: options.ModelFile,
    table: CustomerTable,
    columns: Asked = None,
    questions: Questions = None,
    max_questions: MaxQuestions = 10,
    min_agreement: MinAgreement = 0.9,
    dialect: Dialect = "duckdb",
    name: TableName = "people",
    seed: options.Seed = 0,
    output: Output = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Find the few questions that assign new people: as a spreadsheet, SQL, JavaScript and SPSS syntax."""
    asked = {
        "columns": options.parse_names(columns), "n_questions": questions, "max_questions": max_questions,
        "min_agreement": min_agreement, "random_state": seed,
    }  # fmt: skip
    _run(model, TableInput(table), output or Path("typing"), asked, (dialect, name), overwrite, quiet)


def _run(
    model: Path,
    table: TableInput,
    folder: Path,
    asked: dict[str, Any],
    sql: tuple[str, str],
    overwrite: bool,
    quiet: bool,
) -> None:
    from mixtura.cli.printing.print_typing import print_typing
    from mixtura.cli.progress import working
    from mixtura.io import output_directory
    from mixtura.io.export import get_dialect
    from mixtura.segments import SegmentModel, make_typing_tool
    from mixtura.segments.typing.typing_files import TYPING_FILES, fill_typing_folder

    language = get_dialect(sql[0]).name
    with (
        output_directory(folder, files=TYPING_FILES, overwrite=overwrite) as writing,
        working("Choosing questions", quiet=quiet),
    ):
        loaded = SegmentModel.load(model)
        read = table.read(loaded.training.id_column)
        tool = make_typing_tool(loaded, read.data, **asked)
        fill_typing_folder(tool, writing, dialect=language, table=sql[1])
    console = output_console(quiet=quiet)
    print_typing(console, tool.to_dict())
    console.print(f"\nWritten: {folder} ({', '.join(TYPING_FILES)})", soft_wrap=True)
