"""``mixtura info``."""

from __future__ import annotations

from mixtura.cli.console import handle_errors, output_console

__all__ = ["info"]


@handle_errors
def info() -> None:
    """Print the version, and which kernel runs on this machine."""
    from mixtura import __version__, build_info
    from mixtura.cli.printing.print_columns import print_pairs

    pairs = [("version", __version__)]
    for name, value in build_info().items():
        if value is not None:
            text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            pairs.append((name.replace("_", " "), text))
    print_pairs(output_console(), pairs)
