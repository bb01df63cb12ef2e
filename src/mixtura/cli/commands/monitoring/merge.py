"""``mixtura merge MODEL STATISTICS...``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixtura.cli.console import handle_errors, output_console
from mixtura.cli.option_types import ModelFile, Overwrite, Quiet
from mixtura.exceptions import ParameterError

__all__ = ["merge"]

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="STATISTICS...",
        help="Files that mixtura update MODEL TABLE --statistics FILE wrote, all with this very model.",
    ),
]
Statistics = Annotated[
    Path | None,
    typer.Option(help="Write the sums of all files to this file instead of a model. [default: a model]"),
]
Output = Annotated[Path | None, typer.Option(help="File for the model. [default: MODEL-merged.json, here]")]


@handle_errors
def merge(
    model: ModelFile,
    files: Files,
    statistics: Statistics = None,
    output: Output = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Make one model of the sums of several sites, which share no rows."""
    from mixtura.cli.printing.change.print_update import print_merge, print_statistics
    from mixtura.io import output_file
    from mixtura.segments import SegmentModel, SiteStatistics, add_statistics, merge_statistics

    if statistics is not None and output is not None:
        raise ParameterError(
            f"`output` is for a model, and with `statistics`, {str(statistics)!r}, none is written. Leave it out."
        )
    console = output_console(quiet=quiet)
    path = statistics or output or Path(f"{model.stem}-merged.json")
    with output_file(path, overwrite=overwrite, inputs=[model, *files]) as writing:
        loaded, sites = SegmentModel.load(model), [SiteStatistics.load(one) for one in files]
        added = add_statistics(loaded, sites)
        if statistics is not None:
            writing.write_text(added.to_json(), encoding="utf-8")
            print_statistics(console, ", ".join(added.sources), loaded, added)
        else:
            found = merge_statistics(loaded, sites)
            writing.write_text(found.to_json(), encoding="utf-8")
            print_merge(console, loaded, found, added.statistics.log_likelihood / added.statistics.weight)
    console.print(f"\nWritten: {path}", soft_wrap=True)
