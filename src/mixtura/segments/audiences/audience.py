"""Soft audiences: lists of customers for a campaign. A customer may be on several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.exceptions import DataError, ParameterError
from mixtura.segments.jsonable import jsonable_fields
from mixtura.validation import Interval, require

__all__ = [
    "Audience",
    "AudienceLimits",
    "AudienceSummary",
    "Audiences",
    "combine_audiences",
    "find_segment",
    "select_audience",
]

_SOME = 10_000
"""Customers who may be held in vain before those who come first are looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Audience:
    """The customers that a campaign for one segment addresses.

    Parameters
    ----------
    segment : int
        From 0.
    name : str
        Of the segment.
    rule : str
        Who is in it, in words.
    rows : ndarray of shape (M,)
        Row numbers of the table, from 0; the most probable first, or with values those expected to be worth most.
    probability : ndarray of shape (M,)
        Membership of each in the segment.
    value : ndarray of shape (M,) or None
        What each is worth.
    expected_value : ndarray of shape (M,) or None
        Membership times value.
    n_customers : int
        Customers with a membership that there are to choose from.
    reach : int
        Customers in the audience, M.
    share : float
        Of all customers; with weights, of the total weight.
    expected_members : float
        How many of the audience are expected to belong to the segment: the sum of their memberships, weighted.
    expected_share : float
        Of the audience; NaN where nobody is in it.
    coverage : float
        Of all who are expected to belong to the segment, the share that the audience holds; NaN where nobody does.
    total_value : float or None
        Of the customers in the audience.
    total_expected_value : float or None
        The sum of `expected_value`, weighted.
    """

    segment: int
    name: str
    rule: str
    rows: IntArray
    probability: FloatArray
    value: FloatArray | None
    expected_value: FloatArray | None
    n_customers: int
    reach: int
    share: float
    expected_members: float
    expected_share: float
    coverage: float
    total_value: float | None
    total_expected_value: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without the list itself; the segment is numbered from 1."""
        lists = {"rows", "probability", "value", "expected_value"}
        return jsonable_fields(self, without=lists) | {"segment": self.segment + 1}


@dataclass(frozen=True, slots=True, eq=False)
class Audiences:
    """Several audiences of the same table.

    Parameters
    ----------
    audiences : tuple of Audience
        A of them.
    overlap : ndarray of shape (A, A)
        Customers in both; on the diagonal each one's reach.
    n_reached : int
        Customers in at least one.
    """

    audiences: tuple[Audience, ...]
    overlap: IntArray
    n_reached: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without the lists themselves."""
        return jsonable_fields(self)


def find_segment(names: Sequence[str], wanted: str | int) -> int:
    """Return the number, from 0, of a segment that is named by its name, the start of its name, or its number.

    Upper and lower case are the same. A whole name goes before the start of another, and both before a number.

    Parameters
    ----------
    names : sequence of str
    wanted : str or int
        A number counts from 1, as segments are printed.

    Raises
    ------
    ParameterError
        No segment is meant, or several.

    Examples
    --------
    >>> from mixtura.segments import find_segment
    >>> names = ["high income, low spending", "average", "low income"]
    >>> find_segment(names, "average"), find_segment(names, "LOW"), find_segment(names, 1)
    (1, 2, 0)
    """
    if wanted in names:
        return list(names).index(str(wanted))
    text = str(wanted).strip().casefold()
    folded = [name.casefold() for name in names]
    if text in folded:
        return folded.index(text)
    meant = [k for k, name in enumerate(folded) if text and name.startswith(text)]
    if len(meant) == 1:
        return meant[0]
    listed = ", ".join(f"{k + 1} {name!r}" for k, name in enumerate(names))
    if meant:
        among = " and ".join(repr(names[k]) for k in meant)
        raise ParameterError(
            f"`segment` must name one segment; got {wanted!r}, with which {len(meant)} names begin: {among}. Write "
            "more of the name, or its number."
        )
    if text.isdecimal() and 1 <= int(text) <= len(names):
        return int(text) - 1
    close = get_close_matches(text, folded, n=1, cutoff=0.5)
    hint = f"Did you mean {names[folded.index(close[0])]!r}?" if close else "Choose one of them."
    raise ParameterError(
        f"`segment` must be the name or number of a segment; got {wanted!r}. The segments are {listed}. {hint}"
    )


def select_audience(
    memberships: FloatArray,
    names: Sequence[str],
    segment: str | int,
    *,
    min_probability: float | None = None,
    top: int | None = None,
    value: FloatArray | None = None,
    min_expected_value: float | None = None,
    weights: FloatArray | None = None,
) -> Audience:
    """Choose the customers that a campaign for a segment addresses.

    Of those who pass all thresholds given, the first `top` are taken: the most probable, or where values are given
    those expected to be worth most (membership times value). Ties are taken in the order of the table.

    Parameters
    ----------
    memberships : ndarray of shape (N, K)
        Rows of NaN are in no segment, and in no audience.
    names : sequence of str, length K
    segment : str or int
        A name, the start of one, or a number from 1; see `find_segment`.
    min_probability : float or None, default=None
        From 0 to 1.
    top : int or None, default=None
        At least 1.
    value : ndarray of shape (N,) or None, default=None
        What each customer is worth, in the user's units. Customers with NaN are in no audience.
    min_expected_value : float or None, default=None
        In the units of `value`, which it needs.
    weights : ndarray of shape (N,) or None, default=None
        Customers count with their weight in shares and sums; reach is counted in rows.

    Raises
    ------
    ParameterError
        Nothing limits the audience, a limit is out of its range, or there is no such segment.
    DataError
        Nobody has a membership.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments import select_audience
    >>> memberships = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    >>> audience = select_audience(memberships, ["A", "B"], "A", min_probability=0.3)
    >>> audience.rows.tolist(), round(audience.expected_share, 2), round(audience.coverage, 2)
    ([0, 1], 0.65, 0.87)
    >>> worth = np.array([10.0, 80.0, 500.0])
    >>> select_audience(memberships, ["A", "B"], "A", top=2, value=worth).rows.tolist()
    [2, 1]
    """
    limits = AudienceLimits(min_probability, top, min_expected_value, valued=value is not None)
    summary = AudienceSummary(names, segment, limits)
    summary.add(memberships, value, weights)
    return summary.result()


@dataclass(frozen=True, slots=True)
class AudienceLimits:
    """Who is in an audience; parameters as of `select_audience`.

    Parameters
    ----------
    min_probability : float or None
    top : int or None
    min_expected_value : float or None
    valued : bool
        Whether customers have a value.

    Raises
    ------
    ParameterError
        There is no limit, or one is out of its range.
    """

    min_probability: float | None
    top: int | None
    min_expected_value: float | None
    valued: bool

    def __post_init__(self) -> None:
        _check_limits(self.min_probability, self.top, self.min_expected_value, valued=self.valued)


class AudienceSummary:
    """An audience that is chosen from customers who come a part at a time, in order; it holds only who may be in it.

    Parameters
    ----------
    names : sequence of str, length K
    segment : str or int
        As of `select_audience`.
    limits : AudienceLimits
    """

    def __init__(self, names: Sequence[str], segment: str | int, limits: AudienceLimits) -> None:
        self._k, self._names, self._limits = find_segment(names, segment), names, limits
        self._n_rows = self._n_known = 0
        # Sums over all customers with a membership: their weights, and the weights of those expected in the segment.
        self._sums = np.zeros(2)
        self._parts: list[tuple[Array, ...]] = []
        self._held = 0

    def add(self, memberships: FloatArray, value: FloatArray | None, weights: FloatArray | None) -> None:
        """Add customers; parameters as of `select_audience`."""
        probability, limits = memberships[:, self._k], self._limits
        counted = np.ones(len(memberships)) if weights is None else weights
        ranked = probability if value is None else probability * value
        known = ~np.isnan(ranked)
        self._n_known += int(known.sum())
        self._sums += (counted[known].sum(), counted[known] @ probability[known])
        chosen = known.copy()
        if limits.min_probability is not None:
            chosen &= probability >= limits.min_probability
        if value is not None and limits.min_expected_value is not None:
            chosen &= ranked >= limits.min_expected_value
        rows = np.flatnonzero(chosen)
        worth = ranked if value is None else value
        self._parts.append((rows + self._n_rows, probability[rows], worth[rows], ranked[rows], counted[rows]))
        self._n_rows, self._held = self._n_rows + len(memberships), self._held + rows.size
        if limits.top is not None and self._held > 2 * limits.top + _SOME:
            self._sort()

    def _sort(self) -> tuple[Array, ...]:
        """Keep the first, in their order."""
        found = [np.concatenate(one) for one in zip(*self._parts, strict=True)]
        order = np.lexsort((found[0], -found[3]))[: self._limits.top]
        kept = tuple(one[order] for one in found)
        self._parts, self._held = [kept], order.size
        return kept

    def result(self) -> Audience:
        """Return the audience; raise `DataError` where nobody can be in it."""
        if not self._n_known:
            lacking = "a membership and a value" if self._limits.valued else "a membership"
            raise DataError(
                f"None of {self._n_rows!r} customers has {lacking}. At least one is required. Check the columns of the "
                "table."
            )
        rows, probability, value, _, weights = self._sort()
        name = self._names[self._k]
        measured = self._measured(probability, value if self._limits.valued else None, weights)
        return Audience(
            segment=self._k,
            name=name,
            rule=_rule(name, self._limits),
            rows=rows,
            probability=probability,
            n_customers=self._n_known,
            reach=len(rows),
            **measured,
        )

    def _measured(
        self, probability: FloatArray, value: FloatArray | None, weights: FloatArray
    ) -> dict[str, Any]:
        total, population = self._sums.tolist()
        mass, members = float(weights.sum()), float(weights @ probability)
        expected = None if value is None else probability * value
        return {
            "value": value,
            "expected_value": expected,
            "share": _ratio(mass, total),
            "expected_members": members,
            "expected_share": _ratio(members, mass),
            "coverage": _ratio(members, population),
            "total_value": None if value is None else float(weights @ value),
            "total_expected_value": None if expected is None else float(weights @ expected),
        }


def combine_audiences(audiences: Sequence[Audience], n_rows: int) -> Audiences:
    """Count who is in several audiences of the same table of N rows.

    Parameters
    ----------
    audiences : sequence of Audience
    n_rows : int
    """
    within = np.zeros((len(audiences), n_rows), dtype=bool)
    for position, audience in enumerate(audiences):
        within[position, audience.rows] = True
    overlap = np.array([[np.count_nonzero(one & other) for other in within] for one in within], dtype=np.intp)
    return Audiences(tuple(audiences), overlap, int(within.any(axis=0).sum()))


def _check_limits(
    min_probability: float | None, top: int | None, min_expected_value: float | None, *, valued: bool
) -> None:
    if min_probability is None and top is None and min_expected_value is None:
        raise ParameterError(
            "An audience needs a limit: `min_probability`, `top` or `min_expected_value`; got none. Try "
            "`min_probability=0.3`."
        )
    if min_probability is not None:
        require("min_probability", min_probability, Interval(0, 1), "Try `min_probability=0.3`.")
    if top is not None:
        require("top", top, Interval(1, whole=True), "Try `top=1000`.")
    if min_expected_value is not None and not valued:
        raise ParameterError(
            f"`min_expected_value` needs the value of each customer; got {min_expected_value!r} without values. Name "
            "the column with `value`."
        )


def _rule(name: str, asked: AudienceLimits) -> str:
    limits = []
    if asked.min_probability is not None:
        limits.append(f"with a membership of {asked.min_probability:g} or more")
    if asked.min_expected_value is not None:
        limits.append(f"with an expected value of {asked.min_expected_value:g} or more")
    best = "by expected value" if asked.valued else "by membership"
    who = "customers" if asked.top is None else f"the first {asked.top:,} customers {best}"
    return " ".join([f"{name}:", who, " and ".join(limits)]).strip()


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
