"""What became of a mixture's rows: the comparison, the segments, the new kind of row, and the verdict together."""

from __future__ import annotations

from dataclasses import dataclass

from mixtura._typing import FloatArray
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.drift.comparison import Comparison, compare_sums
from mixtura.drift.drift_sums import drift_sums
from mixtura.drift.new_segment import NewSegment, find_new_segment
from mixtura.drift.reference_sample import Reference
from mixtura.drift.segment_drift import SegmentDrift, ShareChange, segment_drifts, share_changes
from mixtura.drift.verdict import Verdict, judge
from mixtura.select.priors import PriorName

__all__ = ["MixtureDrift", "mixture_drift"]


@dataclass(frozen=True, slots=True, eq=False)
class MixtureDrift:
    """What became of a mixture's rows.

    Parameters
    ----------
    comparison : Comparison
        Of all new rows.
    known_kinds : Comparison
        Of those that are not in a new segment: what became of the segments that the model has. Where there is no new
        segment, the same.
    shares : ShareChange
        Among the rows of known kinds.
    segments : tuple of SegmentDrift or None, length K
    new_segment : NewSegment or None
    verdict : Verdict
    """

    comparison: Comparison
    known_kinds: Comparison
    shares: ShareChange
    segments: tuple[SegmentDrift | None, ...]
    new_segment: NewSegment | None
    verdict: Verdict


def mixture_drift(
    mixture: Mixture,
    reference: Reference,
    data: Data,
    offsets: FloatArray | None = None,
    *,
    prior: PriorName | float = "floor",
) -> MixtureDrift:
    """Compare new rows with those that a mixture was learned from.

    Parameters
    ----------
    mixture : Mixture
    reference : Reference
        From `reference_of`, with the rows that the mixture was learned from.
    data : Data
        N new rows, as the mixture sees them.
    offsets : ndarray of shape (N,), optional
        What is added to the log density of each row; the reference had its own.
    prior : {"floor", "conjugate"} or float, default="floor"
        What keeps covariances from collapsing where a new segment is looked for.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import GaussianMixture
    >>> from mixtura.drift import mixture_drift, reference_of
    >>> from mixtura.engine import as_data
    >>> rng = np.random.RandomState(0)
    >>> rows, later = rng.standard_normal((2, 2000, 2))
    >>> later[:80] += 8.0
    >>> mixture = GaussianMixture(1).fit(rows).mixture_
    >>> found = mixture_drift(mixture, reference_of(as_data(rows), mixture), as_data(later))
    >>> found.verdict.word, round(found.new_segment.share, 2)
    ('refit', 0.04)
    """
    state = None if offsets is None else data.state_of(offsets)
    after = drift_sums(data, mixture, reference.cuts, state)
    discrete = None if mixture.levels is None else mixture.levels.columns
    comparison = compare_sums(reference, after, discrete)
    new = find_new_segment(data, mixture, comparison, offsets, prior=prior)
    known = comparison
    if new is not None:
        rest = drift_sums(data.weighted(data.state_of(1.0 - new.memberships)), mixture, reference.cuts, state)
        known = compare_sums(reference, rest, discrete)
    shares = share_changes(reference.sums, known.after)
    return MixtureDrift(comparison, known, shares, segment_drifts(known), new, judge(comparison, new, known))
