"""Names of tables and columns in SQL."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mixtura._typing import IntArray
from mixtura.exceptions import ParameterError
from mixtura.expressions.dialects import Dialect

__all__ = ["NUMBER", "check_names", "numbered", "table_name"]

NUMBER = "mixtura_number"
"""The column of the numbers of rows, from 0, of `numbered` tables."""

_PART = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')


def table_name(table: str | Sequence[str], dialect: Dialect) -> str:
    """Return a table as SQL.

    Parameters
    ----------
    table : str or sequence of str
        Its name; parts such as a schema are separated by dots, a part with a dot in it stands in double quotes. A
        sequence has the parts as they are.
    dialect : Dialect

    Raises
    ------
    ParameterError
        It is not a name, or one that cannot be in a database of this dialect.

    Examples
    --------
    >>> from mixtura.expressions.dialects import get_dialect
    >>> from mixtura.expressions.sql_names import table_name
    >>> table_name('sales."2026.customers"', get_dialect("duckdb"))
    '"sales"."2026.customers"'
    """
    if isinstance(table, str):
        found = list(_PART.finditer(table))
        parts = [one[1].replace('""', '"') if one[1] else one[2] for one in found]
        if not parts or ".".join(one[0] for one in found) != table:
            raise ParameterError(
                f"`table` must be a name, or names separated by dots; got {table!r}. Put names with dots or quotes in "
                "them in double quotes, with quotes doubled."
            )
    else:
        parts = list(table)
    check_names(parts, dialect)
    return ".".join(dialect.name_of(part) for part in parts)


def check_names(names: Sequence[str], dialect: Dialect) -> None:
    """Raise `ParameterError` where a column or a table of such a name cannot be in a database of this dialect."""
    for name in names:
        if not name or "\0" in name:
            raise ParameterError(
                f"A name must have at least one character, and none that is NUL; got {name!r}. Rename the column."
            )
        size, most = len(name.encode()), dialect.longest_name
        if most is not None and size > most:
            raise ParameterError(
                f"{dialect.name} takes names of at most {most} bytes; {name!r} has {size}. Rename the column, in the "
                "table and in the model."
            )


def numbered(source: str, numbers: IntArray, dialect: Dialect) -> str:
    """Return a table as SQL of which some rows are left, with their numbers in the order in which it is read.

    Parameters
    ----------
    source : str
        A table as SQL.
    numbers : ndarray of shape (n,)
        Ascending.
    dialect : Dialect
    """
    place, last = dialect.name_of(NUMBER), int(numbers[-1]) + 1
    every = f"SELECT t.*, ROW_NUMBER() OVER () - 1 AS {place} FROM {source} t LIMIT {last}"
    listed = ", ".join(map(str, numbers.tolist()))
    return f"(SELECT n.* FROM ({every}) n WHERE n.{place} IN ({listed}))"
