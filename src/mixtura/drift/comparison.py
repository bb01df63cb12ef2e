"""Everything that changed between two times, about one mixture: tests of sums, with effects and intervals.

Each test compares a mean of the rows of one time with that of the other, about the same mixture, by its variance in
both samples: ``(mean' - mean)^2 / (v / n + v' / m)``. What the mixture was learned from is in one of the two, which is
why its own estimation error cancels (`mixtura.drift.reference_sample`). First moments within segments, weighted by
responsibility, are the score of the likelihood with respect to the means, second moments that of the covariances: tests
of Rao's kind, which need no fit of the new rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtrc, ndtr, ndtri, stdtr, stdtrit

from mixtura._typing import BoolArray, FloatArray
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.drift.change import Change, Jointly, adjusted
from mixtura.drift.densities.strange_rows import strange_rows_p_value
from mixtura.drift.drift_sums import Cuts, DriftSums
from mixtura.drift.moments.moments_by_segment import SegmentMoments
from mixtura.drift.moments.moved_centers import center_p_values
from mixtura.drift.reference_sample import Reference

__all__ = ["Comparison", "Fall", "compare_sums", "mean_memberships"]

_FEWEST = 10.0
"""Effective rows of a segment in a column from which on it is compared."""
_Z = float(ndtri(0.975))


@dataclass(frozen=True, slots=True)
class Fall:
    """A difference of two means or shares, with its interval at 95 %."""

    before: float
    after: float
    difference: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two times, compared.

    Parameters
    ----------
    reference : Reference
    after : DriftSums
        Of the new rows.
    changes : tuple of Change
        Everything that was looked for, with p-values adjusted for all of it.
    compared : ndarray of shape (K, D), bool
        Where a segment has enough rows in a column at both times to be compared.
    log_likelihood : Fall
        Means of the log density, in nats; the p-value is that of a fall.
    tail : Fall
        Shares of the rows below the tail of those that are compared with.
    anomalies : Fall or None
        Shares of the rows below the threshold of anomalies.
    """

    reference: Reference
    after: DriftSums
    changes: tuple[Change, ...]
    compared: BoolArray
    log_likelihood: Fall
    tail: Fall
    anomalies: Fall | None

    def of_family(self, family: str) -> tuple[Change, ...]:
        return tuple(one for one in self.changes if one.family == family)


def compare_sums(
    reference: Reference, after: DriftSums, discrete: DiscreteColumns | None = None
) -> Comparison:
    """Compare the rows of two times.

    Parameters
    ----------
    reference : Reference
    after : DriftSums
        With the cuts of the reference, about the same mixture.
    discrete : DiscreteColumns, optional
        What is modeled of discrete columns.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import Mixture
    >>> from mixtura.drift import compare_sums, drift_sums, reference_of
    >>> from mixtura.engine import as_data
    >>> mixture = Mixture.from_parameters([1.0], [[0.0]], [[1.0]], "diag")
    >>> rows = np.random.RandomState(0).standard_normal((4000, 1))
    >>> reference = reference_of(as_data(rows[:2000]), mixture)
    >>> found = compare_sums(reference, drift_sums(as_data(rows[2000:] + 0.5), mixture, reference.cuts))
    >>> [(one.family, round(one.effect, 1)) for one in found.changes if one.family == "center" and one.is_found]
    [('center', 0.5)]
    """
    before = reference.sums
    old, new = SegmentMoments(before), SegmentMoments(after)
    compared = old.has_enough(_FEWEST) & new.has_enough(_FEWEST)
    fall, tail = _likelihood(before, after), _tail(before, after, reference.cuts)
    centers = list(_centers(old, new, compared))
    found = [*_shares(before, after), *centers, *_spreads(old, new, compared)]
    found += _correlations(old, new, compared)
    if discrete is not None:
        found += _level_changes(before, after, discrete)
    spread = max(_density_deviation(before), 1e-12)
    size = (fall.difference / spread, fall.low / spread, fall.high / spread)
    of_densities = [
        _change("likelihood", None, (), size, fall.p_value),
        _densities(before, after, reference.cuts),
        Change("tail", None, (), tail.difference, tail.low, tail.high, tail.p_value),
    ]
    if not _have_same_columns(old, new, discrete):
        of_densities = [replace(one, p_value=1.0) for one in of_densities]
    found += of_densities
    threshold = reference.cuts.threshold
    anomalies = None if threshold is None else _share_of(before, after, 7)
    jointly = _jointly(centers, old, new, compared)
    return Comparison(reference, after, adjusted(found, jointly), compared, fall, tail, anomalies)


def _have_same_columns(old: SegmentMoments, new: SegmentMoments, discrete: DiscreteColumns | None) -> bool:
    """Return whether no column has values at one time only, without which log densities are others."""
    before, after = (moments.effective.max(axis=0, initial=0.0) > 0 for moments in (old, new))
    if (before != after).any():
        return False
    if discrete is None:
        return True
    spans = list(zip(discrete.starts[:-1], discrete.starts[1:], strict=True))
    counted = ([one.sums.levels[begin:end].sum() > 0 for begin, end in spans] for one in (old, new))
    return next(counted) == next(counted)


def mean_memberships(sums: DriftSums, *, noise: bool = False) -> tuple[FloatArray, FloatArray]:
    """Return mean memberships, shape (K,), and their covariance over samples, (K, K).

    They are ratios of sums: the covariance is ``sum w^2 (r - mean)(r - mean)^T / (sum w)^2``.

    Parameters
    ----------
    sums : DriftSums
    noise : bool, default=False
        Whether noise is one class more, the last: K + 1 instead of K.
    """
    shares, squared, products = sums.shares, sums.shares_squared, sums.products
    total = float(sums.totals[2])
    if noise:
        beside = squared - products.sum(axis=0)
        corner = total - 2 * squared.sum() + products.sum()
        products = np.block([[products, beside[:, None]], [beside[None], np.array([[corner]])]])
        shares = np.append(shares, sums.weight - shares.sum())
        squared = np.append(squared, total - squared.sum())
    mean = shares / sums.weight
    cross = np.outer(mean, squared)
    spread = products - cross - cross.T + total * np.outer(mean, mean)
    return mean, np.asarray(spread / sums.weight**2)


def _shares(before: DriftSums, after: DriftSums) -> list[Change]:
    noise = before.has_noise or after.has_noise
    (p, spread), (q, other) = (mean_memberships(sums, noise=noise) for sums in (before, after))
    if p.size == 1:
        return []
    covariance = spread + other
    change, base = q - p, np.maximum(p, 1e-12)
    statistic = float(change @ np.linalg.pinv(covariance, rcond=1e-8, hermitian=True) @ change)
    size = float(np.sqrt((change**2 / base).sum()))
    slope = change / base / max(size, 1e-12)
    error = _Z * float(np.sqrt(max(0.0, float(slope @ covariance @ slope))))
    p_value = float(chdtrc(p.size - 1, statistic))
    return [Change("shares", None, (), size, max(0.0, size - error), size + error, p_value)]


def _centers(old: SegmentMoments, new: SegmentMoments, compared: BoolArray) -> Iterator[Change]:
    effect = new.means - old.means
    parts = old.mean_variances, new.mean_variances
    return _by_column("center", effect, parts, (old.effective, new.effective), compared)


def _jointly(centers: list[Change], old: SegmentMoments, new: SegmentMoments, compared: BoolArray) -> Jointly:
    """Return p-values of the centers, adjusted for all of them."""
    own, tested = np.ones(compared.shape), np.zeros(compared.shape, dtype=bool)
    places = {(one.segment, *one.columns): one for one in centers}
    for place, one in places.items():
        own[place], tested[place] = one.p_value, True
    found = center_p_values(old, new, tested, own)
    return {("center", one.segment, one.columns): float(found[place]) for place, one in places.items()}


def _spreads(old: SegmentMoments, new: SegmentMoments, compared: BoolArray) -> Iterator[Change]:
    effect = new.log_deviations - old.log_deviations
    parts = old.log_deviation_variances, new.log_deviation_variances
    return _by_column("spread", effect, parts, (old.effective, new.effective), compared)


def _by_column(
    family: str,
    effect: FloatArray,
    variances: tuple[FloatArray, FloatArray],
    effective: tuple[FloatArray, FloatArray],
    compared: BoolArray,
) -> Iterator[Change]:
    """Test differences by t, with the degrees of freedom of Welch (1947)."""
    total = variances[0] + variances[1]
    spent = [v**2 / np.maximum(n - 1.0, 1.0) for v, n in zip(variances, effective, strict=True)]
    places = np.argwhere(compared & (total > 1e-100))
    at = tuple(places.T)
    size, error, freedom = (
        effect[at],
        np.sqrt(total[at]),
        total[at] ** 2 / np.maximum((spent[0] + spent[1])[at], 1e-300),
    )
    p_values = 2 * stdtr(freedom, -np.abs(size) / error)
    half = stdtrit(freedom, 0.975) * error
    for (k, d), one, width, p_value in zip(places.tolist(), size, half, p_values, strict=True):
        yield _change(family, k, (d,), (one, one - width, one + width), p_value)


def _change(
    family: str, segment: int | None, columns: tuple[int, ...], sizes: Sequence[float], p_value: float
) -> Change:
    effect, low, high = map(float, sizes)
    return Change(family, segment, columns, effect, low, high, float(p_value))


def _correlations(old: SegmentMoments, new: SegmentMoments, compared: BoolArray) -> Iterator[Change]:
    """Test differences of correlations by Fisher's z."""
    effect = np.arctanh(new.correlations) - np.arctanh(old.correlations)
    error = np.sqrt(old.z_correlation_variances + new.z_correlation_variances)
    d, e = np.tril_indices(compared.shape[1], -1)
    before = old.correlations
    half = _Z * error
    ends = [np.tanh(np.arctanh(before) + size) - before for size in (effect, effect - half, effect + half)]
    p_values = 2 * ndtr(-np.abs(effect) / error)
    known = old.has_correlations & new.has_correlations
    for k in range(len(compared)):
        both = compared[k, d] & compared[k, e] & known[k, d, e]
        for one, other in zip(d[both].tolist(), e[both].tolist(), strict=True):
            place = k, one, other
            yield _change("correlation", k, (other, one), [size[place] for size in ends], p_values[place])


def _level_changes(before: DriftSums, after: DriftSums, discrete: DiscreteColumns) -> Iterator[Change]:
    """Test the shares of the levels of each discrete column within each segment by chi-square."""
    for j, (begin, end) in enumerate(zip(discrete.starts[:-1], discrete.starts[1:], strict=True)):
        for k in range(before.n_components):
            one, other = (sums.levels[begin:end, k] for sums in (before, after))
            squared = [float(sums.levels_squared[begin:end, k].sum()) for sums in (before, after)]
            if min(squared) <= 0 or min(one.sum() ** 2 / squared[0], other.sum() ** 2 / squared[1]) < _FEWEST:
                continue
            effective = 1.0 / (squared[0] / one.sum() ** 2 + squared[1] / other.sum() ** 2)
            yield _table_change("levels", k, (j,), one, other, effective)


def _densities(before: DriftSums, after: DriftSums, cuts: Cuts) -> Change:
    """Test whether log densities have the same distribution, by chi-square over their bins: a two-sample test.

    Of discrete columns alone densities have few values, and rounding would say on which side of a bound one lies: there
    the test finds nothing, and those of levels and shares say it all.
    """
    bins = after.bins if before.n_features else before.bins
    effective = 1.0 / (1.0 / before.effective_rows + 1.0 / after.effective_rows)
    deeper = np.count_nonzero(cuts.edges <= cuts.tail)
    one, other = (np.append(each[: deeper + 1].sum(), each[deeper + 1 :]) for each in (before.bins, bins))
    return _table_change("density", None, (), one, other, effective)


def _table_change(
    family: str,
    segment: int | None,
    columns: tuple[int, ...],
    before: FloatArray,
    after: FloatArray,
    effective: float,
) -> Change:
    """Test whether two rows of counts have the same shares; `effective` is ``n m / (n + m)``."""
    p, q = before / before.sum(), after / after.sum()
    pooled = (before + after) / (before.sum() + after.sum())
    there = pooled > 0
    statistic = effective * float(((q - p)[there] ** 2 / pooled[there]).sum())
    size = float(np.sqrt(statistic / effective))
    p_value = float(chdtrc(max(1, int(there.sum()) - 1), statistic))
    half = _Z / np.sqrt(effective)
    return Change(family, segment, columns, size, max(0.0, size - half), size + half, p_value)


def _density_deviation(sums: DriftSums) -> float:
    mean = sums.totals[3] / sums.weight
    squares = sums.totals[5] - 2 * mean * sums.totals[4] + mean**2 * sums.totals[2]
    return float(np.sqrt(max(0.0, squares / sums.totals[2])))


def _likelihood(before: DriftSums, after: DriftSums) -> Fall:
    means = [sums.totals[3] / sums.weight for sums in (before, after)]
    variances = [_density_deviation(sums) ** 2 / sums.effective_rows for sums in (before, after)]
    error, change = float(np.sqrt(sum(variances))), float(means[1] - means[0])
    p_value = float(ndtr(change / error)) if error > 0 else 1.0
    return Fall(float(means[0]), float(means[1]), change, change - _Z * error, change + _Z * error, p_value)


def _tail(before: DriftSums, after: DriftSums, cuts: Cuts) -> Fall:
    """Compare shares of rows in the tail; the p-value looks at limits below it, too."""
    deeper = np.count_nonzero(cuts.edges <= cuts.tail)
    n_rows = [sums.effective_rows for sums in (before, after)]
    below = [
        n * np.append(np.cumsum(sums.bins)[:deeper], sums.totals[6]) / sums.weight
        for n, sums in zip(n_rows, (before, after), strict=True)
    ]
    p_value = strange_rows_p_value(n_rows[0], round(n_rows[1]), below[0].tolist(), below[1].tolist())
    return replace(_share_of(before, after, 6), p_value=p_value)


def _share_of(before: DriftSums, after: DriftSums, place: int) -> Fall:
    """Compare shares of rows below a quantile of the former; the p-value is that of an increase.

    Of m rows exchangeable with n others, the number below the j-th smallest of those has the beta-binomial
    distribution with parameters m, j and n + 1 - j, whatever the rows' distribution.
    """
    from scipy.stats import betabinom

    p, q = (float(sums.totals[place] / sums.weight) for sums in (before, after))
    n, m = before.effective_rows, round(after.effective_rows)
    rank = max(p * n, 0.5)
    p_value = float(betabinom.sf(np.ceil(q * m - 1e-9) - 1, m, rank, max(n + 1 - rank, 0.5)))
    error = _Z * float(np.sqrt(max(p * (1 - p), 0.25 / n) / n + max(q * (1 - q), 0.25 / m) / m))
    return Fall(p, q, q - p, q - p - error, q - p + error, p_value)
