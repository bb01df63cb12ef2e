"""What is known of all rows of a table that is not held in memory, beside the sample of it that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mixtura._typing import FloatArray, IntArray
from mixtura.segments.table.complete import left_out_note

__all__ = ["ListedRows", "WholeTable"]


@dataclass(frozen=True, slots=True, eq=False)
class ListedRows:
    """Some customers who are listed one by one.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        Their numbers in the table, from 0.
    customers : tuple of str
        Their ids.
    values : ndarray of shape (n, D)
        In the user's units.
    memberships : ndarray of shape (n, K)
    log_density : ndarray of shape (n,)
        Per unit of the user's columns.
    labels : ndarray of shape (n,)
        The most probable segment of each, from 0.
    """

    rows: IntArray
    customers: tuple[str, ...]
    values: FloatArray
    memberships: FloatArray
    log_density: FloatArray
    labels: IntArray

    def first(self, count: int) -> ListedRows:
        """Return the first of them."""
        return ListedRows(
            self.rows[:count],
            self.customers[:count],
            self.values[:count],
            self.memberships[:count],
            self.log_density[:count],
            self.labels[:count],
        )


@dataclass(frozen=True, slots=True, eq=False)
class WholeTable:
    """All rows of a table, of which a `SegmentationResult` holds a sample.

    Parameters
    ----------
    n_rows, n_complete : int
        Rows, and those in a segment.
    counts : ndarray of shape (K,)
        Customers by segment.
    mean_certainties : tuple of float, length K
        Of the customers of each segment.
    n_anomalies : int
    anomaly_share : float
        Of the customers in a segment, by weight.
    anomalies : ListedRows
        Those of the lowest density, the lowest first.
    least_certain : ListedRows
        The least certain first; those who are wholly in one segment are not among them.
    id_name : str
        The id column.
    write : callable
        Writes the tables of all customers to a folder.
    n_outliers : int, default=0
        Such a table has Gaussian segments, and none in none.
    in_database : bool, default=False
        Whether the rows stay in a database.
    """

    n_rows: int
    n_complete: int
    counts: IntArray
    mean_certainties: tuple[float, ...]
    n_anomalies: int
    anomaly_share: float
    anomalies: ListedRows
    least_certain: ListedRows
    id_name: str
    write: Callable[[Path], None]
    n_outliers: int = 0
    in_database: bool = False

    def unknown_note(self, without: str, *, drop_missing: bool) -> str:
        """Return a sentence on those who were not evaluated; `without` says what became of them."""
        return left_out_note(
            self.n_rows - self.n_complete - self.n_outliers, without, drop_missing=drop_missing
        )
