"""``mixtura demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mixtura.cli.console import handle_errors, output_console

__all__ = ["demo"]

_FILES = {"mall": "mall_customers.csv", "purchases": "purchases.csv"}


@handle_errors
def demo(
    output: Annotated[Path, typer.Option(help="Directory for the table; made if it is not there.")] = Path(),
    table: Annotated[
        Literal["customers", "mall", "purchases"],
        typer.Option(
            help="customers: with the tour. mall, purchases: the tables of the worked cases, and no tour."
        ),
    ] = "customers",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a table of other content.")] = False,
) -> None:
    """Take the guided tour on 300 generated customers, and write their table, or another one."""
    from mixtura.demo import take_tour, write_customers, write_look_alike

    console = output_console()
    if table != "customers":
        path = write_look_alike(table, output / _FILES[table], overwrite=overwrite)
        console.print(f"Written: {path}", soft_wrap=True)
        return
    from mixtura.cli.printing.print_tour import print_tour

    path = write_customers(output / "customers.csv", overwrite=overwrite)
    print_tour(console, take_tour())
    console.print(f"\nWritten: {path}\nNow segment it: mixtura segment {path}", soft_wrap=True)
