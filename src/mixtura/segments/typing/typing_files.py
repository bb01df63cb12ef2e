"""The files of a typing tool, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from mixtura.expressions.dialects import DialectName
from mixtura.io import output_directory, readable_json, translate_os_errors
from mixtura.io.export import scoring_javascript, scoring_spss
from mixtura.io.questionnaire.answer_sheet import write_questionnaire
from mixtura.segments.typing.typing_tool import TypingTool

__all__ = ["TYPING_FILES", "fill_typing_folder", "write_typing_tool"]

TYPING_FILES = ("typing.xlsx", "typing.sql", "typing.js", "typing.sps", "typing.json", "model.json")
"""What a typing tool leaves in its directory."""


def write_typing_tool(
    tool: TypingTool,
    folder: str | Path,
    *,
    dialect: DialectName = "duckdb",
    table: str = "people",
    overwrite: bool = False,
) -> None:
    """Write a typing tool for spreadsheets, databases, web pages and SPSS, with its model and its accuracy.

    Parameters
    ----------
    tool : TypingTool
    folder : str or Path
        Where its directory shall be; the parent exists.
    dialect : str, default="duckdb"
        Of the SELECT in ``typing.sql``; one of `mixtura.io.export.DIALECTS`.
    table : str, default="people"
        The table that it reads.
    overwrite : bool, default=False

    Raises
    ------
    OutputError
        The place exists and `overwrite` is False, or cannot be written.
    ParameterError
        There is no such dialect, or a formula would be longer than Excel reads.
    OptionalDependencyError
        xlsxwriter is not installed.
    """
    with output_directory(folder, files=TYPING_FILES, overwrite=overwrite) as path, translate_os_errors(path):
        fill_typing_folder(tool, path, dialect=dialect, table=table)


def fill_typing_folder(tool: TypingTool, path: Path, *, dialect: DialectName, table: str) -> None:
    """Write the files of `write_typing_tool` into a directory that exists."""
    scorer = tool.model.scorer("a typing tool")
    texts = {
        "typing.sql": tool.model.to_sql(dialect, table=table),
        "typing.js": scoring_javascript(scorer),
        "typing.sps": scoring_spss(scorer),
        "typing.json": readable_json(tool.to_dict()),
        "model.json": tool.model.to_json(),
    }
    for name, text in texts.items():
        (path / name).write_text(text, encoding="utf-8")
    write_questionnaire(scorer, tool.questionnaire(), path / "typing.xlsx")
