"""``mixtura update MODEL TABLE``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixtura.cli.console import handle_errors, output_console
from mixtura.cli.option_types import DropMissing, ModelFile, Overwrite, Quiet
from mixtura.cli.table_input import Database, NewCustomers, Sql, TableInput
from mixtura.exceptions import ParameterError

if TYPE_CHECKING:
    from mixtura.segments import SegmentModel

__all__ = ["update"]

Time = Annotated[str | None, typer.Option(help="The column that says when a customer is of.")]
HalfLife = Annotated[
    str | None,
    typer.Option(
        help="After this time a customer counts half: 90d, 12w, 6m, 1y, or a number in the units of the time column. "
        "[default: nothing is forgotten]"
    ),
]
Statistics = Annotated[
    Path | None,
    typer.Option(
        help="Write the sums of the table to this file instead of a model, for mixtura merge. [default: a model]"
    ),
]
MinRows = Annotated[
    float | None,
    typer.Option(help="Customers that each segment must have before its sums are written. [default: 10]"),
]
Output = Annotated[Path | None, typer.Option(help="File for the model. [default: TABLE-model.json, here]")]


@handle_errors
def update(
    model: ModelFile,
    table: NewCustomers = None,
    sql: Sql = None,
    database: Database = None,
    time: Time = None,
    half_life: HalfLife = None,
    statistics: Statistics = None,
    min_rows: MinRows = None,
    drop_missing: DropMissing = False,
    output: Output = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Add the customers of a new table to those that a model was learned from, or write their sums."""
    given = TableInput(table, sql, database)
    if statistics is not None:
        _refuse(statistics, time=time, half_life=half_life, output=output)
        _gather(
            model, given, statistics, min_rows, drop_missing=drop_missing, overwrite=overwrite, quiet=quiet
        )
        return
    if min_rows is not None:
        raise ParameterError("`min_rows` is for `statistics` that leave a site. Leave it out.")
    from mixtura.cli.printing.change.print_update import print_update
    from mixtura.cli.progress import working
    from mixtura.io import output_file
    from mixtura.segments import SegmentModel, update_model

    path = Path(f"{given.stem}-model.json") if output is None else output
    with output_file(path, overwrite=overwrite, inputs=given.inputs) as writing:
        loaded = SegmentModel.load(model)
        with working("Adding customers", quiet=quiet):
            frame = given.rows() if loaded.coding is None else given.read().data
            found = update_model(
                loaded, frame, time=time, half_life=half_life, drop_missing=drop_missing, source=given.name
            )
        writing.write_text(found.model.to_json(), encoding="utf-8")
    console = output_console(quiet=quiet)
    print_update(console, found, drop_missing=drop_missing)
    console.print(f"\nWritten: {path}", soft_wrap=True)


def _refuse(statistics: Path, **others: object) -> None:
    """Refuse what says something of a model where none is written."""
    given = [name for name, value in others.items() if value is not None]
    if given:
        raise ParameterError(
            f"`{given[0]}` is for a model, and with `statistics`, {str(statistics)!r}, none is written. Leave it out."
        )


def _gather(
    model: Path,
    given: TableInput,
    path: Path,
    min_rows: float | None,
    *,
    drop_missing: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    from mixtura.cli.printing.change.print_update import print_statistics
    from mixtura.cli.progress import working
    from mixtura.io import output_file
    from mixtura.segments import SegmentModel, site_statistics

    with output_file(path, overwrite=overwrite, inputs=[model, *given.inputs]) as writing:
        loaded: SegmentModel = SegmentModel.load(model)
        with working("Adding up", quiet=quiet):
            frame = given.rows() if loaded.coding is None else given.read().data
            options = {} if min_rows is None else {"min_rows": min_rows}
            found = site_statistics(loaded, frame, drop_missing=drop_missing, source=given.name, **options)
        writing.write_text(found.to_json(), encoding="utf-8")
    console = output_console(quiet=quiet)
    print_statistics(console, given.name, loaded, found)
    console.print(f"\nWritten: {path}", soft_wrap=True)
