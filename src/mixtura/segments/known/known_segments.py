"""What became of customers whose segment is known, and of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.parts.known_labels import without_known
from mixtura.segments.known.known_column import number_notes, segments_of_labels
from mixtura.segments.table.prepare import Prepared

if TYPE_CHECKING:
    from mixtura.segments.results.segmentation_result import SegmentationResult

__all__ = ["Contradiction", "KnownSegment", "KnownSegments", "known_content", "with_known_segments"]

_LISTED = 20
"""Customers that contradict their label most are listed."""


@dataclass(frozen=True, slots=True)
class KnownSegment:
    """A segment, and how many customers came into it which way.

    Parameters
    ----------
    segment : int
        From 0.
    is_known : bool
        Whether the column names it; it was found, otherwise.
    known : int
        Customers known to be in it.
    free : int
        Customers of whom nothing is known and who are put in it.
    elsewhere : int
        Of those known, how many are more probably in another segment.
    """

    segment: int
    is_known: bool
    known: int
    free: int
    elsewhere: int


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A customer who is more probably in another segment than in the one known.

    Parameters
    ----------
    row : int
        Of the table, from 0.
    customer : str
    known, probable : int
        Segments, from 0; -1 for an outlier.
    membership, probable_membership : float
        Probabilities of both, by the model alone.
    """

    row: int
    customer: str
    known: int
    probable: int
    membership: float
    probable_membership: float


@dataclass(frozen=True, slots=True, eq=False)
class KnownSegments:
    """What became of customers whose segment is known, and of the others.

    Parameters
    ----------
    column : str
        That says what is known.
    segments : tuple of KnownSegment
        In the order of the model.
    labels : ndarray of shape (n_complete,)
        Known segment of each customer in a segment, from 0; -1 where it is not known.
    contradictions : tuple of Contradiction
        At most twenty, those most probably elsewhere first.
    """

    column: str
    segments: tuple[KnownSegment, ...]
    labels: IntArray
    contradictions: tuple[Contradiction, ...]

    @property
    def n_known(self) -> int:
        return sum(one.known for one in self.segments)

    @property
    def n_free(self) -> int:
        return sum(one.free for one in self.segments)

    @property
    def n_elsewhere(self) -> int:
        """Customers who are more probably in another segment than in the one known."""
        return sum(one.elsewhere for one in self.segments)


def with_known_segments(result: SegmentationResult, prepared: Prepared) -> SegmentationResult:
    """Return a result with what became of known customers, and the model that later customers meet.

    Parameters
    ----------
    result : SegmentationResult
        Of customers whose known segments are fixed.
    prepared : Prepared
        Those in a segment.
    """
    known = prepared.known
    if known is None:
        return result
    places = segments_of_labels(result.model.mixture)
    model = replace(result.model, mixture=without_known(result.model.mixture))
    labels = np.where(known.labels >= 0, places[known.labels], -1)
    rows = np.flatnonzero(labels >= 0)
    memberships = model.memberships(prepared.columns_table[rows])
    assigned = result.assignment.labels[prepared.complete]
    found = KnownSegments(
        known.column,
        _segments(labels, assigned, places, rows, memberships, model.n_segments),
        labels,
        _contradictions(result, prepared, labels, rows, memberships),
    )
    notes = (*result.table_notes, *number_notes(known, places), *_doubt_notes(found, model.names))
    return replace(result, model=model, known=found, table_notes=notes)


def _doubt_notes(found: KnownSegments, names: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence where most labels look wrong, with the segments that hardly anybody else is in."""
    if found.n_elsewhere <= found.n_known / 2:
        return ()
    alone = [names[one.segment] for one in found.segments if one.known > one.free]
    named = (
        f" Mostly customers who are known are in {', '.join(map(repr, alone))}: no others are like them."
        if alone and found.n_free > found.n_known
        else ""
    )
    of = found.column
    said = (
        f"Of {found.n_known} customers known by {of} {found.n_elsewhere} look as if they were in another segment: the "
        f"columns hardly show what {of} says.{named} Segment without `known`, and describe the segments by {of}; or "
        "choose other `columns`."
    )
    return (said,)


def _most_probable(memberships: FloatArray) -> IntArray:
    """Return the most probable segment of each row, (n,); -1 where that is none of them."""
    outside = 1.0 - memberships.sum(axis=1)
    return np.where(outside > memberships.max(axis=1), -1, memberships.argmax(axis=1))


def _segments(
    labels: IntArray, assigned: IntArray, places: IntArray, rows: IntArray, memberships: FloatArray, k: int
) -> tuple[KnownSegment, ...]:
    elsewhere = _most_probable(memberships) != labels[rows]
    counts = (
        np.bincount(labels[rows], minlength=k),
        np.bincount(assigned[(labels < 0) & (assigned >= 0)], minlength=k),
        np.bincount(labels[rows[elsewhere]], minlength=k),
    )
    return tuple(
        KnownSegment(number, number in places, *(int(count[number]) for count in counts))
        for number in range(k)
    )


def _contradictions(
    result: SegmentationResult, prepared: Prepared, labels: IntArray, rows: IntArray, memberships: FloatArray
) -> tuple[Contradiction, ...]:
    probable, numbers = _most_probable(memberships), np.flatnonzero(prepared.complete)
    own = memberships[np.arange(len(rows)), labels[rows]]
    wrong = np.flatnonzero(probable != labels[rows])
    outside = 1.0 - memberships.sum(axis=1)
    return tuple(
        Contradiction(
            row=int(numbers[rows[i]]),
            customer=result.assignment.customer(int(numbers[rows[i]])),
            known=int(labels[rows[i]]),
            probable=int(probable[i]),
            membership=float(own[i]),
            probable_membership=float(outside[i] if probable[i] < 0 else memberships[i, probable[i]]),
        )
        for i in wrong[np.argsort(own[wrong], kind="stable")][:_LISTED]
    )


def known_content(found: KnownSegments | None) -> dict[str, Any] | None:
    """Return the part `known` of the document; None where nothing was known."""
    if found is None:
        return None
    return {
        "column": found.column,
        "n_known": found.n_known,
        "n_free": found.n_free,
        "n_elsewhere": found.n_elsewhere,
        "segments": [
            {
                "segment": one.segment + 1,
                "is_known": one.is_known,
                "known": one.known,
                "free": one.free,
                "elsewhere": one.elsewhere,
            }
            for one in found.segments
        ],
        "contradictions": [
            {
                "customer": one.customer,
                "row": one.row,
                "known": one.known + 1,
                "probable": one.probable + 1 if one.probable >= 0 else -1,
                "membership": one.membership,
                "probable_membership": one.probable_membership,
            }
            for one in found.contradictions
        ],
    }
