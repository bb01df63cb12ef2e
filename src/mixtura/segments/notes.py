"""What the user should hear about a segmentation."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw
import numpy as np

from mixtura.segments.assignment import Assignment
from mixtura.select import Candidate

__all__ = ["make_notes"]


def make_notes(ranking: Sequence[Candidate], best: Candidate, assignment: Assignment) -> tuple[str, ...]:
    """Return sentences: models passed over, tiny segments, a search cut short, rows left out, repeated ids."""
    notes = []
    passed, largest = ranking.index(best), max(candidate.n_components for candidate in ranking)
    if passed:
        notes.append(
            f"{_count(passed, 'model')} with a smaller criterion passed over: in each of them a segment has no more "
            "customers than there are columns, which makes them outliers and not a segment."
        )
    small = np.flatnonzero(assignment.counts <= 1)
    if small.size and best.n_components > 1:
        notes.append(
            f"Segments with at most one customer: {', '.join(str(k + 1) for k in small)}. Look at them as outliers, or "
            "ask for fewer segments with --components."
        )
    if 1 < best.n_components == largest and any(candidate.n_components < largest for candidate in ranking):
        notes.append(
            f"The best number of segments is the largest that was tried ({largest}). The table may have more "
            f"structure, or columns too skewed for a mixture of bells: try --components {largest}-{2 * largest}."
        )
    n_incomplete = int((~assignment.complete).sum())
    if n_incomplete:
        notes.append(f"{_count(n_incomplete, 'row')} with missing or infinite values: in no segment.")
    if best.outcome is not None and not best.converged:
        notes.append(best.outcome.explanation)
    if isinstance(assignment.ids, nw.Series) and assignment.ids.n_unique() < len(assignment.ids):
        notes.append(f"Values of {assignment.id_name!r} repeat; rows are told apart by their order only.")
    return tuple(notes)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
