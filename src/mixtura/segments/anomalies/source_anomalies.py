"""Anomalies of a source that is read in parts: numbers are kept per row, and rows are looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mixtura._typing import BoolArray, FloatArray
from mixtura.anomaly.false_discoveries import Excess
from mixtura.anomaly.fitted_detector import FittedDetector
from mixtura.anomaly.standard_rows import center_and_scale
from mixtura.core.protocols import continuous_rows
from mixtura.io import TableWriter
from mixtura.segments.anomalies.listed_anomalies import (
    AnomalyDetails,
    ListedAnomalies,
    result_columns,
    spread,
)
from mixtura.segments.large.spooled_table import SpooledTable
from mixtura.segments.large.write_customers import spooled_parts
from mixtura.segments.model.read_rows import ROW_NAME
from mixtura.segments.table.complete import left_out_note

__all__ = ["SourceAnomalies"]


@dataclass(frozen=True, slots=True, eq=False)
class SourceAnomalies(ListedAnomalies):
    """The anomalies of a source of N rows; attributes as of `TableAnomalies`, but rows and reasons are looked up.

    Parameters
    ----------
    id_name : str
    table : SpooledTable
        The n scored rows, and which of all they are.
    detector : FittedDetector
    columns : tuple of str, length D
    scores, p_values, flagged, stability : ndarray of shape (n,)
    excess : Excess
    threshold : str
    rate : float
    notes : tuple of str, default=()
    """

    id_name: str
    table: SpooledTable
    detector: FittedDetector
    columns: tuple[str, ...]
    scores: FloatArray
    p_values: FloatArray
    flagged: BoolArray
    stability: FloatArray
    excess: Excess
    threshold: str
    rate: float
    notes: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        return self.table.n_rows

    def unscored_note(self, *, drop_missing: bool) -> str:
        return left_out_note(self.n_rows - self.scores.size, "not scored", drop_missing=drop_missing)

    @property
    def deviations(self) -> tuple[float | None, ...]:
        _, scale = center_and_scale(self.table.rows, None)
        self.table.release()
        return tuple(float(one) if np.isfinite(one) else None for one in scale)

    @property
    def _id_column(self) -> str | None:
        return (
            None if self.id_name == ROW_NAME and ROW_NAME not in self.table.source.columns else self.id_name
        )

    def details(self, rows: Sequence[int]) -> AnomalyDetails:
        """Return what is known of some of the scored rows; these and their ids are read."""
        asked = np.asarray(rows, dtype=np.intp)
        ascending = np.unique(asked)
        _, ids = self.table.listed(ascending, self._id_column)
        customers = [ids[place] for place in np.searchsorted(ascending, asked)]
        found = np.array(self.table.rows[asked])
        self.table.release()
        reasons = self.detector.reasons(found)
        return AnomalyDetails(self.columns, customers, found, reasons, self.stability[asked])

    def write(self, path: str | Path) -> None:
        """Write a table of all rows, CSV or Parquet by suffix; rows without values have empty cells."""
        place = 0
        with (
            TableWriter(path) as writer,
            spooled_parts(self.table, self.table.source, self._id_column) as parts,
        ):
            for ids, present, table in parts:
                rows = continuous_rows(table)
                here = slice(place, place + len(rows))
                place = here.stop
                reasons = self.detector.reasons(rows)
                details = AnomalyDetails(self.columns, (), rows, reasons, self.stability[here])
                columns = result_columns(details, self.flagged[here], self.scores[here], self.p_values[here])
                held = {name: spread(present, values) for name, values in columns.items()}
                id_name = self.id_name if self.id_name not in columns else f"{self.id_name}_id"
                writer.append({id_name: ids}, held, present)
        self.table.release()
