"""``mixtura segment TABLE``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mixtura.cli import option_types as options
from mixtura.cli.console import handle_errors, output_console

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

Resamples = Annotated[
    int | None,
    typer.Option(
        min=0, help="Resamples that say how stable the segments are; 0 for none. [default: 50 or 20, by size]"
    ),
]
Excel = Annotated[
    bool, typer.Option("--excel", help="Write a workbook, too: a sheet per part of the report.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON, and nothing else.")]

REPORT_FILE = "report.html"
WORKBOOK_FILE = "workbook.xlsx"


@handle_errors
def segment(
    table: options.CustomerTable,
    columns: options.Columns = None,
    describe: options.Describe = None,
    id_column: options.IdColumn = None,
    value: options.Value = None,
    weight: options.Weight = None,
    transform: options.Transforms = None,
    components: options.Components = None,
    covariance_type: options.CovarianceTypes = None,
    criterion: options.Criterion = "bic",
    n_folds: options.Folds = None,
    prior: options.Prior = "floor",
    n_init: options.Starts = 1,
    seed: options.Seed = 0,
    anomaly_percentile: Percentile = 4.0,
    drop_missing: options.DropMissing = False,
    names: Names = None,
    resamples: Resamples = None,
    excel: Excel = False,
    output: Output = None,
    overwrite: options.Overwrite = False,
    json: Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Find segments in a table, and write them to a directory."""
    asked = options.search_options(
        columns=columns, id_column=id_column, value=value, weight=weight, transform=transform, components=components,
        covariance_type=covariance_type, criterion=criterion, n_folds=n_folds, prior=prior, n_init=n_init, seed=seed,
        anomaly_percentile=anomaly_percentile, drop_missing=drop_missing, names=names, source=table.name,
        describe=options.parse_names(describe, "--describe") or (),
    )  # fmt: skip
    _run(table, output, asked, _Wanted(resamples, excel, overwrite, json, quiet))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What to write and print."""

    resamples: int | None
    excel: bool
    overwrite: bool
    json: bool
    quiet: bool

    @property
    def files(self) -> tuple[str, ...]:
        from mixtura.io import RESULT_FILES

        return (*RESULT_FILES, WORKBOOK_FILE) if self.excel else RESULT_FILES


def _run(table: Path, output: Path | None, asked: dict[str, Any], wanted: _Wanted) -> None:
    from mixtura.io import RESULT_FILES, output_directory, read_names, readable_json
    from mixtura.plot import warm_up

    folder = Path(f"{table.stem}-segments") if output is None else output
    asked["names"] = None if asked["names"] is None else read_names(asked["names"])
    replaceable = (*RESULT_FILES, WORKBOOK_FILE)
    with output_directory(folder, files=replaceable, overwrite=wanted.overwrite) as writing:
        read = options.read_customers(table, asked["id_column"])
        with warm_up():
            result, summary = _segment_and_write(read.data, writing, asked, wanted)
    if wanted.json:
        typer.echo(readable_json(summary), nl=False)
        return

    from mixtura.cli.printing.print_columns import print_table_read
    from mixtura.cli.printing.print_segmentation import print_segmentation

    console = output_console(quiet=wanted.quiet)
    print_table_read(console, read, result.columns, [one.kind for one in result.model.transforms])
    verdict = summary["verdict"]
    measured = verdict["stability"] is not None and verdict["adjusted_rand"] is not None
    stability = (verdict["stability"], verdict["adjusted_rand"]) if measured else None
    print_segmentation(console, result, stability)
    console.print(f"\nWritten: {folder} ({', '.join(wanted.files)})", soft_wrap=True)


def _segment_and_write(
    frame: Any, folder: Path, asked: dict[str, Any], wanted: _Wanted
) -> tuple[SegmentationResult, dict[str, Any]]:
    from mixtura.cli.progress import model_progress, working
    from mixtura.segments import segment_table

    with model_progress(quiet=wanted.quiet, criterion=asked["criterion"]) as told:
        result = segment_table(frame, **told, **asked)
    # After the search, so that what it does not need is not loaded before it begins.
    from mixtura.plot import draw_segments
    from mixtura.report import collect, draw_charts, render_report, report_stability, write_workbook
    from mixtura.segments import write_results

    # The picture is rendered by a process of its own while customers are resampled and charts put together.
    with ThreadPoolExecutor(1) as pool:
        picture = pool.submit(draw_segments, result)
        with working("Resampling", quiet=wanted.quiet):
            stability = report_stability(result, wanted.resamples)
        with working("Writing the report", quiet=wanted.quiet):
            summary = collect(result, stability=stability)
            page = render_report(summary, draw_charts(result, stability))
            write_results(result, folder, picture=picture.result(), summary=summary)
            (folder / REPORT_FILE).write_text(page, encoding="utf-8")
            if wanted.excel:
                write_workbook(result, summary, folder / WORKBOOK_FILE)
    return result, summary
