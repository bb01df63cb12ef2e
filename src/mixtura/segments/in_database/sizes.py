"""How many customers of a database each segment has, by one query over the statement that assigns them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mixtura._typing import FloatArray
from mixtura.data import DatabaseTable
from mixtura.io.export import scoring_sql
from mixtura.segments.certainty.certainty import BANDS, Certainty
from mixtura.segments.certainty.certainty_summary import bands_of
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.profiles.segment_statistics import SegmentSizes

__all__ = ["CountedSegments", "count_segments", "scored_table"]

_SOURCE = "mixtura_source"
"""Stands for the table until the statement is written."""


@dataclass(frozen=True, slots=True, eq=False)
class CountedSegments:
    """What is counted of all customers.

    Parameters
    ----------
    sizes : SegmentSizes
    certainties : ndarray of shape (K,)
        Mean certainties of the customers of each segment; NaN where there are none.
    table : ndarray of shape (K, K)
        Customers put in a segment (row) by the segment to which they are expected to belong (column), by weight.
    bands : ndarray of shape (B, 2)
        Customers of each band of certainty, and their weight.
    n_anomalies : int
    anomaly_share : float
        By weight.
    """

    sizes: SegmentSizes
    certainties: FloatArray
    table: FloatArray
    bands: FloatArray
    n_anomalies: int
    anomaly_share: float

    def certainty(self, sample: Certainty) -> Certainty:
        """Return how firmly segments claim their customers; entropies and quantiles are those of a sample."""
        total = float(self.sizes.weights.sum())
        mean, scale = (
            float(np.nansum(self.certainties * self.sizes.weights)) / total,
            total / sample.total_weight,
        )
        unsure = self.bands[: BANDS.index(sample.threshold) + 1].sum(axis=0) * (len(sample.names) > 1)
        weights = self.sizes.weights[:, None]
        empty = np.full_like(self.table, np.nan)
        return replace(
            sample,
            n_customers=int(self.sizes.counts.sum()),
            total_weight=total,
            mean_certainty=mean,
            expected_error=1.0 - mean,
            n_ambiguous=int(unsure[0]),
            ambiguous_share=float(unsure[1]) / total,
            table=self.table,
            confusion=np.divide(self.table, weights, out=empty, where=weights > 0),
            bands=bands_of(self.bands),
            histogram=sample.histogram * scale,
            ambiguity_matrix=sample.ambiguity_matrix * scale,
        )


def scored_table(model: SegmentModel, table: DatabaseTable, id_columns: tuple[str, ...]) -> str:
    """Return the SELECT that assigns the customers of a table or of a query; of those who lack a value all is NULL."""
    statement = scoring_sql(
        model.scorer("SQL"), table.dialect.name, table=[_SOURCE], id_columns=id_columns, max_missing=0
    )
    return statement.replace(f"FROM {table.dialect.name_of(_SOURCE)} t", f"FROM {table.source} t")


def count_segments(model: SegmentModel, table: DatabaseTable, weight: str | None) -> CountedSegments:
    """Return the sizes of the segments, how sure their customers are, and how many are anomalies.

    Parameters
    ----------
    model : SegmentModel
        With the threshold of anomalies.
    table : DatabaseTable
    weight : str or None
        The column of weights.
    """
    dialect = table.dialect
    scored = scored_table(model, table, () if weight is None else (weight,))
    w = "1" if weight is None else dialect.double.format(f"s.{dialect.name_of(weight)}")
    sums = [f"SUM({w})", f"SUM({w} * {w})", f"COUNT(CASE WHEN {w} > 0 THEN 1 END)", f"SUM({w} * certainty)"]
    sums += ["COUNT(CASE WHEN anomaly THEN 1 END)", f"SUM(CASE WHEN anomaly THEN {w} END)"]
    sums += [f"{end}(CASE WHEN {w} > 0 THEN {w} END)" for end in ("MIN", "MAX")]
    sums += [f"SUM({w} * probability_{k + 1})" for k in range(model.n_segments)]
    for low, high in zip((0.0, *BANDS), (*BANDS, 2.0), strict=True):
        inside = f"certainty >= {dialect.number(low)} AND certainty < {dialect.number(high)}"
        sums += [f"COUNT(CASE WHEN {inside} THEN 1 END)", f"SUM(CASE WHEN {inside} THEN {w} END)"]
    found = table.ask(
        f"SELECT segment, COUNT(*), {', '.join(sums)}\nFROM (\n{scored}) s\nWHERE segment IS NOT NULL\nGROUP BY segment"
    )
    return _counted(found, model.n_segments)


def _counted(found: list[tuple[Any, ...]], n_segments: int) -> CountedSegments:
    rows = np.zeros((n_segments, 9 + n_segments + 2 * (len(BANDS) + 1)))
    rows[:, 7], rows[:, 8] = np.inf, -np.inf
    for segment, *values in found:
        given = np.array([np.nan if one is None else float(one) for one in values])
        rows[int(segment) - 1] = np.where(np.isnan(given), rows[int(segment) - 1], given)
    counts, weights, squares, positive, certain, anomalies, anomaly_weights, smallest, largest = rows[:, :9].T
    whole = counts.astype(np.intp), weights, squares, positive.astype(np.intp)
    sizes = SegmentSizes(*whole, float(smallest.min()), float(largest.max()))
    means = np.divide(certain, weights, out=np.full(n_segments, np.nan), where=weights > 0)
    table, bands = rows[:, 9 : 9 + n_segments], rows[:, 9 + n_segments :].sum(axis=0).reshape(-1, 2)
    share = float(anomaly_weights.sum() / weights.sum())
    return CountedSegments(sizes, means, table, bands, int(anomalies.sum()), share)
