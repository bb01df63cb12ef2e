"""Segments of two models of the same rows: which are the same, which split, merged, appeared or vanished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["Matching", "SegmentEvent", "match_segments"]

_SAME = 1 / 3
"""Overlap, as a share of the union, from which on two segments are the same."""
_MOSTLY, _PARTLY = 0.5, 0.2

_Event: TypeAlias = tuple[str, tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class SegmentEvent:
    """What became of segments.

    Parameters
    ----------
    kind : {"kept", "split", "merged", "appeared", "vanished"}
    before, after : tuple of int
        Numbers of the segments concerned, from 0, of each model.
    """

    kind: str
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """Segments of one model matched with those of another.

    Parameters
    ----------
    overlap : ndarray of shape (K, L)
        Expected number of rows in a segment of the former and one of the latter.
    partners : tuple of int or None, length L
        The segment of the former that each of the latter continues.
    events : tuple of SegmentEvent
    """

    overlap: FloatArray
    partners: tuple[int | None, ...]
    events: tuple[SegmentEvent, ...]

    def numbers(self) -> tuple[int, ...]:
        """Return the number of each segment of the latter model, from 0: its partner's, or the next that is free."""
        free = len(self.overlap)
        found = []
        for partner in self.partners:
            found.append(free if partner is None else partner)
            free += partner is None
        return tuple(found)


def match_segments(before: FloatArray, after: FloatArray, unexpected: FloatArray | None = None) -> Matching:
    """Match the segments of two models by the rows that they share.

    Of all one-to-one assignments the one with the largest total overlap is taken, overlap as the share of the union,
    ``sum r s / (sum r + sum s - sum r s)`` (Jaccard), by the Hungarian method (Kuhn 1955); pairs that share less than a
    third are not the same segment.

    Parameters
    ----------
    before : ndarray of shape (N, K)
        Memberships of rows in the segments of the former model.
    after : ndarray of shape (N, L)
        In those of the latter.
    unexpected : ndarray of shape (N,), optional
        Where the former model does not expect a row: 1, otherwise 0. A segment of mostly such rows appeared, whichever
        one the former model would put them in.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.drift import match_segments
    >>> labels = np.repeat([0, 1, 2], 10)
    >>> halves = np.repeat([2, 1, 0, 3], [10, 10, 5, 5])
    >>> found = match_segments(np.eye(3)[labels], np.eye(4)[halves])
    >>> found.partners, [(one.kind, one.before, one.after) for one in found.events]
    ((2, 1, 0, None), [('kept', (1,), (1,)), ('kept', (0,), (2,)), ('split', (2,), (0, 3))])
    """
    from scipy.optimize import linear_sum_assignment

    known = after if unexpected is None else after * (1.0 - unexpected)[:, None]
    overlap = before.T @ known
    rows, columns = before.sum(axis=0)[:, None], after.sum(axis=0)[None, :]
    jaccard = overlap / np.maximum(rows + columns - overlap, 1e-300)
    partners: list[int | None] = [None] * after.shape[1]
    for i, j in zip(*linear_sum_assignment(-jaccard), strict=True):
        if jaccard[i, j] >= _SAME:
            partners[int(j)] = int(i)
    of_row, of_column = overlap / np.maximum(rows, 1e-300), overlap / np.maximum(columns, 1e-300)
    splits = _many_to_one(of_column, of_row)
    merges = _many_to_one(of_row.T, of_column.T)
    found: list[_Event] = [("split", (i,), many) for i, many in splits]
    found += [("merged", many, (j,)) for j, many in merges]
    return Matching(overlap, tuple(partners), _events(len(overlap), partners, found))


def _many_to_one(mostly: FloatArray, partly: FloatArray) -> list[tuple[int, tuple[int, ...]]]:
    """Return rows to which several columns mostly belong, each a good part of the row."""
    parts = (mostly >= _MOSTLY) & (partly >= _PARTLY)
    return [(i, tuple(map(int, np.flatnonzero(one)))) for i, one in enumerate(parts) if one.sum() > 1]


def _events(n_before: int, partners: list[int | None], changes: list[_Event]) -> tuple[SegmentEvent, ...]:
    """Return the events in the order: kept, split, merged, appeared, vanished; each segment in one of them."""
    old = {i for _, before, _ in changes for i in before}
    new = {j for _, _, after in changes for j in after}
    kept = [(i, j) for j, i in enumerate(partners) if i is not None and i not in old and j not in new]
    appeared = [j for j, i in enumerate(partners) if i is None and j not in new]
    vanished = [i for i in range(n_before) if i not in partners and i not in old]
    return (
        *(SegmentEvent("kept", (i,), (j,)) for i, j in kept),
        *(SegmentEvent(*one) for one in changes),
        *(SegmentEvent("appeared", (), (j,)) for j in appeared),
        *(SegmentEvent("vanished", (i,), ()) for i in vanished),
    )
