"""Audiences of a table: who is in them, by id, and the list as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.exceptions import ColumnError, DataError, ParameterError
from mixtura.io import to_float64, write_table
from mixtura.segments.audiences.audience import Audiences, combine_audiences, find_segment, select_audience
from mixtura.segments.model.assign import Assignment, assign_table
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.table.complete import left_out_note
from mixtura.segments.table.open_table import open_table
from mixtura.validation import missing_values

__all__ = ["AudienceList", "CountedCustomers", "PickedIds", "audiences_of_table", "segments_wanted"]


@dataclass(frozen=True, slots=True, eq=False)
class PickedIds:
    """The ids of some customers of a table, found by their rows.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        Ascending.
    ids : narwhals Series or ndarray of length n
    """

    rows: IntArray
    ids: Any

    def __getitem__(self, rows: IntArray) -> Any:
        return self.ids[np.searchsorted(self.rows, rows)]


@dataclass(frozen=True, slots=True, eq=False)
class CountedCustomers:
    """What an `AudienceList` needs to know of customers who are not in memory; as `Assignment` says it.

    Parameters
    ----------
    id_name : str
    ids : PickedIds
        Of those in an audience.
    n_rows, n_complete, n_known, n_outliers : int
        Of the table; in a segment; in a segment or outliers; outliers.
    notes : tuple of str
    """

    id_name: str
    ids: PickedIds
    n_rows: int
    n_complete: int
    n_known: int
    n_outliers: int
    notes: tuple[str, ...]

    def unknown_note(self, without: str, *, drop_missing: bool) -> str:
        """Return a sentence on those who were not evaluated; `without` says what became of them."""
        return left_out_note(self.n_rows - self.n_known, without, drop_missing=drop_missing)


@dataclass(frozen=True, slots=True, eq=False)
class AudienceList:
    """Audiences, and the customers of the table that are in them.

    Parameters
    ----------
    assignment : Assignment or CountedCustomers
        Of all customers of the table.
    found : Audiences
    value_name : str or None
        The column that says what a customer is worth.
    n_without_value : int
        Customers with a membership but no value, in no audience.
    weight_name : str or None, default=None
        The column that says how much a customer counts in shares and sums.
    """

    assignment: Assignment | CountedCustomers
    found: Audiences
    value_name: str | None
    n_without_value: int
    weight_name: str | None = None

    def columns(self) -> dict[str, Array]:
        """Return what is known of each entry, one audience after the other; segments are numbered from 1."""
        audiences = self.found.audiences
        own: dict[str, Array] = {
            "segment": np.concatenate([np.full(one.reach, one.segment + 1) for one in audiences]),
            "segment_name": np.concatenate([np.full(one.reach, one.name, dtype=object) for one in audiences]),
            "probability": np.concatenate([one.probability for one in audiences]),
        }
        if self.value_name is not None:
            own["value"] = np.concatenate([one.value for one in audiences if one.value is not None])
            expected = [one.expected_value for one in audiences if one.expected_value is not None]
            own["expected_value"] = np.concatenate(expected)
        return own

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without the lists themselves."""
        customers = self.assignment
        return {
            "customers": customers.n_rows,
            "customers_unassigned": customers.n_rows - customers.n_complete,
            "customers_without_value": self.n_without_value,
            "value": self.value_name,
            "weight": self.weight_name,
            **self.found.to_dict(),
        }

    def write(self, path: str | Path) -> None:
        """Write the list as CSV or Parquet, by suffix: an entry per customer and audience, the best first."""
        columns, assignment = self.columns(), self.assignment
        rows = np.concatenate([audience.rows for audience in self.found.audiences])
        id_name = assignment.id_name if assignment.id_name not in columns else f"{assignment.id_name}_id"
        write_table(path, {id_name: assignment.ids[rows]}, columns, np.ones(len(rows), dtype=bool))


def audiences_of_table(
    model: SegmentModel,
    frame: Any,
    segments: Sequence[str | int],
    *,
    min_probability: float | None = None,
    top: int | None = None,
    value: str | None = None,
    min_expected_value: float | None = None,
    weight: str | None = None,
    id_column: str | None = None,
    drop_missing: bool = False,
) -> AudienceList:
    """Assign the customers of a table to the segments of a model, and choose an audience for each segment named.

    Parameters
    ----------
    model : SegmentModel
    frame : pandas, polars or pyarrow table
        N rows; read as `assign_table` does.
    segments : sequence of str or int
        Names, starts of names, or numbers from 1; each segment once.
    min_probability, top, min_expected_value
        Who is in each audience, see `select_audience`.
    value : str or None, default=None
        The column that says what a customer is worth. Customers without a value are in no audience.
    weight : str or None, default=None
        The column that says how much a customer counts in shares and sums; None for the one that the model was learned
        with, if the table has it. Reach and overlap are numbers of customers.
    id_column : str or None, default=None
    drop_missing : bool, default=False
        Leave rows with missing values out of all audiences instead of raising; one without a weight counts nothing.

    Raises
    ------
    ParameterError
        No segment, an unknown one, or one twice; nothing limits the audience, or a limit is out of its range.
    ColumnError
        The table lacks a column of the model, the value or the weight; or it is not numeric.
    MissingValuesError
        Values of the model's columns, or weights, are missing or infinite, and `drop_missing` is False.
    DataError
        A weight is negative.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import audiences_of_table, segment_table
    >>> frame = make_customers(as_frame="polars")
    >>> model = segment_table(frame, components=[3]).model
    >>> lists = audiences_of_table(model, frame, [1, 2], min_probability=0.1)
    >>> lists.found.overlap
    array([[120,  26],
           [ 26, 110]])
    """
    wanted = segments_wanted(model, segments)
    assignment = assign_table(model, frame, id_column=id_column, drop_missing=drop_missing)
    weight = weight or _known_weight(model, frame)
    frame = _opened(frame, value, weight)
    worth = None if value is None else _values(frame, value)
    weights = None if weight is None else _weights(frame, weight, assignment.complete, drop_missing)
    audiences = [
        select_audience(
            assignment.memberships,
            model.names,
            model.names[k],
            min_probability=min_probability,
            top=top,
            value=worth,
            min_expected_value=min_expected_value,
            weights=weights,
        )
        for k in wanted
    ]
    lacking = 0 if worth is None else int((np.isnan(worth) & assignment.complete).sum())
    found = combine_audiences(audiences, len(assignment.complete))
    return AudienceList(assignment, found, value, lacking, weight)


def segments_wanted(model: SegmentModel, segments: Sequence[str | int]) -> list[int]:
    """Return the numbers of segments, from 0; raise `ParameterError` where there is none, or one twice."""
    wanted = [find_segment(model.names, segment) for segment in segments]
    if not wanted or len(set(wanted)) < len(wanted):
        raise ParameterError(
            f"`segments` must name at least one segment, and each once; got {list(segments)!r}. The segments are "
            f"{', '.join(repr(name) for name in model.names)}."
        )
    return wanted


def _opened(frame: Any, *names: str | None) -> Any:
    numbers = [name for name in names if name is not None]
    return open_table(frame, numbers=numbers, only=numbers).frame


def _known_weight(model: SegmentModel, frame: Any) -> str | None:
    """Return the column of weights that the model was learned with, if the table has it."""
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    known = model.training.weight_column
    return known if known in table.columns and table[known].dtype.is_numeric() else None


def _weights(frame: Any, name: str, complete: Array, drop_missing: bool) -> FloatArray:
    """Return how much each customer counts, (N,)."""
    weights = _values(frame, name, "weight")
    missing = np.isnan(weights)
    if (missing & complete).any() and not drop_missing:
        raise missing_values(
            "`weight` must be a finite number for every customer",
            np.where(complete, weights, 0.0)[:, None],
            "Fill them, or leave those customers out with `drop_missing=True`.",
            names=[name],
            first=1,
        )
    weights[missing | ~complete] = 0.0
    if weights.min() < 0:
        row = int(np.argmax(weights < 0))
        raise DataError(
            f"`weight` must not be negative; {name!r} is {weights[row]:g} in row {row + 1} of the data. Correct it, or "
            "name another column."
        )
    return weights


def _values(frame: Any, name: str, parameter: str = "value") -> FloatArray:
    """Return the numbers of a column, (N,), NaN where there is none."""
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    if name not in table.columns:
        raise ColumnError.missing(name, table.columns, parameter)
    if not table[name].dtype.is_numeric():
        example = str(table[name].drop_nulls().head(1).to_list()[:1])
        raise ColumnError(
            f"`{parameter}` must be a numeric column; got {name!r}, which holds, for example, {example}. Name another, "
            "or clean it.",
            column=name,
        )
    values = to_float64(table[name])
    return np.where(np.isfinite(values), values, np.nan)
