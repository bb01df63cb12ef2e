"""Values of options: another option is not one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperOption

__all__ = ["CheckedCommand"]


class CheckedCommand(TyperCommand):
    """A command that does not take an option for the value of the option before it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; exit with 2 where the value of an option looks like an option."""
        takes_value = {
            name
            for one in self.params
            if isinstance(one, TyperOption) and not one.is_flag
            for name in one.opts
        }
        for name, value in _valued(args, takes_value):
            if value.startswith("--") and value != "--":
                typer.echo(
                    f"Error: {name} needs a value; got {value!r}, which looks like an option. A value that begins with "
                    f"dashes is given as {name}={value}.",
                    err=True,
                )
                raise typer.Exit(2)
        return super().parse_args(ctx, args)


def _valued(args: Sequence[str], takes_value: set[str]) -> Iterator[tuple[str, str]]:
    """Yield each option that takes the next argument as its value, and that argument."""
    remaining = iter(args)
    for one in remaining:
        if one == "--":
            return
        if one in takes_value:
            value = next(remaining, None)
            if value is not None:
                yield one, value
