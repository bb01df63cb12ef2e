"""What became of segments that were kept, and which are new."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtura.exceptions import ParameterError
from mixtura.segments.known.known_segments import KnownSegments, known_content
from mixtura.segments.table.prepare import Prepared

if TYPE_CHECKING:
    from mixtura.segments.results.segmentation_result import SegmentationResult

__all__ = ["KeptSegment", "KeptSegments", "known_parts", "require_resampled", "with_kept_segments"]


@dataclass(frozen=True, slots=True)
class KeptSegment:
    """A segment that was kept, or is new.

    Parameters
    ----------
    segment : int
        From 0.
    share_before : float or None
        Weight of its component in the earlier model; None for a new segment.
    share : float
        Its weight now.
    customers : int
        Customers who are most probably in it.
    """

    segment: int
    share_before: float | None
    share: float
    customers: int


@dataclass(frozen=True, slots=True)
class KeptSegments:
    """What became of segments that were kept.

    Parameters
    ----------
    source, created : str
        The table that the earlier model was learned from, and when.
    segments : tuple of KeptSegment
        Those kept first.
    criterion_without_new : float or None
        The criterion with the kept segments alone; None where that was not tried, or failed.
    """

    source: str
    created: str
    segments: tuple[KeptSegment, ...]
    criterion_without_new: float | None

    @property
    def n_new(self) -> int:
        return sum(one.share_before is None for one in self.segments)


def with_kept_segments(result: SegmentationResult, prepared: Prepared) -> SegmentationResult:
    """Return a result with what became of the segments that were kept, where some were."""
    kept = prepared.kept
    if kept is None:
        return result
    weights, before = result.model.mixture.weights, kept.mixture.weights
    labels = result.assignment.labels
    counts = np.bincount(labels[labels >= 0], minlength=len(weights))
    name = result.model.training.criterion
    alone = [one.criterion(name) for one in result.ranking if one.n_components == kept.n_segments]
    found = KeptSegments(
        kept.training.source,
        kept.training.created,
        tuple(
            KeptSegment(k, float(before[k]) if k < len(before) else None, float(weights[k]), int(counts[k]))
            for k in range(len(weights))
        ),
        min(alone) if alone and np.isfinite(min(alone)) else None,
    )
    return replace(result, kept=found)


def require_resampled(result: SegmentationResult) -> None:
    """Raise `ParameterError` where segments are kept, so that resamples say nothing of them."""
    if result.kept is not None:
        raise ParameterError(
            "Stability is measured of segments that are found; got some that are kept with `keep`, which stay whatever "
            "customers there are. Segment without `keep` to measure it."
        )


def known_parts(known: KnownSegments | None, kept: KeptSegments | None) -> dict[str, Any]:
    """Return the parts `known` and `kept` of the document."""
    return {"known": known_content(known), "kept": kept_content(kept)}


def kept_content(found: KeptSegments | None) -> dict[str, Any] | None:
    """Return the part `kept` of the document; None where nothing was kept."""
    if found is None:
        return None
    return {
        "source": found.source,
        "created": found.created,
        "n_new": found.n_new,
        "criterion_without_new": found.criterion_without_new,
        "segments": [
            {
                "segment": one.segment + 1,
                "is_kept": one.share_before is not None,
                "share_before": one.share_before,
                "share": one.share,
                "customers": one.customers,
            }
            for one in found.segments
        ],
    }
