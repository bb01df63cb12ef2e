"""The components of each segment, for a model that a search has chosen."""

from __future__ import annotations

from mixtura.segments.merging.grouped import Groups
from mixtura.segments.merging.segment_merging import merging_of
from mixtura.segments.table.prepare import Prepared
from mixtura.select import Candidate

__all__ = ["groups_to_make"]


def groups_to_make(asked: str | int | None, best: Candidate, prepared: Prepared, seed: int) -> Groups:
    """Return the components of each segment; empty where each is one.

    Parameters
    ----------
    asked : "auto", int or None
        See `SegmentMerging.groups`.
    best : Candidate
    prepared : Prepared
        Those who are in a segment.
    seed : int
        Of the sample by which components are compared.
    """
    if asked is None or best.mixture is None:
        return ()
    seen = prepared.scaling.seen(prepared.table)
    return merging_of(best.mixture, best.mixture.responsibilities(seen), prepared.weights, seed).groups(asked)
