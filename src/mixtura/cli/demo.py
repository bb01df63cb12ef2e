"""``mixtura demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixtura.cli.console import door, output_console

__all__ = ["demo"]


@door
def demo(
    output: Annotated[
        Path, typer.Option(help="Directory for customers.csv; made if it is not there.")
    ] = Path(),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a customers.csv of other content.")
    ] = False,
) -> None:
    """Take the guided tour on 300 generated customers, and write their table."""
    from mixtura.cli.print_tour import print_tour
    from mixtura.segments import take_tour, write_customers

    path = write_customers(output / "customers.csv", overwrite=overwrite)
    console = output_console()
    print_tour(console, take_tour())
    console.print(f"\nWritten: {path}\nNow segment it: mixtura segment {path}", soft_wrap=True)
