"""What the document says of customers whose segment is known, and of segments that are kept."""

from __future__ import annotations

from mixtura.segments.results.document_base import Number, Part

__all__ = ["ContradictionPart", "KeptPart", "KeptSegmentPart", "KnownPart", "KnownSegmentPart"]


class KnownSegmentPart(Part):
    """A segment, and how many customers came into it which way."""

    segment: int
    """Its number."""
    is_known: bool
    """Whether the column names it; it was found, otherwise."""
    known: int
    """Customers known to be in it."""
    free: int
    """Customers of whom nothing is known and who are put in it."""
    elsewhere: int
    """Of those known, how many are more probably in another segment."""


class ContradictionPart(Part):
    """A customer who is more probably in another segment than in the one known: the label may be wrong."""

    customer: str
    """Its id."""
    row: int
    """Its row in the table, from 0."""
    known: int
    """Number of the segment known."""
    probable: int
    """Number of the most probable segment; -1 for an outlier."""
    membership: float
    """Probability of the known segment, by the model alone."""
    probable_membership: float
    """Probability of the most probable one."""


class KnownPart(Part):
    """What became of customers whose segment is known, and of the others."""

    column: str
    """The column that says what is known."""
    n_known: int
    """Customers whose segment is known; they are in it."""
    n_free: int
    """Customers of whom nothing is known and who are in a segment."""
    n_elsewhere: int
    """Customers who are more probably in another segment than in the one known."""
    segments: list[KnownSegmentPart]
    """All segments, by number."""
    contradictions: list[ContradictionPart]
    """Those most probably elsewhere first, at most twenty."""


class KeptSegmentPart(Part):
    """A segment that was kept, or is new."""

    segment: int
    """Its number."""
    is_kept: bool
    """Whether it was kept; it is new, otherwise."""
    share_before: Number
    """Share that the earlier model expected; null for a new segment."""
    share: float
    """Share that is expected now, the weight of its component."""
    customers: int
    """Customers who are most probably in it."""


class KeptPart(Part):
    """What became of segments that were kept."""

    source: str
    """The table that the earlier model was learned from."""
    created: str
    """When it was learned."""
    n_new: int
    """Segments that are new."""
    criterion_without_new: Number
    """The criterion with the kept segments alone; null where that was not tried. Compare it with that of the choice."""
    segments: list[KeptSegmentPart]
    """All segments, those kept first."""
