"""The log densities of all rows: their percentile, and the rows where it is lowest, in two passes."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.segments.group_quantiles import GroupHistogram, Refinement, bin_edges
from mixtura.segments.mergeable import TopRows
from mixtura.segments.scan import Scored

__all__ = ["DensitySummary", "LowestDensity", "densities"]


def densities(scored: Scored) -> FloatArray:
    """Return the log density of each row, (n,), per unit of the user's columns."""
    rows = scored.scaling.masked(scored.rows)
    return np.asarray(scored.log_density + scored.scaling.log_jacobian(rows))


class DensitySummary:
    """Log densities; the result is a summary for a second pass, whose result is a `LowestDensity`.

    Parameters
    ----------
    sample : Scored
        Some rows, by which bins are chosen.
    percent : float
        The percentile that is asked for.
    """

    def __init__(self, sample: Scored, percent: float) -> None:
        self.percent = percent
        self.histogram = GroupHistogram(bin_edges(densities(sample)), 1)

    def add(self, scored: Scored) -> None:
        values = densities(scored)
        self.histogram.add(values, np.zeros(values.size, dtype=np.intp), scored.weights)

    def merge(self, other: DensitySummary) -> None:
        self.histogram.merge(other.histogram)

    def result(self) -> _Exact:
        total = float(self.histogram.table.sum())
        place = (total - 1) * self.percent / 100
        before = np.floor(place + 1e-12 * total)
        # In the middle of what a row takes, so that rounding cannot reach its neighbors.
        shares = np.clip((np.array([before, before + 1]) + 0.5) / total, 0.0, 1.0 - 0.5 / total)
        refinement = self.histogram.refine(np.empty(0), shares)
        return _Exact(refinement, self.histogram, place - before)


class _Exact:
    """The second pass over densities: the two values between which the percentile lies, exactly."""

    def __init__(self, refinement: Refinement, histogram: GroupHistogram, part: float) -> None:
        self._refinement, self._histogram, self._part = refinement, histogram, part

    def __deepcopy__(self, memo: object) -> _Exact:
        # What the first pass found is shared, not copied for each block.
        return type(self)(self._refinement.blank(), self._histogram, self._part)

    def add(self, scored: Scored) -> None:
        values = densities(scored)
        self._refinement.add(values, np.zeros(values.size, dtype=np.intp), scored.weights)

    def merge(self, other: _Exact) -> None:
        self._refinement.merge(other._refinement)

    def result(self) -> float:
        low, high = (float(one) for one in self._refinement.quantiles()[1])
        part = float(max(self._part, 0.0))
        # As numpy.percentile rounds.
        return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)


class LowestDensity:
    """The rows of the lowest density; the result is a `TopRows`.

    Parameters
    ----------
    most : int
    """

    def __init__(self, most: int) -> None:
        self._top = TopRows(most)

    def add(self, scored: Scored) -> None:
        self._top.add(densities(scored), scored.numbers)

    def merge(self, other: LowestDensity) -> None:
        self._top.merge(other._top)

    def result(self) -> TopRows:
        return self._top


class BelowSummary:
    """How many rows have a log density below a threshold, and their weight; the result is both.

    Parameters
    ----------
    threshold : float
    """

    def __init__(self, threshold: float) -> None:
        self._threshold, self._found = threshold, np.zeros(2)

    def add(self, scored: Scored) -> None:
        below = densities(scored) < self._threshold
        count = np.count_nonzero(below)
        self._found += (count, count if scored.weights is None else scored.weights[below].sum())

    def merge(self, other: BelowSummary) -> None:
        self._found += other._found

    def result(self) -> tuple[int, float]:
        return int(self._found[0]), float(self._found[1])
