"""What the selection of columns found, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from mixtura.select import ColumnRole, ColumnSelection, Role

__all__ = ["selection_notes", "why_role"]

_SHOWN = 8
_VERY_STRONG, _STRONG, _POSITIVE = 10.0, 6.0, 2.0
"""Differences of BIC from which on evidence is called so (Kass and Raftery 1995)."""

_NOTHING = (
    "No column builds segments: for none is a mixture of several components better than a single distribution. All "
    "columns are used, as without `select_columns`; segments are parts of one whole."
)

_OFTEN = 0.8
"""Share of resamples below which a role is said not to be certain."""


def selection_notes(found: ColumnSelection | None, n_rows: int) -> tuple[str, ...]:
    """Return which columns build the segments and what is done with the others, and of which that is uncertain."""
    if found is None:
        return ()
    if not found.building:
        return (_NOTHING,)
    sentences = [_which(found)]
    unsure = [
        f"{one.name} ({100 * one.stability:.0f} %)"
        for one in found.columns
        if one.stability is not None and one.stability < _OFTEN
    ]
    if unsure:
        sentences.append(
            f"Not all columns have the same role in resamples of the customers: {_listed(unsure)}."
        )
    if found.n_rows < n_rows:
        sentences.append(f"Columns were selected in a sample of {found.n_rows:,} of {n_rows:,} customers.")
    return tuple(sentences)


def _which(found: ColumnSelection) -> str:
    parts = []
    if found.redundant:
        parts.append(f"{_listed(found.redundant)} {_verb(found.redundant, 'follow')} from them")
    if found.noise:
        parts.append(f"{_listed(found.noise)} {_be(found.noise)} independent of them")
    if not parts:
        return "All columns build the segments."
    return (
        f"{_listed(found.building)} {_verb(found.building, 'build')} the segments; {' and '.join(parts)}: described in "
        "the profiles, and not used to make segments."
    )


def why_role(one: ColumnRole) -> str:
    """Return what speaks for the role of a column, in a sentence."""
    if one.role is Role.BUILDING:
        return f"segments differ in it{_strength(one.evidence)}"
    if one.role is Role.REDUNDANT:
        return f"{100 * one.explained:.0f} % of its variance follows from {_listed(one.explained_by)}"
    return one.role.explanation


def _strength(evidence: float) -> str:
    steps = ((_VERY_STRONG, "very strong"), (_STRONG, "strong"), (_POSITIVE, "positive"))
    word = next((word for least, word in steps if evidence >= least), "weak")
    return "" if evidence != evidence else f": {word} evidence"


def _verb(names: Sequence[str], verb: str) -> str:
    return verb if len(names) > 1 else f"{verb}s"


def _be(names: Sequence[str]) -> str:
    return "are" if len(names) > 1 else "is"


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:_SHOWN])
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
