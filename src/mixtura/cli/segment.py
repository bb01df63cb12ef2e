"""``mixtura segment TABLE``."""

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
    Describe,
    DropMissing,
    IdColumn,
    Overwrite,
    Quiet,
    Seed,
    Starts,
    Transforms,
    Value,
    Weight,
    parse_components,
    parse_names,
    parse_transform,
)

if TYPE_CHECKING:
    from mixtura.segments import SegmentationResult

__all__ = ["segment"]

Percentile = Annotated[float, typer.Option(help="Percent of customers, the least usual, to call anomalies.")]
Output = Annotated[
    Path | None, typer.Option(help="Directory for the results. [default: TABLE-segments, here]")
]
Names = Annotated[
    Path | None,
    typer.Option(help='A TOML file that names segments, by number or automatic name: 1 = "Savers".'),
]


@door
def segment(
    table: CustomerTable,
    columns: Columns = None,
    describe: Describe = None,
    id_column: IdColumn = None,
    value: Value = None,
    weight: Weight = None,
    transform: Transforms = None,
    components: Components = None,
    covariance_type: CovarianceTypes = None,
    criterion: Criterion = "bic",
    n_init: Starts = 1,
    seed: Seed = 0,
    anomaly_percentile: Percentile = 4.0,
    drop_missing: DropMissing = False,
    names: Names = None,
    output: Output = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Find segments in a table, and write them to a directory."""
    options = {
        "columns": parse_names(columns),
        "describe": parse_names(describe, "--describe") or (),
        "id_column": id_column,
        "value": value,
        "weight": weight,
        "transform": parse_transform(transform),
        "names": names,
        "components": None if components is None else parse_components(components),
        "covariance_types": parse_names(covariance_type),
        "criterion": criterion,
        "n_init": n_init,
        "random_state": seed,
        "anomaly_percentile": anomaly_percentile,
        "drop_missing": drop_missing,
        "source": table.name,
    }
    folder = Path(f"{table.stem}-segments") if output is None else output
    _run(table, folder, options, overwrite=overwrite, quiet=quiet)


def _run(table: Path, folder: Path, options: dict[str, Any], *, overwrite: bool, quiet: bool) -> None:
    from mixtura.io import RESULT_FILES, output_directory, read_names, read_table
    from mixtura.plot import warm_up

    options["names"] = None if options["names"] is None else read_names(options["names"])
    ids = [] if options["id_column"] is None else [options["id_column"]]
    read = read_table(table, text=ids)
    with output_directory(folder, files=RESULT_FILES, overwrite=overwrite) as writing, warm_up():
        result = _segment_and_write(read.data, writing, options, quiet=quiet)

    from mixtura.cli.print_columns import print_table_read
    from mixtura.cli.print_segmentation import print_segmentation

    console = output_console(quiet=quiet)
    print_table_read(console, read, result.columns)
    print_segmentation(console, result)
    console.print(f"\nWritten: {folder} ({', '.join(RESULT_FILES)})", soft_wrap=True)


def _segment_and_write(
    frame: Any, folder: Path, options: dict[str, Any], *, quiet: bool
) -> SegmentationResult:
    from mixtura.cli.progress import model_progress
    from mixtura.plot import draw_segments
    from mixtura.segments import segment_table, write_results

    with model_progress(quiet=quiet) as on_candidate:
        result = segment_table(frame, on_candidate=on_candidate, **options)
    write_results(result, folder, picture=draw_segments(result))
    return result
