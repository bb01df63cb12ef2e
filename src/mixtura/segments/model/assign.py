"""Customers assigned to segments: memberships, certainty, density, anomalies; one entry per row of the table."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.protocols import RowTable, continuous_rows
from mixtura.exceptions import ColumnWarning
from mixtura.io import SURVEY_OUTPUTS, Codebook, CodebookColumn, Computed, Words, write_table
from mixtura.segments.model.read_rows import ModelRows, read_rows
from mixtura.segments.model.robust_file import OUTLIER
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.scan import Scores, scan_of
from mixtura.segments.table.complete import left_out_note
from mixtura.segments.weighted import row_maxima

__all__ = ["OUTLIER", "Assignment", "assign_read", "assign_rows", "assign_table", "assignment_of"]


@dataclass(frozen=True, eq=False)
class Assignment:
    """What a model says of each of N customers.

    Parameters
    ----------
    id_name : str
    ids : narwhals Series or ndarray of length N
        As they stand in the table; row numbers from 1 where there are none.
    names : tuple of str
        Of the K segments.
    complete : ndarray of shape (N,), bool
        False where no value was known, or where it was asked for, one was missing, and for outliers: such a customer is
        in no segment.
    labels : ndarray of shape (N,)
        Segment numbers from 0; -1 for none.
    memberships : ndarray of shape (N, K)
        Probability of each segment; NaN where there is none. They sum to one less the probability of an outlier.
    log_density : ndarray of shape (N,)
        Per unit of the user's columns, in nats; where values are missing, expected of the whole row; NaN where there is
        none.
    anomaly : ndarray of shape (N,), bool
    notes : tuple of str, default=()
        What was changed when the table was read: cells that are not numbers, sentinels, a row of totals.
    outlier : ndarray of shape (N,), bool, or None, default=None
        Who belongs to noise rather than to any segment; None where the model has no noise.
    """

    id_name: str
    ids: nw.Series[Any] | Array
    names: tuple[str, ...]
    complete: Array
    labels: IntArray
    memberships: FloatArray
    log_density: FloatArray
    anomaly: Array
    notes: tuple[str, ...] = ()
    outlier: Array | None = None

    @cached_property
    def certainty(self) -> FloatArray:
        """The largest membership of each customer, shape (N,), the probability of an outlier for one; NaN for none."""
        return self._certainty(slice(None))

    @property
    def known(self) -> Array:
        """Who was evaluated: all in a segment, and outliers, shape (N,)."""
        return self.complete if self.outlier is None else self.complete | self.outlier

    @property
    def n_known(self) -> int:
        return int(np.count_nonzero(self.known))

    @property
    def n_outliers(self) -> int:
        return 0 if self.outlier is None else int(np.count_nonzero(self.outlier))

    def unknown_note(self, without: str, *, drop_missing: bool) -> str:
        """Return a sentence on those who were not evaluated; `without` says what became of them."""
        unknown = np.flatnonzero(~self.known)
        return left_out_note(
            unknown.size,
            without,
            self.id_name,
            map(self.customer, unknown.tolist()),
            drop_missing=drop_missing,
        )

    def values_of(self, rows: IntArray, inside: FloatArray, beside: RowTable | None) -> FloatArray:
        """Return values of some rows of the table, (n, D), from those of all in a segment and of all outliers."""
        place = np.cumsum(self.complete) - 1
        if self.outlier is None or beside is None:
            return np.asarray(inside[place[rows]])
        outlier = self.outlier[rows]
        found: FloatArray = inside[np.where(outlier, 0, place[rows])]
        found[outlier] = continuous_rows(beside)[(np.cumsum(self.outlier) - 1)[rows[outlier]]]
        return found

    def anomaly_share(self, weights: FloatArray | None, beside: FloatArray | None) -> float:
        """Return the share of anomalies by the weights of those in a segment and of the outliers, who all are some."""
        inside = self.anomaly[self.complete]
        counted = np.ones(inside.size) if weights is None else weights
        outliers = float(self.n_outliers if beside is None else beside.sum())
        return float((inside @ counted + outliers) / (counted.sum() + outliers))

    def _certainty(self, rows: Any) -> FloatArray:
        memberships = self.memberships[rows]
        found = row_maxima(memberships)
        if self.outlier is None:
            return found
        return np.where(self.outlier[rows], np.clip(1.0 - memberships.sum(axis=1), 0.0, 1.0), found)

    def _numbers(self, rows: Any) -> IntArray:
        """Return the numbers of segments as they are written: from 1, -1 for outliers."""
        labels = self.labels[rows]
        return np.where(labels < 0, -1, labels + 1)

    @property
    def counts(self) -> IntArray:
        """Customers per segment, shape (K,)."""
        return np.bincount(self.labels[self.complete], minlength=len(self.names))

    @property
    def n_rows(self) -> int:
        return int(self.complete.size)

    @property
    def n_complete(self) -> int:
        """Customers who are in a segment."""
        return int(self.complete.sum())

    @property
    def n_anomalies(self) -> int:
        return int(np.count_nonzero(self.anomaly))

    def customer(self, row: int) -> str:
        """Return the id of a row as text."""
        return str(self.ids[row])

    def columns(self) -> dict[str, Array]:
        """Return what is known of each customer, column by column; segments are numbered from 1, -1 for outliers."""
        # The last name is that of -1.
        named = np.array([*self.names, OUTLIER], dtype=object)[self.labels]
        own = {"segment": self._numbers(slice(None)), "segment_name": named, "certainty": self.certainty}
        return own | self._scores()

    def _scores(self) -> dict[str, Array]:
        own: dict[str, Array] = {
            f"probability_{k + 1}": self.memberships[:, k] for k in range(len(self.names))
        }
        return own | {"log_density": self.log_density, "anomaly": self.anomaly}

    def write(self, path: str | Path) -> None:
        """Write the result table, by suffix as CSV, Parquet, SPSS or Stata; customers in no segment have empty cells.

        In files of SPSS and Stata the names of the segments are the labels of their numbers.
        """
        ids, columns = self.written()
        if Path(path).suffix.lower() in SURVEY_OUTPUTS:
            del columns["segment_name"]
        write_table(path, ids, columns, self.known, self._codebook())

    def written(self) -> tuple[dict[str, Array | nw.Series[Any]], dict[str, Array | Words | Computed]]:
        """Return the ids and the columns of the result table, as `mixtura.io.write_table` takes them."""
        columns: dict[str, Array | Words | Computed] = {
            "segment": Computed(self._numbers),
            # Names are repeated for thousands of customers: they are written from a few texts.
            "segment_name": Words(
                (*self.names, OUTLIER), np.where(self.labels < 0, len(self.names), self.labels)
            ),
            "certainty": Computed(self._certainty),
            **self._scores(),
        }
        id_name = self.id_name if self.id_name not in columns else f"{self.id_name}_id"
        return {id_name: self.ids}, columns

    def _codebook(self) -> Codebook:
        """Return what statistics programs show of the columns."""
        scale = {"certainty": "Largest probability of a segment", "log_density": "Log density, in nats"}
        scale |= {
            f"probability_{k + 1}": f"Probability of segment {k + 1}: {name}"
            for k, name in enumerate(self.names)
        }
        named = {str(k + 1): name for k, name in enumerate(self.names)}
        if self.outlier is not None:
            named["-1"] = OUTLIER
        return Codebook(
            {name: CodebookColumn(text, measure="scale") for name, text in scale.items()}
            | {
                "segment": CodebookColumn("Segment", named, "nominal"),
                "anomaly": CodebookColumn(
                    "Hardly expected by the model", {"0": "no", "1": "anomaly"}, "nominal"
                ),
            }
        )


def assign_table(
    model: SegmentModel, frame: Any, *, id_column: str | None = None, drop_missing: bool = False
) -> Assignment:
    """Assign the customers of another table to the segments of a model.

    Parameters
    ----------
    model : SegmentModel
        Its columns are found in the table by name, in any order; others are ignored. Rows are scaled as the
        model's own were.
    frame : pandas, polars or pyarrow table
        N rows.
    id_column : str or None, default=None
        By default the one the model was learned with, if the table has it, or one that looks like an id.
    drop_missing : bool, default=False
        Leave rows with missing values unassigned, instead of assigning them by the values that they have.

    Returns
    -------
    Assignment

    Raises
    ------
    ColumnError
        The table lacks a column of the model, or it is not numeric.
    DataError
        No row has a value.
    """
    read = read_rows(model, frame, id_column=id_column, drop_missing=drop_missing)
    if read.notes:
        warnings.warn(f"Columns of the table: {' '.join(read.notes)}", ColumnWarning, stacklevel=2)
    return assign_read(model, read)


def assign_read(model: SegmentModel, read: ModelRows) -> Assignment:
    """Assign the usable rows of a table that was read; leave the others empty."""
    return replace(assign_rows(model, read.table, read.complete, read.id_name, read.ids), notes=read.notes)


def assign_rows(
    model: SegmentModel, table: RowTable, complete: Array, id_name: str, ids: nw.Series[Any] | Array
) -> Assignment:
    """Assign the usable rows, shape (n_complete, D) in the user's units; leave the others empty."""
    rows = continuous_rows(table)
    scores = Scores.empty(len(rows), model.n_segments)
    scan_of(model.mixture, model.scaling, table, groups=model.groups).run([], scores)
    scores = scores.in_user_units(model.scaling, model.scaling.masked(rows))
    return assignment_of(model, scores, complete, id_name, ids)


def assignment_of(
    model: SegmentModel, scores: Scores, complete: Array, id_name: str, ids: nw.Series[Any] | Array
) -> Assignment:
    """Return the assignment of a table from the scores of its complete rows, which are those of user's units."""
    anomaly = np.zeros(scores.labels.size, dtype=bool)
    if model.anomaly_threshold is not None:
        anomaly = scores.log_density < model.anomaly_threshold
    outlier = None
    if model.mixture.background is not None:
        outlier = scores.labels < 0
        anomaly = anomaly | outlier
    found = Assignment(
        id_name, ids, model.names, complete, scores.labels, scores.memberships, scores.log_density, anomaly,
        outlier=outlier,
    )  # fmt: skip
    if complete.all():
        return found if outlier is None else replace(found, complete=~outlier)
    if outlier is not None:
        outlier = np.asarray(_spread(complete, outlier, False))
        found = replace(found, outlier=outlier, complete=complete & ~outlier)
    return replace(
        found,
        labels=_spread(complete, found.labels, -1),
        memberships=_spread(complete, found.memberships, np.nan),
        log_density=_spread(complete, found.log_density, np.nan),
        anomaly=_spread(complete, found.anomaly, False),
    )


def _spread(complete: Array, values: Array, empty: float) -> Array:
    """Return values of complete rows among all rows of the table, `empty` elsewhere."""
    spread = np.full((complete.size, *values.shape[1:]), empty, dtype=values.dtype)
    spread[complete] = values
    return spread
