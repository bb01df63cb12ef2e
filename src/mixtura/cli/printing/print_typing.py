"""A typing tool on the terminal: its questions, and how many of them it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table, print_table
from mixtura.cli.printing.numbers import percent

__all__ = ["print_typing"]


def print_typing(console: Console, tool: Mapping[str, Any]) -> None:
    """Print the questions, and the agreement after each; `tool` is as `TypingTool.to_dict` gives it."""
    n = len(tool["questions"])
    console.print(
        Text.assemble(
            (f"{n} {'question' if n == 1 else 'questions'}", "bold"),
            f" of {tool['columns']} assign {percent(tool['agreement'])} of {tool['people']:,} people held out to the "
            f"segment of the whole model; without a question it would be {percent(tool['base_rate'])}.",
        )
    )
    for number, one in enumerate(tool["questions"], start=1):
        said = f"{one['column']}: {one['label']}" if one["label"] else one["column"]
        console.print(f"{number}. {said} ({one['kind']})", soft_wrap=False)
    table = plain_table("", "questions", "added", "held out", "error", "chosen with", "worst segment")
    table.columns[2].justify, table.columns[2].no_wrap = "left", False
    for one in tool["curve"]:
        known = [share for share in one["recall"] if share is not None]
        chosen = "chosen" if one["n_questions"] == n else ""
        table.add_row(
            chosen,
            str(one["n_questions"]),
            one["question"],
            percent(one["agreement"]),
            percent(one["standard_error"]),
            percent(one["chosen_on"]),
            percent(min(known)) if known else "",
        )
    print_table(console, table, "chosen with", "error")
    console.print(
        "held out: people who did not take part in choosing the questions; worst segment: of its people, those who are "
        "assigned to it",
        style="dim",
    )
