"""The column that says which segment some customers are known to be in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.core.parts.known_labels import known_levels
from mixtura.exceptions import ColumnError
from mixtura.io import NO_CODEBOOK, Codebook
from mixtura.segments.table.discrete.cells import texts_of

__all__ = [
    "KnownColumn",
    "known_notes",
    "names_of_kept",
    "names_of_known",
    "read_known",
    "segments_of_labels",
]

_MOST_LABELS = 50
"""With more labels than this a column names customers, not segments."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownColumn:
    """Which segment some customers are known to be in.

    Parameters
    ----------
    column : str
        Its name.
    names : tuple of str
        The segments that it names.
    labels : ndarray of shape (n_complete,)
        Number of the name of each row that is used; -1 where it is missing.
    """

    column: str
    names: tuple[str, ...]
    labels: IntArray

    def only(self, chosen: Array) -> KnownColumn:
        """Return what is known of some of the rows."""
        return replace(self, labels=self.labels[chosen])


def read_known(
    frame: Any, column: str, complete: Array, weights: FloatArray | None, codebook: Codebook = NO_CODEBOOK
) -> KnownColumn:
    """Return what a column says of the rows that are used; missing ones say nothing.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        N rows.
    column : str
    complete : ndarray of shape (N,), bool
        Which rows are used.
    weights : ndarray of shape (n_complete,) or None
        A customer of weight zero is not known.
    codebook : Codebook, default=NO_CODEBOOK
        With labels of the values.

    Raises
    ------
    ColumnError
        No cell of the rows used has a value, or more than fifty different ones have.
    """
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    cells = [
        (text or "").strip() for text, used in zip(texts_of(table[column]), complete, strict=True) if used
    ]
    counted = np.ones(len(cells), dtype=bool) if weights is None else weights > 0
    levels = _ordered({cell for cell, counts in zip(cells, counted, strict=True) if cell and counts})
    if not levels:
        raise ColumnError(
            f"`known` must name a column in which some customers have a segment; {column!r} is missing in all of the "
            f"{len(cells):,} rows that are used. Fill in some, or leave out `known`.",
            column=column,
        )
    if len(levels) > _MOST_LABELS:
        raise ColumnError(
            f"`known` must name a column with the segment of some customers; {column!r} has {len(levels):,} different "
            f"values, such as {levels[0]!r} and {levels[1]!r}, and segments are at most {_MOST_LABELS}. Name another "
            "column, or leave out `known`.",
            column=column,
        )
    number = {level: k for k, level in enumerate(levels)}
    labels = np.array([number.get(cell, -1) for cell in cells], dtype=np.intp)
    held = codebook.column(column)
    shown = held.shown(levels) if any(level in held.labels for level in levels) else levels
    return KnownColumn(column, tuple(shown), np.where(counted, labels, -1))


def _ordered(levels: set[str]) -> list[str]:
    """Return levels in their order: of numbers that of the numbers."""
    try:
        return sorted(levels, key=float)
    except ValueError:
        return sorted(levels)


def known_notes(known: KnownColumn | None, n_columns: int) -> tuple[str, ...]:
    """Return sentences on labels of few rows, and on tables of which all rows are known."""
    if known is None:
        return ()
    counts = np.bincount(known.labels[known.labels >= 0], minlength=len(known.names))
    few = [
        f"{name} ({count})"
        for name, count in zip(known.names, counts.tolist(), strict=True)
        if count <= n_columns
    ]
    notes = []
    if (known.labels >= 0).all():
        notes.append(
            f"The segment of every customer is known by {known.column}: nothing is left to divide, and the "
            "segments are described as they are (discriminant analysis)."
        )
    if few:
        notes.append(
            f"Known by {known.column} are no more customers than there are columns in {', '.join(few)}: where such a "
            "segment lies and how wide it is, is decided by customers of whom nothing is known."
        )
    return tuple(notes)


def segments_of_labels(mixture: Mixture) -> IntArray:
    """Return which component each label is of, (G,)."""
    table = mixture.levels
    levels = None if table is None else known_levels(table.columns)
    if table is None or levels is None:
        return np.empty(0, dtype=np.intp)
    return np.asarray(table.logs[levels].argmax(axis=1), dtype=np.intp)


def names_of_known(known: KnownColumn | None, mixture: Mixture, automatic: Sequence[str]) -> tuple[str, ...]:
    """Return the names of segments: those known have their label, the others the names that they are given.

    Of the latter one that is a label, too, is marked as new.
    """
    if known is None:
        return tuple(automatic)
    names = list(automatic)
    places = segments_of_labels(mixture)
    for place, name in zip(places.tolist(), known.names, strict=True):
        names[place] = name
    new = set(range(len(names))) - set(places.tolist())
    return tuple(
        f"{name} (new)" if k in new and name in known.names else name for k, name in enumerate(names)
    )


def names_of_kept(kept: Sequence[str], automatic: Sequence[str]) -> tuple[str, ...]:
    """Return the names of segments: the first are those that are kept, the others new.

    Examples
    --------
    >>> from mixtura.segments.known.known_column import names_of_kept
    >>> names_of_kept(["savers", "low income"], ["high income", "average", "low income"])
    ('savers', 'low income', 'low income (new)')
    """
    others = automatic[len(kept) :]
    return (*kept, *(f"{name} (new)" if name in kept else name for name in others))
