"""All statistics of the segments of a spooled table, from passes through its blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtura._typing import IntArray
from mixtura.core.data import Data
from mixtura.data.sources import Source, read_ahead
from mixtura.segments.certainty.certainty import Certainty
from mixtura.segments.certainty.certainty_summary import AmbiguousSummary, CertaintySummary
from mixtura.segments.large.density_summary import BelowSummary, DensitySummary, LowestDensity
from mixtura.segments.large.spooled_table import SpooledTable, require_same_rows
from mixtura.segments.large.whole_table import ListedRows
from mixtura.segments.measure import AMBIGUOUS_BELOW, MOST_AMBIGUOUS
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.profiles.compute import ProfileInput, profile_segments, profile_summaries
from mixtura.segments.profiles.profile import Population, SegmentProfile
from mixtura.segments.profiles.profile_columns import Categories, Numbers
from mixtura.segments.scan import Scan, Summary

if TYPE_CHECKING:
    from mixtura.segments.mergeable import TopRows

__all__ = ["MeasuredWhole", "measure_whole"]

_SAMPLE, _FINEST_SAMPLE, _ROWS_PER_SAMPLE = 4_096, 131_072, 256
"""Rows by which bins are chosen: one in 256, within limits."""

MOST_ANOMALIES = 1_000
"""Anomalies listed, those of the lowest density first."""


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


def measure_whole(
    model: SegmentModel,
    table: SpooledTable,
    data: Data,
    source: Source,
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
    table : SpooledTable
    data : Data
        Its rows.
    source : Source
        Where the ids of those who are listed are read.
    numbers : sequence of Numbers
        The active columns first.
    levels : sequence of Categories
    value : str or None
        Which of `numbers` is the value.
    id_column : str or None
    """
    scan = Scan(model.mixture, model.scaling, data, table.described, model.groups)
    statistics, certainty, threshold, unsure, lowest, sizes, scaled, typical, counts = _scanned(
        scan, model, numbers, levels
    )
    table.release()
    listed = _Listing(model, table, data, source, id_column)
    listed.look_up([unsure.rows, lowest.rows, *(one.rows for one in typical)])
    pairs = list(zip(numbers, statistics, strict=True)), list(zip(levels, counts, strict=True))
    profiles = ProfileInput(model, sizes, scaled, typical, *pairs, value, listed.customer, table.rows)
    limit, count, share, below = _anomalies(scan, lowest, threshold if model.anomaly_percentile > 0 else None)
    uncertain = unsure.rows[unsure.keys < (1.0 if model.n_segments > 1 else -np.inf)]
    segments, population = profile_segments(profiles)
    table.release()
    rows = listed.rows(below), listed.rows(uncertain)
    return MeasuredWhole(segments, population, certainty, sizes.counts, limit, count, share, *rows)


def _scanned(
    scan: Scan, model: SegmentModel, numbers: Sequence[Numbers], levels: Sequence[Categories]
) -> tuple[Any, ...]:
    """Return what two passes find: of numeric columns, certainty and densities; of rows; and of profiles."""
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
    found = scan.run(first)
    *statistics, certainty, threshold = scan.run(found[: len(columns) + 2])
    unsure, lowest, sizes, scaled, typical, *counts = found[len(columns) + 2 :]
    return statistics, certainty, threshold, unsure, lowest, sizes, scaled, typical, counts


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

    def __init__(
        self, model: SegmentModel, table: SpooledTable, data: Data, source: Source, id_column: str | None
    ) -> None:
        self._model, self._table, self._data = model, table, data
        self._source, self._id_column = source, id_column
        self._known: dict[int, tuple[int, str]] = {}

    def look_up(self, several: Sequence[IntArray]) -> None:
        """Find the ids of some rows, in one pass over the id column."""
        rows = np.unique(np.concatenate(several))
        numbers = self._table.numbers_in_table(rows)
        ids = [str(number + 1) for number in numbers]
        if self._id_column is not None:
            ids = _ids_at(self._source, self._id_column, numbers)
        self._known = dict(zip(rows.tolist(), zip(numbers.tolist(), ids, strict=True), strict=True))

    def customer(self, row: int) -> tuple[int, str]:
        return self._known[row]

    def rows(self, chosen: IntArray) -> ListedRows:
        values = self._data.rows_with_missing(chosen) if chosen.size else self._table.rows[:0]
        known = [self._known[row] for row in chosen.tolist()]
        if chosen.size:
            memberships, density = self._model.memberships(values), self._model.log_density(values)
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


def _ids_at(source: Source, id_column: str, numbers: IntArray) -> list[str]:
    """Return the ids of some rows, whose numbers ascend."""
    found: list[str] = []
    start = 0
    with read_ahead(source.batches([id_column])) as batches:
        for batch in batches:
            here = numbers[(numbers >= start) & (numbers < start + batch.num_rows)] - start
            column = batch.column(0)
            found += [str(column[int(place)].as_py()) for place in here]
            start += batch.num_rows
    require_same_rows(source, numbers.size, len(found))
    return found
