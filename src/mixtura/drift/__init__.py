"""Change over time: what is different between two samples of rows, about one mixture, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names
from mixtura.drift.drift_sums import Cuts, DriftSums, drift_sums

if TYPE_CHECKING:
    from mixtura.drift.change import FAMILIES, Change
    from mixtura.drift.comparison import Comparison, Fall, compare_sums
    from mixtura.drift.gaussian_distances import hellinger_distance, symmetric_divergence
    from mixtura.drift.matching import Matching, SegmentEvent, match_segments
    from mixtura.drift.migration import Migration, membership_distances, migrate
    from mixtura.drift.new_segment import NewSegment, find_new_segment
    from mixtura.drift.overall_drift import MixtureDrift, mixture_drift
    from mixtura.drift.reference_sample import (
        Reference,
        reference_of,
        reference_of_fresh_rows,
        reference_of_model,
    )
    from mixtura.drift.segment_drift import SegmentDrift, ShareChange, segment_drifts, share_changes
    from mixtura.drift.verdict import VERDICTS, Verdict, judge

__all__ = [
    "FAMILIES",
    "VERDICTS",
    "Change",
    "Comparison",
    "Cuts",
    "DriftSums",
    "Fall",
    "Matching",
    "Migration",
    "MixtureDrift",
    "NewSegment",
    "Reference",
    "SegmentDrift",
    "SegmentEvent",
    "ShareChange",
    "Verdict",
    "compare_sums",
    "drift_sums",
    "find_new_segment",
    "hellinger_distance",
    "judge",
    "match_segments",
    "membership_distances",
    "migrate",
    "mixture_drift",
    "reference_of",
    "reference_of_fresh_rows",
    "reference_of_model",
    "segment_drifts",
    "share_changes",
    "symmetric_divergence",
]

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "change": "FAMILIES Change",
            "comparison": "Comparison Fall compare_sums",
            "gaussian_distances": "hellinger_distance symmetric_divergence",
            "matching": "Matching SegmentEvent match_segments",
            "migration": "Migration membership_distances migrate",
            "new_segment": "NewSegment find_new_segment",
            "overall_drift": "MixtureDrift mixture_drift",
            "reference_sample": "Reference reference_of reference_of_fresh_rows reference_of_model",
            "segment_drift": "SegmentDrift ShareChange segment_drifts share_changes",
            "verdict": "VERDICTS Verdict judge",
        },
    )
