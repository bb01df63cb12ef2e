"""``mixtura show MODEL``."""

from __future__ import annotations

from mixtura.cli.console import door, output_console
from mixtura.cli.options import ModelFile

__all__ = ["show"]


@door
def show(model: ModelFile) -> None:
    """Print what a saved model is made of."""
    from mixtura.cli.print_model import print_model
    from mixtura.segments import SegmentModel

    print_model(output_console(), model.name, SegmentModel.load(model))
