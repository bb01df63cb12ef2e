"""The commands, put together."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from mixtura.cli.commands.advise import advise
from mixtura.cli.commands.anomalies import anomalies
from mixtura.cli.commands.assign import assign
from mixtura.cli.commands.audience import audience
from mixtura.cli.commands.demo import demo
from mixtura.cli.commands.export import export
from mixtura.cli.commands.import_model import import_model
from mixtura.cli.commands.info import info
from mixtura.cli.commands.monitoring.drift import drift
from mixtura.cli.commands.monitoring.merge import merge
from mixtura.cli.commands.monitoring.update import update
from mixtura.cli.commands.segment import segment
from mixtura.cli.commands.select import select
from mixtura.cli.commands.show import show
from mixtura.cli.commands.typing import typing
from mixtura.cli.option_values import CheckedCommand

__all__ = ["app"]

app = typer.Typer(
    name="mixtura",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from mixtura import __version__

        typer.echo(f"mixtura {__version__}")
        raise typer.Exit


@app.callback()
def mixtura(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Segment a table of customers with Gaussian mixtures: soft segments, ambiguous customers, anomalies.

    Start with: mixtura demo
    """


_command = partial(app.command, cls=CheckedCommand)
_command()(segment)
_command()(advise)
_command()(select)
_command()(assign)
_command()(audience)
_command()(typing)
_command()(anomalies)
_command()(drift)
_command()(update)
_command()(merge)
_command()(export)
_command("import")(import_model)
_command()(show)
_command()(demo)
_command()(info)
