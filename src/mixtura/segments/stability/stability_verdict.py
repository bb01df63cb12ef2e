"""What kind of segmentation it is: found in the data, supported by them, or made."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np

__all__ = ["PATTERN", "STABLE", "Verdict", "classify_stability", "is_stable"]

_GOOD, _POOR = 0.8, 0.65
"""Adjusted Rand index: good from the one on, poor below the other (Steinley 2004)."""

STABLE = 0.75
"""Mean Jaccard similarity from which on a segment is stable (Hennig 2007)."""

PATTERN = 0.6
"""Mean Jaccard similarity below which a segment should not be trusted (Hennig 2007)."""

_APART = 0.05
"""Expected misclassification up to which segments are apart: two round ones of equal size are then 3.3 deviations from
each other, and the density between them is half that of their centers."""


class Verdict(Enum):
    """What kind of segmentation it is (Dolnicar and Leisch 2010); `explanation` says what that means."""

    NATURAL = "natural"
    REPRODUCIBLE = "reproducible"
    PARTIAL = "partly reproducible"
    CONSTRUCTED = "constructed"
    SINGLE = "single"

    @property
    def explanation(self) -> str:
        """What it means for those who use the segments, in plain words."""
        return {
            Verdict.NATURAL: (
                "The customers form these groups: resamples give the same ones, and few customers are between them."
            ),
            Verdict.REPRODUCIBLE: (
                "There are no gaps between these segments, but resampled customers give the same ones: "
                "there is structure to build on, and the borders are a choice."
            ),
            Verdict.PARTIAL: (
                "Resampled customers give some of these segments again, and not others: build on the stable ones, and "
                "do not trust the unstable ones."
            ),
            Verdict.CONSTRUCTED: (
                "Resampled customers give other segments: the data do not say which. Segments may still be useful, but "
                "they are made, not found; judge them by their use, or try another number."
            ),
            Verdict.SINGLE: "There is a single segment with all customers.",
        }[self]


def classify_stability(adjusted_rand: float, jaccards: Sequence[float], expected_error: float) -> Verdict:
    """Return what kind of segmentation it is.

    ======================== ==============================================================================
    natural                  partitions agree well (adjusted Rand index of 0.8 or more: Steinley 2004), every segment is
                             stable (Jaccard similarity of 0.75 or more: Hennig 2007), and at most 5 % of the customers
                             are expected to be in the wrong segment
    reproducible             partitions agree at least moderately (0.65 or more: Steinley 2004), and every segment is at
                             least a pattern (Jaccard similarity of 0.6 or more: Hennig 2007)
    partly reproducible      partitions agree at least moderately, and a segment is unstable
    constructed              else
    ======================== ==============================================================================

    The three kinds are those of Dolnicar and Leisch (2010), who distinguish them by stability and
    separation; the thresholds are those of the papers named, but for the 5 %.

    Parameters
    ----------
    adjusted_rand : float
        Mean over pairs of resamples.
    jaccards : sequence of float
        Mean of each segment; NaN for one without customers.
    expected_error : float

    Examples
    --------
    >>> from mixtura.segments import classify_stability
    >>> classify_stability(0.9, [0.9, 0.8], 0.01).value, classify_stability(0.9, [0.9, 0.8], 0.2).value
    ('natural', 'reproducible')
    >>> classify_stability(0.9, [0.9, 0.3], 0.01).value, classify_stability(0.4, [0.9, 0.3], 0.01).value
    ('partly reproducible', 'constructed')
    """
    if len(jaccards) < 2:
        return Verdict.SINGLE
    if not adjusted_rand >= _POOR:
        return Verdict.CONSTRUCTED
    if is_stable(adjusted_rand, float(np.min(jaccards))) and expected_error <= _APART:
        return Verdict.NATURAL
    unstable = np.asarray(jaccards) < PATTERN
    return Verdict.PARTIAL if unstable.any() else Verdict.REPRODUCIBLE


def is_stable(adjusted_rand: float, least_jaccard: float) -> bool:
    """Return whether partitions of resamples agree well, and every segment is stable; not so where one is NaN."""
    return adjusted_rand >= _GOOD and least_jaccard >= STABLE
