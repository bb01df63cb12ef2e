"""The table of a command that stays in its database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from mixtura.cli.table_input import TableInput
from mixtura.exceptions import ParameterError

if TYPE_CHECKING:
    from mixtura.data import DatabaseTable

__all__ = ["DatabaseInput", "InDatabase", "input_of"]

InDatabase = Annotated[
    bool,
    typer.Option(
        "--in-database",
        help="Leave the rows in the database: sums and a sample come here. TABLE names a table there.",
    ),
]


@dataclass(frozen=True, slots=True)
class DatabaseInput(TableInput):
    """What was given as a table of a database, in which it stays.

    Parameters
    ----------
    tables : sequence of str or None
        The name of one table.
    sql, database : str or None
        A query instead; where the table is.

    Raises
    ------
    ParameterError
        There is no database, or not one of a table and a query.
    """

    def __post_init__(self) -> None:
        if self.database is None:
            raise ParameterError(
                "`in_database` takes the table of a database; got none. Try it with `database` and the name of a table "
                "there, or `sql`."
            )
        if len(self.tables or ()) + (self.sql is not None) != 1:
            raise ParameterError(
                "`in_database` takes the name of one table of the database, or a query; got "
                f"{len(self.tables or ())} names and {'no' if self.sql is None else 'a'} query."
            )

    @property
    def name(self) -> str:
        return self.tables[0] if self.tables else "query"

    @property
    def stem(self) -> str:
        last = self.name.rpartition(".")[2]
        return "".join(sign for sign in last if sign.isalnum() or sign in "-_ ").strip("-_ ") or "table"

    def connected(self) -> DatabaseTable:
        """Return the table, connected to."""
        from mixtura.data import DatabaseTable

        assert self.database is not None
        table = self.tables[0] if self.tables else None
        return DatabaseTable(self.database, table, sql=self.sql)


def input_of(
    tables: Sequence[str] | None, sql: str | None, database: str | None, *, in_database: bool
) -> TableInput:
    """Return what was given as a table.

    Raises
    ------
    ParameterError
        As `TableInput` and `DatabaseInput`.
    """
    return (DatabaseInput if in_database else TableInput)(tables, sql, database)
