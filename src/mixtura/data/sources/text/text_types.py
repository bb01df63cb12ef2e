"""Types of columns of text: integers, numbers, or true and false, where nothing is lost; text otherwise.

The rules are SQL expressions over a table of text columns, and DuckDB evaluates them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["MISSING_WORDS", "typed_by_first_rows", "typed_columns"]

MISSING_WORDS = ("", "na", "n/a", "#n/a", "nan", "null", "none")
"""What counts as missing in a column of numbers, in capital or small letters."""

_MISSING = f"(?i:{'|'.join(word for word in MISSING_WORDS if word)})?"
_TRUTH = "(?i:true|false)"
_INTEGER = "[+-]?[0-9]{1,18}"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(?i:inf(inity)?)"
_DECIMAL_COMMA = "[+-]?[0-9]+(,[0-9]+)?"
# 007 is a code, not seven: as a number it would lose what makes it one.
# Neither is a whole number that float64 or int64 cannot hold.
_CODE = r"^\s*[+-]?(0[0-9]|[0-9]{19})"
# A whole number that is printed as it is read.
_EXACT = "(-?(0|[1-9][0-9]{0,17}))?"

_FIRST_ROWS = 1000
# The answers to `_questions` that further rows cannot change.
_SETTLED = (True, True, False, False, False, False)


def typed_columns(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    names: Sequence[str],
    *,
    decimal: str,
    exact: Collection[str] = (),
) -> pa.Table:
    """Return a table of text as Arrow, each column int64, float64 or bool if every value is one, else text.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    table : str
        Its columns are called ``c0``, ``c1`` and so on; an empty cell is missing.
    names : sequence of str
        What they are called in the result.
    decimal : {".", ","}
        ``","`` lets ``1,5`` be one and a half, as files separated by semicolons have it.
    exact : collection of str
        Names of columns that become numbers only if printing them gives the same text.
    """
    questions = [_questions(f"c{i}", decimal=decimal, exact=name in exact) for i, name in enumerate(names)]
    chosen = [
        _expression(f"c{i}", *answer) for i, answer in enumerate(_answers(connection, table, questions))
    ]
    selected = ", ".join(f"{chosen[i]} AS r{i}" for i in range(len(names)))
    return connection.sql(f"SELECT {selected} FROM {table}").to_arrow_table().rename_columns(list(names))


def typed_by_first_rows(
    connection: duckdb.DuckDBPyConnection, table: str, names: Sequence[str], *, decimal: str
) -> dict[str, str]:
    """Return how each column is read by its first rows: an SQL expression over its cells, by its name.

    A further cell that is neither such a value nor missing ends reading with DuckDB's error. Columns that stay
    text are not among them.

    Parameters
    ----------
    connection, names, decimal
        As of `typed_columns`.
    table : str
        The first rows, each column with its name.
    """
    questions = [_questions(_quoted(name), decimal=decimal, exact=False) for name in names]
    selected = ", ".join(question for several in questions for question in several)
    answers = iter(connection.execute(f"SELECT {selected} FROM {table}").fetchall()[0])
    found = {name: _expression(_quoted(name), *(bool(next(answers)) for _ in _SETTLED)) for name in names}
    return {name: _or_raise(_quoted(name), one) for name, one in found.items() if "TRY_CAST" in one}


def _or_raise(cell: str, expression: str) -> str:
    """Return an expression that raises where a cell is neither read nor missing, which is looked at there alone."""
    missing = rf"regexp_full_match({cell}, '\s*{_MISSING}\s*')"
    raising = expression.replace("TRY_CAST", "CAST")
    return f"coalesce({expression}, CASE WHEN {missing} THEN NULL ELSE {raising} END)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _answers(
    connection: duckdb.DuckDBPyConnection, table: str, questions: Sequence[Sequence[str]]
) -> list[list[bool]]:
    """Ask the first rows, and all rows only what those leave open."""

    def ask(asked: Sequence[Sequence[str]], source: str) -> list[list[bool]]:
        selected = ", ".join(question for several in asked for question in several)
        answers = iter(connection.execute(f"SELECT {selected} FROM {source}").fetchall()[0])
        return [[bool(next(answers)) for _ in several] for several in asked]

    first = ask(questions, f"(SELECT * FROM {table} LIMIT {_FIRST_ROWS})")
    still_open = [
        [
            question if answer != settled else str(settled)
            for question, answer, settled in zip(several, answers, _SETTLED, strict=True)
        ]
        for several, answers in zip(questions, first, strict=True)
    ]
    return ask(still_open, table)


def _questions(cell: str, *, decimal: str, exact: bool) -> list[str]:
    """Return what decides on the type of a column; see `_expression` for the answers."""

    def every(pattern: str) -> str:
        return rf"coalesce(bool_and(regexp_full_match({cell}, '\s*({pattern}|{_MISSING})\s*')), true)"

    present = f"NOT {every(_MISSING)}"
    code = f"bool_or(regexp_matches({cell}, '{_CODE}'))"
    if exact:
        whole = f"coalesce(bool_and(regexp_full_match({cell}, '{_EXACT}')), true)"
        return [present, code, every(_TRUTH), whole, "false", "false"]
    comma = every(_DECIMAL_COMMA) if decimal == "," else "false"
    return [present, code, every(_TRUTH), every(_INTEGER), every(_NUMBER), comma]


def _expression(
    cell: str, present: bool, code: bool, truth: bool, whole: bool, number: bool, comma: bool
) -> str:
    """Return how a column is read, given whether it has values, a code, and whether every value is of a kind."""
    if present and truth:
        return f"TRY_CAST(trim({cell}) AS BOOLEAN)"
    if present and not code and whole:
        return f"TRY_CAST({cell} AS BIGINT)"
    if present and not code and (number or comma):
        text = f"replace({cell}, ',', '.')" if comma and not number else f"{cell}"
        return f"nullif(TRY_CAST({text} AS DOUBLE), 'nan'::DOUBLE)"
    return rf"CASE WHEN regexp_full_match({cell}, '\s*') THEN NULL ELSE {cell} END"
