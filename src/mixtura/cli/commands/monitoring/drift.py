"""``mixtura drift MODEL TABLE`` and ``mixtura drift TABLE --time COLUMN``."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    with_model = bool(table) or sql is not None or database is not None
    search = _search(columns=columns, components=components, transform=transform, kind=kind, seed=seed)
    newest = TableInput(table if with_model else [str(model)], sql, database)
    asked = _Asked(model if with_model else None, newest, before, time, every, reference, search)
    asked.check(model, fail_on)
    found = asked.deliver(
        output,
        overwrite=overwrite,
        quiet=quiet,
        id_column=id_column,
        value=value,
        drop_missing=drop_missing,
        renewed=not no_model,
    )
    _print(*found, json=json, quiet=quiet)
    _leave(found[0], fail_on)


def _search(
    *,
    columns: list[str] | None,
    components: str | None,
    transform: list[str] | None,
    kind: list[str] | None,
    seed: int,
) -> dict[str, Any]:
    """Return what was asked of the search, under the names of `segment_table`."""
    asked = {
        "columns": options.parse_names(columns),
        "components": None if components is None else options.parse_components(components),
        "transform": None if transform is None else options.parse_transform(transform),
        "kinds": None if kind is None else options.parse_kinds(kind),
        "random_state": seed or None,
    }
    return {name: held for name, held in asked.items() if held is not None}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be compared with what."""

    model: Path | None
    table: TableInput
    before: Path | None
    time: str | None
    every: str
    reference: str | None
    search: dict[str, Any]

    def check(self, first: Path, fail_on: str | None) -> None:
        """Refuse what does not go together, before anything is read; `first` is the first argument."""
        from mixtura.exceptions import ParameterError
        from mixtura.validation import require

        if fail_on is not None:
            require("fail_on", fail_on, ("update", "refit"), "Try `fail_on='refit'`.")
        if self.model is None and self.time is None:
            is_model = first.suffix == ".json"
            what = "a model needs a table to compare" if is_model else "a table needs a time column"
            raise ParameterError(
                f"{str(first)!r} alone cannot be compared: {what}. Try mixtura drift model.json new_customers.csv, or "
                "mixtura drift table.csv --time month."
            )
        if self.model is not None and self.search:
            chosen = ", ".join(f"`{one}`" for one in sorted(self.search))
            raise ParameterError(
                f"A model has its columns and segments; {chosen} cannot be chosen. They are "
                "for a table with --time and without a model. Leave them out."
            )
        if self.before is not None and self.time is not None:
            raise ParameterError(
                "--before is for a model and a table; with --time the periods are compared. Leave one out."
            )
        if self.reference is not None and (self.time is None or self.model is not None):
            raise ParameterError(
                "--reference names a period of a table with --time and without a model. Leave it out."
            )

    def deliver(
        self, output: Path | None, *, overwrite: bool, quiet: bool, **common: Any
    ) -> tuple[TableDrift, Path, tuple[str, ...]]:
        """Compare, and write the results; return what was found, the directory and its files."""
        from mixtura.cli.option_names import notes_with_options
        from mixtura.cli.progress import working
        from mixtura.plot import warm_up
        from mixtura.report import render_drift
        from mixtura.segments.change.deliver_drift import deliver_drift

        folder = Path(f"{self.table.stem}-drift") if output is None else output
        with deliver_drift(folder, overwrite=overwrite) as write, warm_up():
            with working("Comparing", quiet=quiet):
                found = self.compare(source=self.table.name, **common)
                found = replace(found, notes=notes_with_options(found.notes))
            with working("Writing the report", quiet=quiet):
                return found, folder, write(found, render_drift)

    def compare(self, **common: Any) -> TableDrift:
        """Read and compare."""
        from mixtura.segments import SegmentModel
        from mixtura.segments.change import drift_of_table, drift_over_time

        loaded = None if self.model is None else SegmentModel.load(self.model)
        ids = common["id_column"], None if loaded is None else loaded.training.id_column
        frame = self.table.read(*ids).data
        if self.time is not None:
            return drift_over_time(
                frame,
                self.time,
                every=self.every,
                reference=self.reference,
                model=loaded,
                **common,
                **self.search,
            )
        assert loaded is not None, "there is a model or a time column"
        if self.before is None:
            return drift_of_table(loaded, frame, **common)
        earlier = TableInput([str(self.before)])
        return drift_of_table(
            loaded, frame, before=earlier.read(*ids).data, before_source=earlier.name, **common
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
