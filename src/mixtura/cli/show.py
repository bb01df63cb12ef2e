"""``mixtura show MODEL``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixtura.cli.console import door, output_console

__all__ = ["show"]


@door
def show(
    model: Annotated[Path, typer.Argument(help="A model.json that mixtura segment wrote.")],
) -> None:
    """Print what a saved model is made of."""
    from mixtura.cli.print_model import print_model
    from mixtura.segments import SegmentModel

    print_model(output_console(), model.name, SegmentModel.load(model))
