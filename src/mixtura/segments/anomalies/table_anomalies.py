"""Anomalies of a table: scores, p-values, flags and reasons, one entry per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mixtura._typing import BoolArray, FloatArray
from mixtura.anomaly.false_discoveries import Excess
from mixtura.core.explanation.reasons import Reasons
from mixtura.io import write_table
from mixtura.segments.anomalies.listed_anomalies import (
    AnomalyDetails,
    ListedAnomalies,
    result_columns,
    spread,
)
from mixtura.segments.table.complete import left_out_note

__all__ = ["TableAnomalies"]


@dataclass(frozen=True, slots=True, eq=False)
class TableAnomalies(ListedAnomalies):
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
    def n_rows(self) -> int:
        return int(self.complete.size)

    def unscored_note(self, *, drop_missing: bool) -> str:
        unscored = np.flatnonzero(~self.complete)
        ids = (str(self.ids[row]) for row in unscored.tolist())
        return left_out_note(unscored.size, "not scored", self.id_name, ids, drop_missing=drop_missing)

    @property
    def deviations(self) -> tuple[float | None, ...]:
        known = [column[np.isfinite(column)] for column in self.rows.T]
        with np.errstate(over="ignore"):  # the square of a value may overflow
            return tuple(float(column.std()) if column.size else None for column in known)

    def customer(self, row: int) -> str:
        """Return the id of a scored row as text."""
        return str(self.ids[int(np.flatnonzero(self.complete)[row])])

    def details(self, rows: Sequence[int]) -> AnomalyDetails:
        places = np.flatnonzero(self.complete)[rows]
        customers = [str(self.ids[int(place)]) for place in places]
        return AnomalyDetails(
            self.columns, customers, self.rows[rows], self.reasons.of(rows), self.stability[rows]
        )

    def write(self, path: str | Path) -> None:
        """Write a table of all rows, CSV or Parquet by suffix; rows without values have empty cells."""
        details = AnomalyDetails(self.columns, (), self.rows, self.reasons, self.stability)
        columns = result_columns(details, self.flagged, self.scores, self.p_values)
        held = {name: spread(self.complete, values) for name, values in columns.items()}
        id_name = self.id_name if self.id_name not in columns else f"{self.id_name}_id"
        write_table(path, {id_name: self.ids}, held, self.complete)
