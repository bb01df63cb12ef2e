"""The column that says which segment some customers are known to be in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.core.parts.known_labels import known_levels
from mixtura.exceptions import ColumnError
from mixtura.io import NO_CODEBOOK, Codebook, is_missing_text
from mixtura.segments.table.discrete.cells import texts_of

__all__ = [
    "KnownColumn",
    "known_notes",
    "names_of_kept",
    "names_of_known",
    "number_notes",
    "numbered_as_known",
    "read_known",
    "segments_of_labels",
]

_MOST_LABELS = 50
"""With more labels than this a column names customers, not segments."""

_NAMED = 6
"""Labels that a note names at most."""


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
    notes : tuple of str, default=()
        How cells were read that are not what they seem.
    """

    column: str
    names: tuple[str, ...]
    labels: IntArray
    notes: tuple[str, ...] = ()

    def only(self, chosen: Array) -> KnownColumn:
        """Return what is known of some of the rows."""
        return replace(self, labels=self.labels[chosen])


def read_known(
    frame: Any, column: str, complete: Array, weights: FloatArray | None, codebook: Codebook = NO_CODEBOOK
) -> KnownColumn:
    """Return what a column says of the rows that are used; missing ones, texts such as NA, and -1 say nothing.

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
        No cell of the rows used has a value, more than fifty different ones have, or one is a negative number but -1.
    """
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    texts = [(text or "").strip() for text in texts_of(table[column])]
    held = codebook.column(column)
    nothing = {one for one in set(texts) if _says_nothing(one, column) and one not in held.labels}
    every = ["" if text in nothing else text for text in texts]
    cells = [cell for cell, used in zip(every, complete, strict=True) if used]
    counted = np.ones(len(cells), dtype=bool) if weights is None else weights > 0
    levels = _ordered({cell for cell, counts in zip(cells, counted, strict=True) if cell and counts})
    _require_segments(levels, column, len(cells))
    number = {level: k for k, level in enumerate(levels)}
    labels = np.array([number.get(cell, -1) for cell in cells], dtype=np.intp)
    shown = held.shown(levels) if any(level in held.labels for level in levels) else levels
    unread = Counter(text for text, used in zip(texts, complete, strict=True) if used and text in nothing)
    unused = Counter(cell for cell in every if cell and cell not in number)
    notes = (*_nothing_notes(column, unread), *_unused_notes(column, unused))
    return KnownColumn(column, tuple(shown), np.where(counted, labels, -1), notes)


def _says_nothing(text: str, column: str) -> bool:
    """Return whether a cell that is not empty says that nothing is known: NA and the like, and -1 as in arrays."""
    if not text:
        return False
    if is_missing_text(text):
        return True
    try:
        number = float(text)
    except ValueError:
        return False
    if number < 0 and number != -1:
        raise ColumnError(
            f"`known` must name a column of texts, or of numbers from 0; {column!r} has {text}. Put nothing, or -1, "
            "where the segment is not known.",
            column=column,
        )
    return number == -1


def _require_segments(levels: Sequence[str], column: str, n_rows: int) -> None:
    """Raise `ColumnError` where a column names no segment, or more than there can be."""
    if not levels:
        raise ColumnError(
            f"`known` must name a column in which some customers have a segment; {column!r} is missing in all of the "
            f"{n_rows:,} rows that are used. Fill in some, or leave out `known`.",
            column=column,
        )
    if len(levels) > _MOST_LABELS:
        raise ColumnError(
            f"`known` must name a column with the segment of some customers; {column!r} has {len(levels):,} different "
            f"values, such as {levels[0]!r} and {levels[1]!r}, and segments are at most {_MOST_LABELS}. Name another "
            "column, or leave out `known`.",
            column=column,
        )


def _nothing_notes(column: str, unread: Counter[str]) -> tuple[str, ...]:
    """Return a sentence on texts that are taken as missing."""
    if not unread:
        return ()
    said = ", ".join(f"{text!r} ({count:,})" for text, count in sorted(unread.items()))
    return (f"In {column} these stand for a segment that is not known: {said}.",)


def _unused_notes(column: str, unused: Counter[str]) -> tuple[str, ...]:
    """Return a sentence on labels that no row has that is used."""
    if not unused:
        return ()
    listed = [f"{label!r} ({count:,})" for label, count in sorted(unused.items())]
    more = f" and {len(listed) - _NAMED:,} more" if len(listed) > _NAMED else ""
    said = f"No segment has the name of {', '.join(listed[:_NAMED])}{more} of {column}"
    return (f"{said}: all rows with it are left out, as values are missing, or weigh nothing.",)


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
    notes = [*known.notes]
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


def _numbers_of(names: Sequence[str]) -> list[int] | None:
    """Return names that are whole numbers as such; None where one is not."""
    return [int(name) for name in names] if all(re.fullmatch("[0-9]{1,9}", name) for name in names) else None


def numbered_as_known(known: KnownColumn | None, mixture: Mixture, order: IntArray) -> IntArray:
    """Return the order of components in which those whose labels are numbers of segments have these numbers.

    Parameters
    ----------
    known : KnownColumn or None
    mixture : Mixture
        Of K components.
    order : ndarray of shape (K,)
        The components by size.

    Returns
    -------
    ndarray of shape (K,)
        As it was, unless all labels are different whole numbers from 1 to K.
    """
    numbers = None if known is None else _numbers_of(known.names)
    if (
        numbers is None
        or len(set(numbers)) < len(numbers)
        or not 1 <= min(numbers) <= max(numbers) <= len(order)
    ):
        return order
    found = np.full(len(order), -1, dtype=np.intp)
    found[np.array(numbers) - 1] = segments_of_labels(mixture)
    found[found < 0] = order[~np.isin(order, found)]
    return found


def number_notes(known: KnownColumn, places: IntArray) -> tuple[str, ...]:
    """Return a sentence where labels are whole numbers, and not those of their segments, (G,), from 0."""
    numbers = _numbers_of(known.names)
    if numbers is None or numbers == (places + 1).tolist():
        return ()
    pairs = [
        f"{name} is segment {place + 1}" for name, place in zip(known.names, places.tolist(), strict=True)
    ]
    more = f" and {len(pairs) - _NAMED} more" if len(pairs) > _NAMED else ""
    return (
        f"Labels of {known.column} are names, and segments are numbered by size: {', '.join(pairs[:_NAMED])}{more}.",
    )


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
