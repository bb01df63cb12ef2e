"""The table of a command that the workers of a Dask cluster read."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mixtura.cli.database_input import input_of
from mixtura.cli.table_input import TableInput
from mixtura.exceptions import ParameterError

if TYPE_CHECKING:
    from mixtura.data.sources import Source

__all__ = ["ClusterInput", "Dask", "input_of_cluster"]

Dask = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Leave the rows with the workers of a Dask cluster, such as tcp://scheduler:8786; 'local' starts workers "
        "here. They see the files of TABLE and the directory of the results.",
    ),
]


@dataclass(frozen=True, slots=True)
class ClusterInput(TableInput):
    """What was given as a table of files that workers read.

    Parameters
    ----------
    tables : sequence of str or None
        Files, patterns or folders.
    sql, database : str or None
        Must be missing.
    address : str
        Of the scheduler, or ``"local"``.

    Raises
    ------
    ParameterError
        There is no file, or a query.
    """

    address: str = "local"

    def __post_init__(self) -> None:
        if self.sql is not None or self.database is not None:
            raise ParameterError(
                f"`{'sql' if self.sql is not None else 'database'}` cannot be given with `dask`: workers read files "
                "themselves. Write the table to Parquet files first, or leave `dask` out."
            )
        TableInput.__post_init__(self)

    def connected(self) -> AbstractContextManager[Any]:
        """Return the cluster, as a context."""
        from mixtura.run import dask_cluster, get_threads

        return dask_cluster(self.address, get_threads())

    def source(self, id_column: str | None) -> Source:
        """Return the files as a source, of which names and types are read."""
        return self._source([] if id_column is None else [id_column])


def input_of_cluster(
    address: str | None,
    asked: dict[str, Any],
    tables: list[str] | None,
    sql: str | None,
    database: str | None,
    *,
    in_database: bool,
) -> TableInput:
    """Return what was given as a table, on a cluster where there is an address.

    Parameters
    ----------
    address : str or None
    asked : dict
        Options of `mixtura.segments.segment_table`, and the folder of the spool.
    tables, sql, database, in_database
        As of `input_of`.

    Raises
    ------
    ParameterError
        As `input_of`; or an option that needs the rows here.
    """
    if address is None:
        return input_of(tables, sql, database, in_database=in_database)
    from mixtura.segments.large.on_cluster.segment_on_cluster import require_distributable

    for name, given in {"in_database": in_database, "spool_dir": asked["spool_dir"]}.items():
        if given:
            raise ParameterError(
                f"`{name}` cannot be given with `dask`: rows are with the workers. Leave one of them out."
            )
    require_distributable(asked)
    return ClusterInput(tables, sql, database, address)
