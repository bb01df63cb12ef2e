"""An assignment as a dataframe of the library that the table came in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
from narwhals.exceptions import DuplicateError

from mixtura.data.frames import frame_like
from mixtura.exceptions import DataError
from mixtura.io import table_of
from mixtura.segments.certainty.ambiguous import ambiguous_customers
from mixtura.segments.model.assign import OUTLIER, Assignment

if TYPE_CHECKING:
    from mixtura.segments.results.segmentation_result import SegmentationResult

__all__ = ["ambiguous_frame", "eager", "frame_of", "held", "ids_of"]


def ids_of(ids: Any, rows: Sequence[int]) -> list[Any]:
    """Return some of the ids of a table, a narwhals Series or an array, as plain values."""
    held = ids[np.asarray(rows, dtype=np.intp)]
    values = held.to_list() if isinstance(held, nw.Series) else held.tolist()
    return [value if isinstance(value, int | float | str | None) else str(value) for value in values]


def frame_of(table: Any, assignment: Assignment) -> Any:
    """Return a row per customer as a frame like the table, with its index; those in no segment have no values."""
    columns = assignment.columns()
    id_name = assignment.id_name if assignment.id_name not in columns else f"{assignment.id_name}_id"
    known = assignment.known.tolist()
    own = {
        name: [value if there else None for value, there in zip(values.tolist(), known, strict=True)]
        for name, values in columns.items()
    }
    return frame_like(table, {id_name: ids_of(assignment.ids, range(len(known))), **own}, range(len(known)))


def ambiguous_frame(table: Any, assignment: Assignment, names: Sequence[str], threshold: float) -> Any:
    """Return a row per customer between segments, the least certain first, as a frame like the table.

    Parameters
    ----------
    table : dataframe
    assignment : Assignment
        Of its customers.
    names : sequence of str
        What the segments are called.
    threshold : float
        Largest membership below which a customer is between segments.

    Raises
    ------
    ParameterError
        The threshold is out of its range.
    """
    found = ambiguous_customers(assignment.memberships, assignment.customer, threshold)
    rows = [one.row for one in found]
    columns = {
        assignment.id_name: ids_of(assignment.ids, rows),
        "segment": [names[one.first] for one in found],
        "membership": [float(one.memberships[one.first]) for one in found],
        "second_segment": [(*names, OUTLIER)[one.second] for one in found],
        "second_membership": [one.second_membership for one in found],
    }
    return frame_like(table, columns, rows)


def held(result: SegmentationResult) -> Assignment:
    """Return the assignment of all customers.

    Raises
    ------
    DataError
        They are too many to be held in memory.
    """
    if result.whole is not None:
        file = "segments.sql assigns" if result.whole.in_database else "segments.parquet has"
        raise DataError(
            f"The {result.whole.n_rows:,} customers of this segmentation are not held in memory. What is asked for "
            f"needs them. Use write(folder), whose {file} all of them, or assign some."
        )
    return result.assignment


def eager(frame: Any) -> Any:
    """Return a table that is in memory; files and relations of DuckDB as Arrow, a polars LazyFrame as a DataFrame."""
    read = table_of(frame)
    try:
        table = nw.from_native(read, pass_through=True)
    except DuplicateError:  # refused, in words, where the names of columns are read
        return read
    return table.collect().to_native() if isinstance(table, nw.LazyFrame) else read
