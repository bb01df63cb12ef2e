"""Anomalies of a table: scores, p-values, flags and reasons, one entry per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mixtura._typing import Array, BoolArray, FloatArray
from mixtura.anomaly.false_discoveries import Excess, control_false_discoveries, excess_of
from mixtura.anomaly.outlier_detector import GaussianMixtureOutlierDetector
from mixtura.core.explanation.reasons import Reasons
from mixtura.io import write_table
from mixtura.segments.model.read_rows import customer_ids
from mixtura.segments.options import Settings
from mixtura.segments.table.columns import choose
from mixtura.segments.table.complete import usable_rows
from mixtura.segments.table.prepare import Prepared, prepare, warn_of_columns
from mixtura.segments.table.roles import Roles
from mixtura.validation import PROBABILITY, Interval, require

__all__ = ["THRESHOLDS", "TableAnomalies", "find_anomalies"]

THRESHOLDS = ("conformal", "tail", "percentile")
"""What `threshold` may be."""

_LISTED = 3
"""Columns named as reasons for each row."""


@dataclass(frozen=True, slots=True, eq=False)
class TableAnomalies:
    """The anomalies of a table of N rows.

    Parameters
    ----------
    id_name : str
    ids : ndarray or Series of shape (N,)
    complete : ndarray of shape (N,), bool
        Which rows have values; the n others are neither scored nor flagged.
    columns : tuple of str, length D
    rows : ndarray of shape (n, D)
        Of the scored rows, in the user's units.
    scores : ndarray of shape (n,)
        The lower, the stranger; see `mixtura.GaussianMixtureOutlierDetector`.
    p_values : ndarray of shape (n,)
    flagged : ndarray of shape (n,), bool
    reasons : Reasons
        Of the scored rows, contributions in squared standard deviations, expected values in the user's units.
    stability : ndarray of shape (n,)
        Share of resamples of the detector's mixtures in which a row is among as many of the strangest as are flagged.
    excess : Excess
    threshold : str
    rate : float
        The rate of false discoveries, or the share that is flagged.
    notes : tuple of str
        What was noticed when the table was read.
    """

    id_name: str
    ids: Any
    complete: BoolArray
    columns: tuple[str, ...]
    rows: FloatArray
    scores: FloatArray
    p_values: FloatArray
    flagged: BoolArray
    reasons: Reasons
    stability: FloatArray
    excess: Excess
    threshold: str
    rate: float
    notes: tuple[str, ...] = ()

    @property
    def order(self) -> list[int]:
        """The flagged rows, the strangest first, as numbers among the scored ones."""
        flagged = np.flatnonzero(self.flagged)
        return [int(i) for i in flagged[np.lexsort((self.scores[flagged], self.p_values[flagged]))]]

    def customer(self, row: int) -> str:
        """Return the id of a scored row as text."""
        return str(self.ids[int(np.flatnonzero(self.complete)[row])])

    def why(self, row: int) -> list[dict[str, Any]]:
        """Return the columns that drive a scored row: value, what would be normal given the rest, contribution."""
        return [
            {
                "column": self.columns[d],
                "value": float(self.rows[row, d]),
                "expected": float(self.reasons.expected[row, d]),
                "contribution": float(self.reasons.contributions[row, d]),
            }
            for d in self.reasons.drivers(row, _LISTED)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON: what was asked, what was found, and the flagged rows with their reasons."""
        return {
            "n_rows": int(self.complete.size),
            "n_scored": int(self.scores.size),
            "columns": list(self.columns),
            "threshold": self.threshold,
            "rate": self.rate,
            "n_flagged": int(self.flagged.sum()),
            "beyond_chance": {
                "count": self.excess.count,
                "low": self.excess.low,
                "high": self.excess.high,
                "level": self.excess.level,
                "sentence": self.excess.sentence,
            },
            "anomalies": [self._as_dict(row) for row in self.order],
            "notes": list(self.notes),
        }

    def _as_dict(self, row: int) -> dict[str, Any]:
        return {
            "id": self.customer(row),
            "score": float(self.scores[row]),
            "p_value": float(self.p_values[row]),
            "component": int(self.reasons.components[row]) + 1,
            "squared_distance": float(self.reasons.squared_distances[row]),
            "stability": float(self.stability[row]),
            "reasons": self.why(row),
        }

    def write(self, path: str | Path) -> None:
        """Write a table of all rows, CSV or Parquet by suffix; rows without values have empty cells."""
        columns: dict[str, Array] = {
            "anomaly": self.flagged,
            "score": self.scores,
            "p_value": self.p_values,
            "nearest_component": self.reasons.components + 1,
            "squared_distance": self.reasons.squared_distances,
            "stability": self.stability,
            "reasons": np.array([self._sentence(row) for row in range(self.scores.size)], dtype=object),
        }
        spread = {name: _spread(self.complete, values) for name, values in columns.items()}
        id_name = self.id_name if self.id_name not in columns else f"{self.id_name}_id"
        write_table(path, {id_name: self.ids}, spread, self.complete)

    def _sentence(self, row: int) -> str:
        """Return the reasons of a flagged row in words, for a cell."""
        if not self.flagged[row]:
            return ""
        said = [
            f"{one['column']} {one['value']:.6g}, expected {one['expected']:.6g}" for one in self.why(row)
        ]
        return "; ".join(said)


def find_anomalies(
    frame: Any,
    *,
    reference: Any = None,
    columns: Sequence[str] | None = None,
    id_column: str | None = None,
    threshold: str = "conformal",
    fdr: float = 0.1,
    contamination: float = 0.04,
    drop_missing: bool = False,
    random_state: int = 0,
) -> TableAnomalies:
    """Find the anomalies of a table, and say why they are.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        A row per customer, say. Columns are chosen as `mixtura.segments.segment_table` does.
    reference : table or None, default=None
        Normal rows with the same columns; p-values are then conformal. By default the table itself says what is normal.
    columns : sequence of str or None, default=None
    id_column : str or None, default=None
        By default one that looks like an id.
    threshold : {"conformal", "tail", "percentile"}, default="conformal"
        ``"percentile"``: the strangest rows, of a given share. The others flag p-values at a rate of false discoveries:
        tail probabilities of the fitted density, or those calibrated by rows held out; see
        `mixtura.GaussianMixtureOutlierDetector`.
    fdr : float, default=0.1
        Expected share of normal rows among those flagged.
    contamination : float, default=0.04
        The share that ``threshold="percentile"`` flags, above 0 and at most 0.5.
    drop_missing : bool, default=False
        Leave out rows with missing values, instead of scoring them by the values that they have.
    random_state : int, default=0

    Raises
    ------
    ParameterError
        A parameter is out of its range.
    ColumnError, TableError
        A column is missing or not numeric, or none is left.
    MissingValuesError, TooFewRowsError, DataError
        The rows cannot be used.

    Examples
    --------
    >>> from mixtura.segments.anomalies import find_anomalies
    >>> from mixtura.datasets import make_customers
    >>> found = find_anomalies(make_customers(as_frame="polars"), threshold="percentile", contamination=0.01)
    >>> int(found.flagged.sum()), sorted(found.why(found.order[0])[0])
    (3, ['column', 'contribution', 'expected', 'value'])
    """
    require("threshold", threshold, THRESHOLDS, "Try `threshold='conformal'`.")
    require("fdr", fdr, PROBABILITY, "Try `fdr=0.1`.")
    require("contamination", contamination, Interval(0, 0.5, open_low=True), "Try `contamination=0.04`.")
    learned = prepare(
        frame if reference is None else reference,
        Roles(columns, id_column if reference is None else None),
        Settings(None, ("full",), "bic", 1, random_state),
        drop_missing=drop_missing,
    )
    warn_of_columns(learned)
    detector = GaussianMixtureOutlierDetector(
        novelty=reference is not None, random_state=random_state, missing="fiml"
    ).fit(learned.rows)
    scored = _scored(learned if reference is None else frame, learned.choice.used, id_column, drop_missing)
    return _judged(detector, scored, threshold, fdr, contamination)


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """The rows to score, as they were read."""

    id_name: str
    ids: Any
    columns: tuple[str, ...]
    rows: FloatArray
    complete: Array
    notes: tuple[str, ...]


def _scored(table: Any, columns: tuple[str, ...], id_column: str | None, drop_missing: bool) -> _Scored:
    """Return the rows that were learned from, or those of another table with the same columns."""
    if isinstance(table, Prepared):
        named = customer_ids(table.frame, table.choice.id_column)
        return _Scored(*named, columns, table.rows, table.complete, table.notes)
    roles = Roles(columns, id_column)
    opened = roles.open(table)
    choice, notes = choose(opened, roles), opened.notes(columns)
    rows, _, complete = usable_rows(opened.frame, columns, drop_missing=drop_missing, notes=notes)
    return _Scored(*customer_ids(opened.frame, choice.id_column), columns, rows, complete, notes)


def _judged(
    detector: GaussianMixtureOutlierDetector,
    scored: _Scored,
    threshold: str,
    fdr: float,
    contamination: float,
) -> TableAnomalies:
    rows, scores = scored.rows, detector.score_samples(scored.rows)
    p_values = detector.tail_probabilities(rows) if threshold == "tail" else detector.p_values(rows)
    if threshold == "percentile":
        flagged = scores < np.quantile(scores, contamination)
    else:
        flagged = control_false_discoveries(p_values, fdr)
    return TableAnomalies(
        scored.id_name,
        scored.ids,
        np.asarray(scored.complete),
        scored.columns,
        rows,
        scores,
        p_values,
        flagged,
        detector.explain(rows),
        detector.stability(rows, float(flagged.mean())),
        excess_of(p_values),
        threshold,
        contamination if threshold == "percentile" else fdr,
        scored.notes,
    )


def _spread(complete: Array, values: Array) -> Array:
    """Return values of the scored rows among all rows of the table; what stands elsewhere is not written."""
    spread = np.zeros(complete.size, dtype=values.dtype)
    if values.dtype == object:
        spread[:] = ""
    spread[complete] = values
    return spread
