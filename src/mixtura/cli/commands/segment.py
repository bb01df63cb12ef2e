"""``mixtura segment TABLE``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mixtura.cli import option_types as options
from mixtura.cli.cluster_input import ClusterInput, Dask, input_of_cluster
from mixtura.cli.console import exit_if_interrupted, handle_errors, output_console
from mixtura.cli.database_input import DatabaseInput, InDatabase
from mixtura.cli.table_input import CustomerTable, Database, SpoolDir, Sql, TableInput
from mixtura.exceptions import ParameterError

if TYPE_CHECKING:
    from rich.console import Console

    from mixtura.cli.progress import Stages
    from mixtura.io import Table
    from mixtura.segments import SegmentationResult
    from mixtura.segments.results.document import Document

__all__ = ["segment"]

Percentile = Annotated[float, typer.Option(help="Percent of customers, the least usual, to call anomalies.")]
Output = Annotated[
    Path | None, typer.Option(help="Directory for the results. [default: TABLE-segments, here]")
]
Names = Annotated[
    Path | None,
    typer.Option(help='A TOML file that names segments, by number or automatic name: 1 = "Savers".'),
]

Resamples = Annotated[
    int | None,
    typer.Option(
        min=0, help="Resamples that say how stable the segments are; 0 for none. [default: 50 or 20, by size]"
    ),
]
Excel = Annotated[
    bool, typer.Option("--excel", help="Write a workbook, too: a sheet per part of the report.")
]
SelectColumns = Annotated[
    bool,
    typer.Option(
        "--select-columns",
        help="Let only columns build segments in which these differ; the others describe them.",
    ),
]
Known = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Column with the segment of customers for whom it is known; missing for the others, who are divided.",
    ),
]
Keep = Annotated[
    Path | None,
    typer.Option(
        metavar="MODEL",
        help="A model file whose segments stay as they are; new ones are found beside them, if there are some.",
    ),
]
Merge = Annotated[
    str | None,
    typer.Option(
        metavar="auto|K",
        help="Make one segment of components that overlap: auto, as far as they are one group; or to K segments.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON, and nothing else.")]


@handle_errors
def segment(
    table: CustomerTable = None, sql: Sql = None, database: Database = None, in_database: InDatabase = False,
    dask: Dask = None, columns: options.Columns = None,
    describe: options.Describe = None, id_column: options.IdColumn = None,
    value: options.Value = None, weight: options.Weight = None,
    transform: options.Transforms = None,
    kind: options.ColumnKinds = None,
    missing_code: options.MissingCode = None,
    components: options.Components = None,
    covariance_type: options.CovarianceTypes = None,
    criterion: options.Criterion = "bic",
    n_folds: options.Folds = None,
    prior: options.Prior = "floor", min_share: options.MinShare = 0.0,
    robust: options.Robust = "none", merge: Merge = None,
    known: Known = None, keep: Keep = None,
    select_columns: SelectColumns = False,
    n_init: options.Starts = 1, seed: options.Seed = 0,
    anomaly_percentile: Percentile = 4.0,
    drop_missing: options.DropMissing = False,
    names: Names = None,
    checkpoint: options.Checkpoint = None,
    resamples: Resamples = None,
    excel: Excel = False,
    output: Output = None,
    overwrite: options.Overwrite = False,
    json: Json = False, spool_dir: SpoolDir = None, progress: options.Progress = False, quiet: options.Quiet = False,
) -> None:  # fmt: skip
    """Find segments in a table, and write them to a directory."""
    _require_measurable(keep, resamples)
    wanted = _Wanted(resamples, excel, overwrite, json, quiet, spool_dir, progress)
    asked = options.search_options(
        describe=describe, missing_code=missing_code, value=value,
        drop_missing=drop_missing, components=components, id_column=id_column, checkpoint=checkpoint, n_init=n_init,
        transform=transform, criterion=criterion, min_share=min_share, columns=columns, prior=prior, n_folds=n_folds,
        weight=weight, covariance_type=covariance_type, robust=robust, merge=_parsed(merge), known=known, names=names,
        kind=kind, seed=seed, keep=keep, select_columns=select_columns, anomaly_percentile=anomaly_percentile,
    )  # fmt: skip
    read = input_of_cluster(
        dask, asked | {"spool_dir": spool_dir}, table, sql, database, in_database=in_database
    )
    _run(read, output, wanted, asked)


def _parsed(merge: str | None) -> str | int | None:
    """Return the number of segments to merge to, or the word as it is."""
    return int(merge) if merge is not None and merge.strip().lstrip("-").isdecimal() else merge


def _require_measurable(keep: Path | None, resamples: int | None) -> None:
    """Raise `ParameterError` where stability is asked for that is not measured."""
    if keep is not None and resamples:
        raise ParameterError(
            "`resamples` cannot be given with `keep`: stability is not measured, as what is kept stays whatever "
            "customers there are. Leave one of them out."
        )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What to write and print."""

    resamples: int | None
    excel: bool
    overwrite: bool
    json: bool
    quiet: bool
    spool_dir: Path | None
    progress: bool


def _survey(table: TableInput) -> str | None:
    """Return the suffix of the survey file that results are written to, too: of the program the table came from."""
    return {".sav": ".sav", ".zsav": ".sav", ".por": ".sav", ".dta": ".dta"}.get(
        Path(table.name).suffix.lower()
    )


def _run(table: TableInput, output: Path | None, wanted: _Wanted, asked: dict[str, Any]) -> None:
    from mixtura.cli.option_names import with_options
    from mixtura.cli.progress import stages
    from mixtura.data.spool import spooled_in
    from mixtura.io import read_names, readable_json, release_arrow_memory
    from mixtura.report import REPORT
    from mixtura.segments import Effort, deliver

    folder = Path(f"{table.stem}-segments") if output is None else output
    asked["names"] = None if asked["names"] is None else read_names(asked["names"])
    asked["source"] = table.name
    writing = deliver(
        folder, presentation=REPORT, workbook=wanted.excel, survey=_survey(table), overwrite=wanted.overwrite,
        in_database=isinstance(table, DatabaseInput),
    )  # fmt: skip
    showing = stages(quiet=wanted.quiet, lines=wanted.progress)
    with spooled_in(wanted.spool_dir), _reached(table) as cluster, writing as delivery, showing as shown:
        if cluster is not None:
            from mixtura.run import require_seen

            require_seen(cluster, [delivery.folder])
        result, read = _segmented(table, shown, asked)
        # Who interrupts the search does not want to wait for what was not asked for.
        resamples = 0 if result.interrupted and wanted.resamples is None else wanted.resamples
        effort = Effort(resamples, on_resample=shown.amount("resamples"))
        result = result.with_effort(effort).with_wording(with_options)
        release_arrow_memory()
        delivery.write(result, shown.stage)
    document = result.document
    if wanted.json:
        typer.echo(readable_json(document.to_dict()), nl=False)
    elif not wanted.quiet:
        _print(output_console(), read, document, folder, delivery.files)
    exit_if_interrupted(result.interrupted, asked["checkpoint"])


def _reached(table: TableInput) -> AbstractContextManager[Any]:
    """Return the cluster whose workers read a table, connected to before a file is touched; None for other tables."""
    return table.connected() if isinstance(table, ClusterInput) else nullcontext()


def _segmented(table: TableInput, shown: Stages, asked: dict[str, Any]) -> tuple[SegmentationResult, Table]:
    """Return the segments, and what is printed of the table."""
    from mixtura.cli.progress import model_callbacks
    from mixtura.data.sources import Source
    from mixtura.io import outline_of
    from mixtura.segments import segment_table

    called = partial(model_callbacks, shown, asked["criterion"])
    shown.begin(f"Reading {table.name}")
    if isinstance(table, DatabaseInput):
        from mixtura.segments.in_database import segment_in_database

        with table.connected() as held:
            result = segment_in_database(held, **called(parts=True), **asked)
            return result, outline_of(held.outline(result.n_rows), table.name)
    if isinstance(table, ClusterInput):
        from mixtura.segments.large.on_cluster import segment_on_cluster

        source = table.source(asked["id_column"])
        asked["read_small"] = lambda: table.read(asked["id_column"]).data
        result = segment_on_cluster(source, **called(parts=True), **asked)
        return result, outline_of(replace(source, n_rows=result.n_rows), table.name)
    read = table.open(asked["id_column"], on_rows=shown.amount("rows"))
    if not isinstance(read, Source):
        return segment_table(read.data, **called(), **asked), read.without_cells()
    from mixtura.segments.large.segment_source import segment_source

    return segment_source(read, **called(parts=True, rows=True), **asked), outline_of(read, table.name)


def _print(console: Console, read: Table, document: Document, folder: Path, files: Sequence[str]) -> None:
    from mixtura.cli.printing.print_columns import print_table_segmented
    from mixtura.cli.printing.print_segmentation import print_segmentation

    print_table_segmented(console, read, document)
    print_segmentation(console, document)
    written = [name for name in files if (folder / name).exists()]
    console.print(f"\nWritten: {folder} ({', '.join(written)})", soft_wrap=True)
