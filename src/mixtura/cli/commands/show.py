"""``mixtura show MODEL``."""

from __future__ import annotations

from mixtura.cli.console import handle_errors, output_console
from mixtura.cli.option_types import ModelFile

__all__ = ["show"]


@handle_errors
def show(model: ModelFile) -> None:
    """Print what a saved model is made of."""
    from mixtura.cli.printing.print_model import print_model
    from mixtura.segments import SegmentModel

    print_model(output_console(), model.name, SegmentModel.load(model))
