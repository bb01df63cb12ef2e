"""The sums that a model was learned from, so that further rows can be added: sums of rows, and no row itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.moments import DENSE
from mixtura.core.protocols import RowTable, continuous_rows
from mixtura.core.statistics import Statistics
from mixtura.engine import as_data
from mixtura.fit import KeptSums, implied_sums, sums_of
from mixtura.segments.table.rounding import scaled_steps
from mixtura.segments.transforms.jacobian import SumOfJacobian, seen_as_read
from mixtura.segments.transforms.scaling import Scaling

if TYPE_CHECKING:
    from mixtura.io.schema.statistics_schema import StatisticsValues

__all__ = [
    "ModelStatistics",
    "gather_statistics",
    "implied_statistics",
    "read_statistics",
    "scatter_of",
    "seen_data",
    "statistics_content",
    "sum_of_jacobians",
]


@dataclass(frozen=True, slots=True, eq=False)
class ModelStatistics:
    """Sums of rows on the scale of a model, which add up; see `mixtura.core.statistics.Statistics`.

    Parameters
    ----------
    components : Statistics
        Of K components, weighted by responsibility, about the means of the model. Their log-likelihood is that of the
        rows under the model, in scaled units, or of rows that are gone a bound below it.
    total : Statistics
        Dense, of all rows as one component, about the origin of the scale: what keeps covariances from collapsing is
        relative to it.
    log_jacobian : float
        Added to the log-likelihood it makes one of rows in the user's units.
    rounding : ndarray of shape (D,)
        Steps that the columns are rounded to, on the scale of the model; 0 for none.
    as_of : str, float or None, default=None
        The latest time of the rows: ISO 8601, or a number as the time column has it. None where not known.
    """

    components: Statistics
    total: Statistics
    log_jacobian: float
    rounding: FloatArray
    as_of: str | float | None = None

    @property
    def weight(self) -> float:
        """Sum of the weights of the rows, as far as they are not forgotten."""
        return self.components.total_weight

    @property
    def log_likelihood(self) -> float:
        """Of the rows in the user's units, in nats."""
        return self.components.log_likelihood + self.log_jacobian

    def __add__(self, other: ModelStatistics) -> ModelStatistics:
        return ModelStatistics(
            self.components + other.components,
            self.total + other.total,
            self.log_jacobian + other.log_jacobian,
            np.minimum(self.rounding, other.rounding),
            _later(self.as_of, other.as_of),
        )

    def scaled(self, factor: float) -> ModelStatistics:
        """Return the sums of rows that count less."""
        components, total = self.components.scale(factor), self.total.scale(factor)
        return replace(self, components=components, total=total, log_jacobian=factor * self.log_jacobian)

    def about(self, before: Mixture, after: Mixture) -> ModelStatistics:
        """Return the same sums beside another mixture than the one they were gathered with."""
        return replace(self, components=KeptSums(self.components, before).about(after))

    def ordered(self, order: Sequence[int]) -> ModelStatistics:
        """Return the sums with the components in another order."""
        chosen, sums = np.asarray(order, dtype=np.intp), self.components
        parts = (sums.sums[:2], sums.counts[chosen], sums.first[chosen].ravel(), sums.second[chosen].ravel())
        levels = None if sums.levels is None else sums.levels[:, chosen]
        tails = None if sums.tails is None else sums.tails[:, chosen]
        found = Statistics(sums.moments, sums.means[chosen], np.concatenate(parts), levels, tails)
        return replace(self, components=found)


def _later(one: str | float | None, other: str | float | None) -> str | float | None:
    """Return the later of two times of a kind; None is before all."""
    if isinstance(one, str) and isinstance(other, str):
        return max(one, other)
    if isinstance(one, float) and isinstance(other, float):
        return max(one, other)
    return one if other is None else other


def gather_statistics(
    mixture: Mixture, scaling: Scaling, rows: RowTable, weights: FloatArray | None = None
) -> ModelStatistics:
    """Return the sums of some rows about a mixture of scaled rows.

    Parameters
    ----------
    mixture : Mixture
    scaling : Scaling
    rows : ndarray of shape (N, D), or MixedRows
        In the user's units; those of a spool are read in parts.
    weights : ndarray of shape (N,) or None, default=None
    """
    added = sum_of_jacobians(scaling, rows, weights)
    data = seen_data(scaling, rows, weights)
    return ModelStatistics(sums_of(data, mixture), scatter_of(data), added, scaled_steps(rows, scaling))


def seen_data(scaling: Scaling, rows: RowTable, weights: FloatArray | None) -> Data:
    """Return rows in the user's units as a mixture sees them; those on disk are scaled as they are read."""
    if isinstance(rows, np.memmap):
        return seen_as_read(as_data(rows, weights), scaling)
    return as_data(scaling.seen(rows), weights)


def sum_of_jacobians(scaling: Scaling, rows: RowTable, weights: FloatArray | None) -> float:
    """Return what makes the log-likelihood of scaled rows one of rows in the user's units."""
    if isinstance(rows, np.memmap):
        return float(as_data(rows, weights).reduce(SumOfJacobian(scaling)))
    jacobian = scaling.log_jacobian(scaling.masked(continuous_rows(rows)), observed=True)
    return float(jacobian.sum() if weights is None else jacobian @ weights)


def scatter_of(data: Data) -> Statistics:
    """Return the dense statistics of scaled rows as one component, about the origin of the scale."""
    return data.total.rebase(np.zeros((1, data.n_features)))


def implied_statistics(mixture: Mixture, weight: float, log_likelihood: float) -> ModelStatistics:
    """Return what a mixture itself says of the rows that it was learned from, where nothing else is known."""
    components = implied_sums(mixture, weight)
    components.sums[0] = log_likelihood
    counts = weight * mixture.weights / mixture.weights.sum()
    second = (counts[:, None, None] * mixture.full_covariances()).sum(axis=0)
    second += (counts[:, None] * mixture.means).T @ mixture.means
    total = Statistics.zero(DENSE, np.zeros((1, mixture.n_features)))
    total.sums[1:3], total.first[0] = weight, counts @ mixture.means
    total.second[...] = DENSE.pack(second[None])
    return ModelStatistics(components, total, 0.0, np.zeros(mixture.n_features))


def statistics_content(statistics: ModelStatistics) -> dict[str, Any]:
    """Return what a file says of the sums, every digit; not what they are about."""
    sums, total = statistics.components, statistics.total
    return {
        "weight": sums.total_weight,
        "log_likelihood": sums.log_likelihood,
        "log_jacobian": statistics.log_jacobian,
        "counts": sums.counts.tolist(),
        "first": sums.first.tolist(),
        "second": sums.second.tolist(),
        "levels": None if sums.levels is None else sums.levels.tolist(),
        "tails": None if sums.tails is None else sums.tails.tolist(),
        "total_first": total.first[0].tolist(),
        "total_second": total.second[0].tolist(),
        "rounding": statistics.rounding.tolist(),
        "as_of": statistics.as_of,
    }


def read_statistics(
    values: StatisticsValues | None, covariance_type: str, means: FloatArray
) -> ModelStatistics | None:
    """Return the sums of a file, which are about means (K, D) of components of a family."""
    if values is None:
        return None
    moments = get_family(covariance_type).moments[-1]
    parts = ([values.log_likelihood, values.weight], values.counts, values.first, values.second)
    sums = np.concatenate([np.ravel(np.array(one, dtype=np.float64)) for one in parts])
    levels, tails = (None if one is None else np.array(one) for one in (values.levels, values.tails))
    components = Statistics(moments, means, sums, levels, tails)
    total = Statistics.zero(DENSE, np.zeros((1, means.shape[1])))
    total.sums[1:3], total.first[0], total.second[0] = values.weight, values.total_first, values.total_second
    return ModelStatistics(components, total, values.log_jacobian, np.array(values.rounding), values.as_of)
