"""The command line: parse, call the public API, print."""

from __future__ import annotations

import gc
import sys

from mixtura._optional import require_extra
from mixtura.exceptions import OptionalDependencyError

__all__ = ["main"]

_OBJECTS_BETWEEN = 10_000
"""Objects made between two searches for cycles; Python's 700 take a twentieth of a command, most while it imports."""


def main() -> None:
    """Run the command that ``sys.argv`` holds; exit 0 when done, 2 on bad input, 130 when interrupted."""
    gc.set_threshold(_OBJECTS_BETWEEN)
    try:
        with require_extra("typer", extra="cli", purpose="use the command line"):
            from mixtura.cli.app import app
    except OptionalDependencyError as error:
        sys.stderr.write(f"mixtura: {error}\n")
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character of somebody's name shows a question mark instead.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app(prog_name="mixtura")
