"""What is said of the anomalies of a table, one by one: who, how strange, and which columns make them so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mixtura._typing import Array, BoolArray, FloatArray
from mixtura.anomaly.false_discoveries import Excess
from mixtura.core.explanation.reasons import Reasons

__all__ = ["AnomalyDetails", "ListedAnomalies", "result_columns", "spread"]

_LISTED = 3
"""Columns named as reasons for each row."""


@dataclass(frozen=True, slots=True, eq=False)
class AnomalyDetails:
    """What is known of n scored rows.

    Parameters
    ----------
    columns : sequence of str, length D
    customers : sequence of str, length n
    rows : ndarray of shape (n, D)
        In the user's units.
    reasons : Reasons
    stability : ndarray of shape (n,)
    """

    columns: Sequence[str]
    customers: Sequence[str]
    rows: FloatArray
    reasons: Reasons
    stability: FloatArray

    def why(self, place: int) -> list[dict[str, Any]]:
        """Return the columns that drive a row: value, what would be normal given the rest, contribution."""
        return [
            {
                "column": self.columns[d],
                "value": float(self.rows[place, d]),
                "expected": float(self.reasons.expected[place, d]),
                "contribution": float(self.reasons.contributions[place, d]),
            }
            for d in self.reasons.drivers(place, _LISTED)
        ]


class ListedAnomalies(ABC):
    """The anomalies of a table, however its rows are held; see `TableAnomalies` for the attributes."""

    __slots__ = ()
    id_name: str
    columns: tuple[str, ...]
    scores: FloatArray
    p_values: FloatArray
    flagged: BoolArray
    excess: Excess
    threshold: str
    rate: float
    notes: tuple[str, ...]

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """Rows of the table, scored or not."""

    @property
    @abstractmethod
    def deviations(self) -> tuple[float | None, ...]:
        """The standard deviation of each column; None where it has no value."""

    @abstractmethod
    def unscored_note(self, *, drop_missing: bool) -> str:
        """Return a sentence on the rows that were not scored."""

    @abstractmethod
    def details(self, rows: Sequence[int]) -> AnomalyDetails:
        """Return what is known of some of the scored rows."""

    @abstractmethod
    def write(self, path: str | Path) -> None:
        """Write a table of all rows, CSV or Parquet by suffix; rows without values have empty cells."""

    @property
    def order(self) -> list[int]:
        """The flagged rows, the strangest first, as numbers among the scored ones."""
        flagged = np.flatnonzero(self.flagged)
        return [int(i) for i in flagged[np.lexsort((self.scores[flagged], self.p_values[flagged]))]]

    def why(self, row: int) -> list[dict[str, Any]]:
        """Return the columns that drive a scored row: value, what would be normal given the rest, contribution."""
        return self.details([row]).why(0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON: what was asked, what was found, and the flagged rows with their reasons."""
        order = self.order
        details = self.details(order)
        return {
            "n_rows": self.n_rows,
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
            "anomalies": [self._as_dict(row, details, place) for place, row in enumerate(order)],
            "notes": list(self.notes),
        }

    def _as_dict(self, row: int, details: AnomalyDetails, place: int) -> dict[str, Any]:
        return {
            "id": details.customers[place],
            "score": float(self.scores[row]),
            "p_value": float(self.p_values[row]),
            "component": int(details.reasons.components[place]) + 1,
            "squared_distance": float(details.reasons.squared_distances[place]),
            "stability": float(details.stability[place]),
            "reasons": details.why(place),
        }


def result_columns(
    details: AnomalyDetails, flagged: BoolArray, scores: FloatArray, p_values: FloatArray
) -> dict[str, Array]:
    """Return the columns of the table of results, (n,) each, of n scored rows."""
    reasons = details.reasons
    said = [_sentence(details.why(place)) if one else "" for place, one in enumerate(flagged.tolist())]
    return {
        "anomaly": flagged,
        "score": scores,
        "p_value": p_values,
        "nearest_component": reasons.components + 1,
        "squared_distance": reasons.squared_distances,
        "stability": details.stability,
        "reasons": np.array(said, dtype=object),
    }


def spread(complete: Array, values: Array) -> Array:
    """Return values of the scored rows among all rows of the table; what stands elsewhere is not written."""
    found = np.zeros(complete.size, dtype=values.dtype)
    if values.dtype == object:
        found[:] = ""
    found[complete] = values
    return found


def _sentence(reasons: list[dict[str, Any]]) -> str:
    """Return reasons in words, for a cell."""
    return "; ".join(f"{one['column']} {one['value']:.6g}, expected {one['expected']:.6g}" for one in reasons)
