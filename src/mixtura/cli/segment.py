"""``mixtura segment TABLE``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixtura.cli.console import door, output_console
from mixtura.cli.options import parse_components, parse_names

if TYPE_CHECKING:
    from mixtura.segments import Segmentation

__all__ = ["segment"]


@door
def segment(
    table: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet, JSON lines or Excel; one row per customer.")],
    columns: Annotated[
        list[str] | None,
        typer.Option(help="Columns to use, separated by commas. [default: all numbers that are no ids]"),
    ] = None,
    id_column: Annotated[
        str | None, typer.Option("--id", help="The column that names customers. [default: found by itself]")
    ] = None,
    components: Annotated[
        str | None, typer.Option(help="Numbers of segments to try: 3, 1-9 or 2,4,6. [default: 1-9]")
    ] = None,
    covariance_type: Annotated[
        list[str] | None,
        typer.Option(help="full, tied, diag or spherical; may be given several times. [default: all]"),
    ] = None,
    criterion: Annotated[str, typer.Option(help="What chooses among models: bic or aic.")] = "bic",
    n_init: Annotated[int, typer.Option(help="Starts per model; the best is kept.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    anomaly_percentile: Annotated[
        float, typer.Option(help="Percent of customers, the least usual ones, to call anomalies.")
    ] = 4.0,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave rows with missing values unassigned.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Directory for the results. [default: TABLE-segments, here]")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier results.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Find segments in a table, and write them to a directory."""
    counts = None if components is None else parse_components(components)
    names = parse_names(columns)

    from mixtura.cli.print_columns import print_table_read
    from mixtura.cli.print_segmentation import print_segmentation
    from mixtura.cli.progress import model_progress
    from mixtura.io import output_directory, read_table
    from mixtura.plot import draw_segments, warm_up
    from mixtura.segments import COVARIANCE_TYPES, RESULT_FILES, segment_table, write_results

    console = output_console(quiet=quiet)
    read = read_table(table, text=[id_column] if id_column else [])
    folder = Path(f"{table.stem}-segments") if output is None else output
    with output_directory(folder, files=RESULT_FILES, overwrite=overwrite) as writing, warm_up():
        with model_progress(quiet=quiet) as on_candidate:
            result: Segmentation = segment_table(
                read.data,
                columns=names,
                id_column=id_column,
                components=counts,
                covariance_types=tuple(covariance_type or COVARIANCE_TYPES),
                criterion=criterion,
                n_init=n_init,
                random_state=seed,
                anomaly_percentile=anomaly_percentile,
                drop_missing=drop_missing,
                source=table.name,
                on_candidate=on_candidate,
            )
        write_results(result, writing, picture=draw_segments(result))
    print_table_read(console, read, result.columns)
    print_segmentation(console, result)
    console.print(f"\nWritten: {folder} ({', '.join(RESULT_FILES)})", soft_wrap=True)
