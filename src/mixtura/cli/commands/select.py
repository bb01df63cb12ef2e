"""``mixtura select TABLE``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mixtura.cli import option_types as options
from mixtura.cli.console import exit_if_interrupted, handle_errors, output_console
from mixtura.cli.table_input import CustomerTable, Database, Sql, TableInput

if TYPE_CHECKING:
    from mixtura.segments import Selection

__all__ = ["select"]

Output = Annotated[
    Path | None, typer.Option(help="Directory for the results. [default: TABLE-selection, here]")
]


@handle_errors
def select(
    table: CustomerTable = None,
    sql: Sql = None,
    database: Database = None,
    columns: options.Columns = None,
    id_column: options.IdColumn = None,
    weight: options.Weight = None,
    transform: options.Transforms = None,
    kind: options.ColumnKinds = None,
    missing_code: options.MissingCode = None,
    components: options.Components = None,
    covariance_type: options.CovarianceTypes = None,
    criterion: options.Criterion = "bic",
    n_folds: options.Folds = None,
    prior: options.Prior = "floor",
    min_share: options.MinShare = 0.0,
    robust: options.Robust = "none",
    n_init: options.Starts = 1,
    seed: options.Seed = 0,
    drop_missing: options.DropMissing = False,
    checkpoint: options.Checkpoint = None,
    output: Output = None,
    overwrite: options.Overwrite = False,
    progress: options.Progress = False,
    quiet: options.Quiet = False,
) -> None:
    """Rank the models that describe a table: covariance types and numbers of components."""
    given = TableInput(table, sql, database)
    asked = options.search_options(
        columns=columns, id_column=id_column, weight=weight, transform=transform, kind=kind, missing_code=missing_code,
        components=components, covariance_type=covariance_type, criterion=criterion, n_folds=n_folds, prior=prior,
        n_init=n_init, seed=seed, drop_missing=drop_missing, min_share=min_share, robust=robust, checkpoint=checkpoint,
    )  # fmt: skip
    folder = Path(f"{given.stem}-selection") if output is None else output
    _run(given, folder, asked, overwrite=overwrite, quiet=quiet, lines=progress)


def _run(
    table: TableInput, folder: Path, asked: dict[str, Any], *, overwrite: bool, quiet: bool, lines: bool
) -> None:
    from mixtura.io import SELECTION_FILES, output_directory
    from mixtura.plot import warm_up

    with output_directory(folder, files=SELECTION_FILES, overwrite=overwrite) as writing:
        read = table.drawn(asked["random_state"], asked["id_column"])
        with warm_up():
            selection = _select_and_write(read.data, writing, asked, quiet=quiet, lines=lines)

    from mixtura.cli.printing.print_columns import print_table_read
    from mixtura.cli.printing.print_selection import print_selection

    console = output_console(quiet=quiet)
    print_table_read(console, read, selection.columns)
    print_selection(console, selection, drop_missing=asked["drop_missing"])
    console.print(f"\nWritten: {folder} ({', '.join(SELECTION_FILES)})", soft_wrap=True)
    exit_if_interrupted(selection.found.interrupted, asked["checkpoint"])


def _select_and_write(
    frame: Any, folder: Path, asked: dict[str, Any], *, quiet: bool, lines: bool
) -> Selection:
    from mixtura.cli.progress import model_progress
    from mixtura.plot import draw_criterion
    from mixtura.segments import select_table, write_selection

    with model_progress(quiet=quiet, criterion=asked["criterion"], lines=lines) as callbacks:
        selection = select_table(frame, **callbacks, **asked)
    write_selection(selection, folder, picture=draw_criterion(selection.found))
    return selection
