"""All statistics of the segments of a spooled table, from passes through its blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.data import Data
from mixtura.core.protocols import continuous_rows
from mixtura.segments.certainty.certainty import Certainty
from mixtura.segments.certainty.certainty_summary import AmbiguousSummary, CertaintySummary
from mixtura.segments.certainty.pair_residuals import PairResidual
from mixtura.segments.large.density_summary import BelowSummary, DensitySummary, LowestDensity
from mixtura.segments.large.whole_table import ListedRows
from mixtura.segments.measure import AMBIGUOUS_BELOW, MOST_AMBIGUOUS, pair_summaries
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.profiles.compute import ProfileInput, profile_segments, profile_summaries
from mixtura.segments.profiles.profile import Population, SegmentProfile
from mixtura.segments.profiles.profile_columns import Categories, Numbers
from mixtura.segments.scan import Scan, Summary

if TYPE_CHECKING:
    from mixtura.segments.mergeable import TopRows

__all__ = ["MeasuredWhole", "TableInParts", "measure_whole"]

_SAMPLE, _FINEST_SAMPLE, _ROWS_PER_SAMPLE = 4_096, 131_072, 256
"""Rows by which bins are chosen: one in 256, within limits."""

MOST_ANOMALIES = 1_000
"""Anomalies listed, those of the lowest density first."""


class TableInParts(Protocol):
    """A table whose columns were read and lie elsewhere: on disk, or with the workers of a cluster."""

    @property
    def n_rows(self) -> int:
        """All rows, usable or not."""

    @property
    def described(self) -> Mapping[str, Any]:
        """Further columns of the usable rows, as `Data.state_of` takes them."""

    @property
    def noticed(self) -> tuple[str, ...]:
        """Notes on the missing values of the usable rows, and on those that are unknown."""

    def data(self) -> Data:
        """Return the usable rows, in the user's units."""

    def listed(self, rows: IntArray, id_column: str | None) -> tuple[IntArray, list[str]]:
        """Return the numbers in the table of some usable rows, which ascend, and the ids of these customers."""

    def release(self) -> None:
        """Let go of what is in memory of it."""


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredWhole:
    """What is known of all rows.

    Parameters
    ----------
    segments, population
        Profiles.
    certainty : Certainty
    counts : ndarray of shape (K,)
    threshold : float or None
        The log density below which a customer is an anomaly.
    n_anomalies : int
    anomaly_share : float
    anomalies, least_certain : ListedRows
    residuals : tuple of PairResidual
        Of the pairs of discrete columns.
    """

    segments: tuple[SegmentProfile, ...]
    population: Population
    certainty: Certainty
    counts: IntArray
    threshold: float | None
    n_anomalies: int
    anomaly_share: float
    anomalies: ListedRows
    least_certain: ListedRows
    residuals: tuple[PairResidual, ...] = ()


def measure_whole(
    model: SegmentModel,
    table: TableInParts,
    data: Data,
    numbers: Sequence[Numbers],
    levels: Sequence[Categories],
    *,
    value: str | None,
    id_column: str | None,
) -> MeasuredWhole:
    """Evaluate all rows of a table twice, and gather all statistics of its segments.

    Parameters
    ----------
    model : SegmentModel
    table : TableInParts
    data : Data
        Its rows.
    numbers : sequence of Numbers
        The active columns first.
    levels : sequence of Categories
    value : str or None
        Which of `numbers` is the value.
    id_column : str or None
    """
    scan = Scan(model.mixture, model.scaling, data, table.described, model.groups)
    statistics, certainty, threshold, unsure, lowest, sizes, scaled, typical, counts, residuals = _scanned(
        scan, model, numbers, levels
    )
    table.release()
    listed = _Listing(model, table, data, id_column)
    listed.look_up([unsure.rows, lowest.rows, *(one.rows for one in typical)])
    pairs = list(zip(numbers, statistics, strict=True)), list(zip(levels, counts, strict=True))
    profiles = ProfileInput(model, sizes, scaled, typical, *pairs, value, listed.customer, listed.values)
    limit, count, share, below = _anomalies(scan, lowest, threshold if model.anomaly_percentile > 0 else None)
    uncertain = unsure.rows[unsure.keys < (1.0 if model.n_segments > 1 else -np.inf)]
    segments, population = profile_segments(profiles)
    table.release()
    rows = listed.rows(below), listed.rows(uncertain)
    return MeasuredWhole(segments, population, certainty, sizes.counts, limit, count, share, *rows, residuals)


def _scanned(
    scan: Scan, model: SegmentModel, numbers: Sequence[Numbers], levels: Sequence[Categories]
) -> tuple[Any, ...]:
    """Return what two passes find: of numeric columns, certainty and densities; of rows; of profiles; and of pairs."""
    # The second reading keeps the values of a few bins in memory: the longer the table, the finer they are.
    sample = scan.sample(max(_SAMPLE, min(_FINEST_SAMPLE, scan.data.n_rows // _ROWS_PER_SAMPLE)))
    gathered, columns = profile_summaries(model, numbers, levels, sample)
    first: list[Summary[Any]] = [
        *columns,
        CertaintySummary(model.names, sample.certainty, AMBIGUOUS_BELOW),
        DensitySummary(sample, model.anomaly_percentile),
        AmbiguousSummary(MOST_AMBIGUOUS),
        LowestDensity(MOST_ANOMALIES),
        *gathered,
    ]
    pairs = pair_summaries(model)
    *found, residuals = [*scan.run([*first, *pairs]), ()][: len(first) + 1]
    *statistics, certainty, threshold = scan.run(found[: len(columns) + 2])
    unsure, lowest, sizes, scaled, typical, *counts = found[len(columns) + 2 :]
    return statistics, certainty, threshold, unsure, lowest, sizes, scaled, typical, counts, residuals


def _anomalies(
    scan: Scan, lowest: TopRows, threshold: float | None
) -> tuple[float | None, int, float, IntArray]:
    """Return the threshold, how many rows are below it, their share, and the lowest of them."""
    if threshold is None:
        return None, 0, 0.0, lowest.rows[:0]
    count, weight = scan.run([BelowSummary(threshold)])[0]
    return threshold, count, weight / scan.data.total_weight, lowest.rows[lowest.keys < threshold]


class _Listing:
    """The ids and values of rows that are listed one by one."""

    def __init__(self, model: SegmentModel, table: TableInParts, data: Data, id_column: str | None) -> None:
        self._model, self._table, self._data, self._id_column = model, table, data, id_column
        self._known: dict[int, tuple[int, str]] = {}
        self.values: dict[int, FloatArray] = {}

    def look_up(self, several: Sequence[IntArray]) -> None:
        """Find the ids of some rows, in one pass over the id column."""
        rows = np.unique(np.concatenate(several))
        numbers, ids = self._table.listed(rows, self._id_column)
        self._known = dict(zip(rows.tolist(), zip(numbers.tolist(), ids, strict=True), strict=True))
        self.values = dict(zip(rows.tolist(), self._data.rows_with_missing(rows), strict=True))

    def customer(self, row: int) -> tuple[int, str]:
        return self._known[row]

    def rows(self, chosen: IntArray) -> ListedRows:
        table = self._data.mixed_rows(chosen)
        values = continuous_rows(table)
        known = [self._known[row] for row in chosen.tolist()]
        if chosen.size:
            memberships, density = self._model.memberships(table), self._model.log_density(table)
        else:
            memberships, density = np.empty((0, self._model.n_segments)), np.empty(0)
        return ListedRows(
            np.array([number for number, _ in known], dtype=np.intp),
            tuple(who for _, who in known),
            values,
            memberships,
            density,
            np.asarray(memberships.argmax(axis=1), dtype=np.intp),
        )
