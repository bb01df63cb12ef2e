"""Dialects of SQL as data: what differs between the engines that score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mixtura.exceptions import ParameterError

__all__ = ["DIALECTS", "Dialect", "DialectName", "get_dialect"]

DialectName = Literal[
    "bigquery",
    "clickhouse",
    "datafusion",
    "duckdb",
    "firebird",
    "mariadb",
    "polars",
    "postgresql",
    "snowflake",
    "spark",
    "sqlite",
]


def exponent_literal(value: float) -> str:
    """Return a number with an exponent, by which it is read in double precision."""
    text = repr(value)
    return text if "e" in text else f"{text}e0"


def fraction_literal(value: float) -> str:
    """Return a number as a whole number over (or times) powers of two, all of which any engine reads exactly.

    SQLite and Firebird read some literals of 17 digits as the number beside them.

    Examples
    --------
    >>> from mixtura.expressions.dialects import fraction_literal
    >>> fraction_literal(0.1), fraction_literal(-3.0)
    ('(3602879701896397e0/36028797018963968)', '-3e0')
    """
    top, bottom = value.as_integer_ratio()
    power = 0
    while top % 2 == 0 and abs(top) >= 2**53:
        top, power = top // 2, power + 1
    text = f"{top}e0"
    for operator, exponent in (("*", power), ("/", bottom.bit_length() - 1)):
        while exponent > 0:
            step = min(exponent, 62)
            text, exponent = f"{text}{operator}{2**step}", exponent - step
    return f"({text})" if "/" in text or "*" in text else text


def doubled(text: str, mark: str) -> str:
    """Return a text between marks, with the marks in it doubled."""
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def escaped(text: str, mark: str) -> str:
    """Return a text between marks, with a backslash before marks and backslashes in it."""
    return f"{mark}{text.replace(chr(92), chr(92) * 2).replace(mark, chr(92) + mark)}{mark}"


def varying(text: str, mark: str) -> str:
    """Return a text between marks that is not padded where longer ones stand beside it."""
    return f"CAST({doubled(text, mark)} AS VARCHAR({max(len(text.encode()), 1)}))"


def backslashes_doubled(text: str, mark: str) -> str:
    """Return a text between marks, with the marks and the backslashes in it doubled."""
    return doubled(text.replace(chr(92), chr(92) * 2), mark)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an engine wants.

    Parameters
    ----------
    name : str
    number : callable
        From a float to a literal in double precision, whatever stands beside it.
    double : str, default="CAST({} AS DOUBLE)"
        A column of any numeric type in double precision.
    number_or_null : str, default="{}"
        A double that may be NaN or infinite, without these where the engine takes tests of them for decided: DuckDB
        does, by the statistics of a Parquet file, which leave NaN out.
    text : str, default="CAST({} AS VARCHAR)"
        A column of any type as text, compared letter by letter.
    quote : tuple of (str, callable), default='"' doubled
        The mark around names of tables and columns, and what is done to marks within.
    text_quote : callable, default=doubled
        The same for texts, between apostrophes.
    modulo : str, default="({} % {})"
    inlined : str, default="AS"
        What stands between the name of a step and the step, so that its rows are not kept.
    fence : str, default=""
        What ends a step so that it is computed once, instead of once for each mention of its columns.
    empty_branch : bool, default=False
        Whether the fence is a union with an empty table.
    longest_name : int or None, default=None
        Bytes that the name of a column may have.
    longest_statement : int or None, default=None
        Bytes that a statement may have.
    most_columns : int or None, default=None
        Columns that a SELECT may have.
    before : str, default=""
        A statement to run before.
    tested : bool, default=True
        Whether statements are run in the engine by the tests; otherwise they are only parsed.
    """

    name: DialectName
    number: Callable[[float], str] = exponent_literal
    double: str = "CAST({} AS DOUBLE)"
    number_or_null: str = "{}"
    text: str = "CAST({} AS VARCHAR)"
    quote: tuple[str, Callable[[str, str], str]] = ('"', doubled)
    text_quote: Callable[[str, str], str] = doubled
    modulo: str = "({} % {})"
    inlined: str = "AS"
    fence: str = ""
    empty_branch: bool = False
    longest_name: int | None = None
    longest_statement: int | None = None
    most_columns: int | None = None
    before: str = ""
    tested: bool = True

    def name_of(self, name: str) -> str:
        """Return the name of a column or a table, quoted."""
        mark, quote = self.quote
        return quote(name, mark)

    def text_of(self, text: str) -> str:
        """Return a text as a literal."""
        return self.text_quote(text, "'")


DIALECTS: dict[str, Dialect] = {
    one.name: one
    for one in (
        Dialect(
            "bigquery",
            text="CAST({} AS STRING)",
            double="CAST({} AS FLOAT64)",
            quote=("`", escaped),
            text_quote=escaped,
            modulo="MOD({}, {})",
            longest_name=300,
            longest_statement=1_000_000,
            tested=False,
        ),
        Dialect(
            "clickhouse",
            text="CAST({} AS Nullable(String))",
            double="CAST({} AS Nullable(Float64))",
            quote=("`", escaped),
            text_quote=escaped,
            longest_statement=262_144,
        ),
        Dialect("datafusion"),
        Dialect(
            "duckdb",
            number_or_null="CASE WHEN ISFINITE({0}) THEN {0} END",
            inlined="AS NOT MATERIALIZED",
        ),
        Dialect(
            "firebird",
            text="CAST({} AS VARCHAR(255))",
            number=fraction_literal,
            double="CAST({} AS DOUBLE PRECISION)",
            text_quote=varying,
            modulo="MOD({}, {})",
            empty_branch=True,
            longest_name=31,
            longest_statement=65_535,
        ),
        Dialect(
            "mariadb",
            text="CAST({} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin",
            quote=("`", doubled),
            text_quote=backslashes_doubled,
            fence=f"LIMIT {2**64 - 1}",
            longest_name=64,
            most_columns=4096,
        ),
        Dialect("polars"),
        Dialect(
            "postgresql",
            text="CAST({} AS TEXT)",
            number=lambda value: f"'{value!r}'::float8",
            double="CAST({} AS DOUBLE PRECISION)",
            fence="OFFSET 0",
            longest_name=63,
            most_columns=1664,
            before="SET jit = off",
        ),
        Dialect(
            "snowflake",
            number=lambda value: f"'{value!r}'::double",
            text_quote=backslashes_doubled,
            longest_name=255,
            longest_statement=1_000_000,
            tested=False,
        ),
        Dialect(
            "spark",
            text="CAST({} AS STRING)",
            number=lambda value: f"{exponent_literal(value)}D",
            quote=("`", doubled),
            text_quote=escaped,
        ),
        Dialect(
            "sqlite",
            text="CAST({} AS TEXT)",
            number=fraction_literal,
            double="CASE WHEN typeof({0}) IN ('integer', 'real') THEN CAST({0} AS REAL) END",
            fence="LIMIT -1 OFFSET 0",
            most_columns=2000,
        ),
    )
}
"""Every dialect by its name."""


def get_dialect(name: str) -> Dialect:
    """Return a dialect by its name.

    Raises
    ------
    ParameterError
        There is none of that name.
    """
    if name not in DIALECTS:
        raise ParameterError(
            f"`dialect` must be one of {', '.join(DIALECTS)}; got {name!r}. Try `dialect='duckdb'`."
        )
    return DIALECTS[name]
