"""``mixtura select TABLE``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mixtura.cli.console import door, output_console
from mixtura.cli.options import (
    Columns,
    Components,
    CovarianceTypes,
    Criterion,
    CustomerTable,
    DropMissing,
    IdColumn,
    Overwrite,
    Prior,
    Quiet,
    Seed,
    Starts,
    Transforms,
    Weight,
    parse_components,
    parse_names,
    parse_transform,
)

if TYPE_CHECKING:
    from mixtura.segments import Selection

__all__ = ["select"]

Output = Annotated[
    Path | None, typer.Option(help="Directory for the results. [default: TABLE-selection, here]")
]


@door
def select(
    table: CustomerTable,
    columns: Columns = None,
    id_column: IdColumn = None,
    weight: Weight = None,
    transform: Transforms = None,
    components: Components = None,
    covariance_type: CovarianceTypes = None,
    criterion: Criterion = "bic",
    prior: Prior = "floor",
    n_init: Starts = 1,
    seed: Seed = 0,
    drop_missing: DropMissing = False,
    output: Output = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Rank the models that describe a table: covariance types and numbers of components."""
    options = {
        "columns": parse_names(columns),
        "id_column": id_column,
        "weight": weight,
        "transform": parse_transform(transform),
        "components": None if components is None else parse_components(components),
        "covariance_types": parse_names(covariance_type),
        "criterion": criterion,
        "prior": prior,
        "n_init": n_init,
        "random_state": seed,
        "drop_missing": drop_missing,
    }
    folder = Path(f"{table.stem}-selection") if output is None else output
    _run(table, folder, options, overwrite=overwrite, quiet=quiet)


def _run(table: Path, folder: Path, options: dict[str, Any], *, overwrite: bool, quiet: bool) -> None:
    from mixtura.io import SELECTION_FILES, output_directory, read_table
    from mixtura.plot import warm_up

    ids = [] if options["id_column"] is None else [options["id_column"]]
    read = read_table(table, text=ids)
    with output_directory(folder, files=SELECTION_FILES, overwrite=overwrite) as writing, warm_up():
        selection = _select_and_write(read.data, writing, options, quiet=quiet)

    from mixtura.cli.print_columns import print_table_read
    from mixtura.cli.print_selection import print_selection

    console = output_console(quiet=quiet)
    print_table_read(console, read, selection.columns)
    print_selection(console, selection)
    console.print(f"\nWritten: {folder} ({', '.join(SELECTION_FILES)})", soft_wrap=True)


def _select_and_write(frame: Any, folder: Path, options: dict[str, Any], *, quiet: bool) -> Selection:
    from mixtura.cli.progress import model_progress
    from mixtura.plot import draw_criterion
    from mixtura.segments import select_table, write_selection

    with model_progress(quiet=quiet) as on_candidate:
        selection = select_table(frame, on_candidate=on_candidate, **options)
    write_selection(selection, folder, picture=draw_criterion(selection.found))
    return selection
