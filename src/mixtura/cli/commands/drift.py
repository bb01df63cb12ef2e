"""``mixtura drift MODEL TABLE`` and ``mixtura drift TABLE --time COLUMN``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mixtura.cli import option_types as options
from mixtura.cli.console import handle_errors, output_console
from mixtura.cli.table_input import Database, NewCustomers, Sql, TableInput

if TYPE_CHECKING:
    from mixtura.segments.change import TableDrift

__all__ = ["CHANGED", "drift"]

CHANGED = 3
"""Exit code where the verdict is what `fail_on` names, or more."""

First = Annotated[
    Path,
    typer.Argument(metavar="MODEL", help="A model.json; or alone, with --time, a table of several periods."),
]
Before = Annotated[
    Path | None,
    typer.Option(help="The same customers at an earlier time, to say who moved. [default: nothing]"),
]
Time = Annotated[str | None, typer.Option(help="The column that says when: dates, months, years.")]
Every = Annotated[
    str,
    typer.Option(help="How long a period is: day, week, month, quarter, year, value (each value), or auto."),
]
Reference = Annotated[
    str | None, typer.Option(help="The period that others are compared with. [default: the first]")
]
FailOn = Annotated[
    str | None,
    typer.Option(help="Exit with code 3 if the verdict is this or more: update or refit. [default: never]"),
]
Output = Annotated[Path | None, typer.Option(help="Directory for the results. [default: TABLE-drift, here]")]
NoRenewal = Annotated[
    bool, typer.Option("--no-model", help="Do not learn the model that the verdict asks for.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")]


@handle_errors
def drift(
    model: First,
    table: NewCustomers = None,
    sql: Sql = None,
    database: Database = None,
    before: Before = None,
    time: Time = None,
    every: Every = "auto",
    reference: Reference = None,
    columns: options.Columns = None,
    components: options.Components = None,
    transform: options.Transforms = None,
    kind: options.ColumnKinds = None,
    id_column: options.IdColumn = None,
    value: options.Value = None,
    drop_missing: options.DropMissing = False,
    seed: options.Seed = 0,
    fail_on: FailOn = None,
    no_model: NoRenewal = False,
    output: Output = None,
    overwrite: options.Overwrite = False,
    json: Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Say what changed since a model was learned, or from one period to the next, and what to do about it."""
    asked = {
        "columns": options.parse_names(columns),
        "components": None if components is None else options.parse_components(components),
        "transform": None if transform is None else options.parse_transform(transform),
        "kinds": None if kind is None else options.parse_kinds(kind),
        "random_state": seed or None,
    }
    search = {name: held for name, held in asked.items() if held is not None}
    with_model = bool(table) or sql is not None or database is not None
    newest = TableInput(table if with_model else [str(model)], sql, database)
    _check(model, with_model, before, time, reference, search, fail_on)
    common = {
        "id_column": id_column,
        "value": value,
        "drop_missing": drop_missing,
        "renewed": not no_model,
        "source": newest.name,
    }
    from mixtura.cli.progress import working
    from mixtura.plot import warm_up
    from mixtura.report import render_drift
    from mixtura.segments.change.deliver_drift import deliver_drift

    folder = Path(f"{newest.stem}-drift") if output is None else output
    with deliver_drift(folder, overwrite=overwrite) as write, warm_up():
        with working("Comparing", quiet=quiet):
            periods = {"time": time, "every": every, "reference": reference, "search": search}
            found = _compared(model if with_model else None, newest, before, periods, common)
        with working("Writing the report", quiet=quiet):
            files = write(found, render_drift)
    _print(found, folder, files, json=json, quiet=quiet)
    _leave(found, fail_on)


def _compared(
    model: Path | None,
    table: TableInput,
    before: Path | None,
    periods: dict[str, Any],
    common: dict[str, Any],
) -> TableDrift:
    from mixtura.segments import SegmentModel
    from mixtura.segments.change import drift_of_table, drift_over_time

    loaded = None if model is None else SegmentModel.load(model)
    ids = common["id_column"], None if loaded is None else loaded.training.id_column
    frame = table.read(*ids).data
    time, every = periods["time"], periods["every"]
    if time is not None:
        asked = {"every": every, "reference": periods["reference"], "model": loaded}
        return drift_over_time(frame, time, **asked, **common, **periods["search"])
    assert loaded is not None, "there is a model or a time column"
    if before is None:
        return drift_of_table(loaded, frame, **common)
    earlier = TableInput([str(before)])
    return drift_of_table(loaded, frame, before=earlier.read(*ids).data, before_source=earlier.name, **common)


def _check(
    model: Path,
    with_model: bool,
    before: Path | None,
    time: str | None,
    reference: str | None,
    search: dict[str, Any],
    fail_on: str | None,
) -> None:
    """Refuse what does not go together, before anything is read."""
    from mixtura.exceptions import ParameterError
    from mixtura.validation import require

    if fail_on is not None:
        require("fail_on", fail_on, ("update", "refit"), "Try `fail_on='refit'`.")
    if not with_model and time is None:
        what = (
            "a model needs a table to compare" if model.suffix == ".json" else "a table needs a time column"
        )
        raise ParameterError(
            f"{str(model)!r} alone cannot be compared: {what}. Try mixtura drift model.json new_customers.csv, or "
            "mixtura drift table.csv --time month."
        )
    if with_model and search:
        raise ParameterError(
            f"A model has its columns and segments; {', '.join(sorted(search))} cannot be chosen. They are for a table "
            "with --time and without a model. Leave them out."
        )
    if before is not None and time is not None:
        raise ParameterError(
            "--before is for a model and a table; with --time the periods are compared. Leave one out."
        )
    if reference is not None and (time is None or with_model):
        raise ParameterError(
            "--reference names a period of a table with --time and without a model. Leave it out."
        )


def _print(found: TableDrift, folder: Path, files: tuple[str, ...], *, json: bool, quiet: bool) -> None:
    from mixtura.io import readable_json
    from mixtura.segments.results.changes.build_drift import drift_document

    document = drift_document(found)
    if json:
        typer.echo(readable_json(document.to_dict()), nl=False)
        return
    from mixtura.cli.printing.print_drift import print_drift

    console = output_console(quiet=quiet)
    print_drift(console, document)
    console.print(f"\nWritten: {folder} ({', '.join(files)})", soft_wrap=True)


def _leave(found: TableDrift, fail_on: str | None) -> None:
    from mixtura.drift import VERDICTS

    if fail_on is not None and found.verdict.rank >= VERDICTS.index(fail_on):
        raise typer.Exit(CHANGED)
