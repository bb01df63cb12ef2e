"""How well segments, and their number, are found again: the values that say it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura.segments.comparison.transitions import Flow
from mixtura.segments.stability.stability_verdict import PATTERN, STABLE, Verdict

__all__ = ["NumberStability", "SegmentStability", "Stability"]

_HIGHLY = 0.85
"""Jaccard similarity of highly stable segments (Hennig 2007)."""


@dataclass(frozen=True, slots=True)
class NumberStability:
    """How well a number of segments is found again.

    Parameters
    ----------
    n_segments : int
    adjusted_rand : float
        Mean over all pairs of resamples, of the agreement of their partitions of the original rows.
    lower, upper : float
        The 5th and 95th percentile over the pairs.
    n_bootstraps : int
        Resamples that a mixture could be learned from.
    """

    n_segments: int
    adjusted_rand: float
    lower: float
    upper: float
    n_bootstraps: int


@dataclass(frozen=True, slots=True)
class SegmentStability:
    """How well one segment is found again.

    Parameters
    ----------
    number : int
        From 1.
    name : str
    jaccard : float
        Mean over the resamples of the similarity to the most similar segment there; NaN for one without customers.
    lower, upper : float
        The 5th and 95th percentile.
    recovered : float
        Share of the resamples with a similarity of 0.75 or more.
    dissolved : float
        Share of the resamples with a similarity of 0.5 or less: half of the segment or more is elsewhere.
    """

    number: int
    name: str
    jaccard: float
    lower: float
    upper: float
    recovered: float
    dissolved: float

    @property
    def word(self) -> str:
        """``highly stable`` (0.85 and more), ``stable`` (0.75), ``a pattern`` (0.6) or ``unstable`` (Hennig 2007)."""
        steps = ((_HIGHLY, "highly stable"), (STABLE, "stable"), (PATTERN, "a pattern"))
        return next((word for least, word in steps if self.jaccard >= least), "unstable")


@dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """Whether the segments, and their number, are found again.

    Parameters
    ----------
    verdict : Verdict
    reason : str
        The numbers behind the verdict, in a sentence.
    n_segments : int
    overall : NumberStability
        Of the number of segments in question.
    numbers : tuple of NumberStability
        Of this and neighboring numbers, the fewest segments first.
    segments : tuple of SegmentStability
    expected_error : float
        Share of customers, by weight, expected to belong to another segment than the one they are put in.
    flows : tuple of Flow
        Customers from K - 1 to K and from K to K + 1 segments, as far as these were asked for.
    n_rows, n_rows_used : int
        Customers who count (those with a weight above zero, where there are weights), and those who were resampled.
    n_bootstraps, n_init : int
        Resamples asked for, and starts for each.
    seed : int
    """

    verdict: Verdict
    reason: str
    n_segments: int
    overall: NumberStability
    numbers: tuple[NumberStability, ...]
    segments: tuple[SegmentStability, ...]
    expected_error: float
    flows: tuple[Flow, ...]
    n_rows: int
    n_rows_used: int
    n_bootstraps: int
    n_init: int
    seed: int

    def __repr__(self) -> str:
        return f"<Stability of {self.n_segments} segments: {self.verdict.value}. {self.reason}>"

    @property
    def least_stable(self) -> SegmentStability | None:
        """The segment with the smallest similarity; None where there is a single one."""
        known = [one for one in self.segments if not np.isnan(one.jaccard)]
        return min(known, key=lambda one: one.jaccard) if len(self.segments) > 1 and known else None

    @property
    def sampled(self) -> bool:
        """Whether a sample was resampled, which makes segments look less stable than they are with all rows."""
        return self.n_rows_used < self.n_rows
