"""Soft audiences: lists of customers for a campaign. A customer may be on several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.exceptions import DataError, ParameterError
from mixtura.segments.jsonable import jsonable_fields
from mixtura.validation import Interval, require

__all__ = ["Audience", "Audiences", "combine_audiences", "find_segment", "select_audience"]


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
    _check_limits(min_probability, top, value, min_expected_value)
    k = find_segment(names, segment)
    probability, counted = memberships[:, k], np.ones(len(memberships)) if weights is None else weights
    worth = None if value is None else probability * value
    known = ~np.isnan(probability if worth is None else worth)
    if not known.any():
        raise DataError(
            f"None of {len(memberships)!r} customers has a membership{'' if value is None else ' and a value'}. At "
            "least one is required. Check the columns of the table."
        )
    chosen = known.copy()
    if min_probability is not None:
        chosen &= probability >= min_probability
    if worth is not None and min_expected_value is not None:
        chosen &= worth >= min_expected_value
    rows = np.flatnonzero(chosen)
    ranked = probability if worth is None else worth
    rows = rows[np.argsort(-ranked[rows], kind="stable")][:top]
    rule = _rule(names[k], min_probability, top, min_expected_value, valued=value is not None)
    return _measured(k, names[k], rule, rows, probability, value, counted, known)


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
    min_probability: float | None,
    top: int | None,
    value: FloatArray | None,
    min_expected_value: float | None,
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
    if min_expected_value is not None and value is None:
        raise ParameterError(
            f"`min_expected_value` needs the value of each customer; got {min_expected_value!r} without values. Name "
            "the column with `value`."
        )


def _rule(
    name: str,
    min_probability: float | None,
    top: int | None,
    min_expected_value: float | None,
    *,
    valued: bool,
) -> str:
    limits = []
    if min_probability is not None:
        limits.append(f"with a membership of {min_probability:g} or more")
    if min_expected_value is not None:
        limits.append(f"with an expected value of {min_expected_value:g} or more")
    best = "by expected value" if valued else "by membership"
    who = "customers" if top is None else f"the first {top:,} customers {best}"
    return " ".join([f"{name}:", who, " and ".join(limits)]).strip()


def _measured(
    segment: int,
    name: str,
    rule: str,
    rows: IntArray,
    probability: FloatArray,
    value: FloatArray | None,
    weights: FloatArray,
    known: np.ndarray[Any, np.dtype[np.bool_]],
) -> Audience:
    counted, likely = weights[rows], probability[rows]
    total, mass = float(weights[known].sum()), float(counted.sum())
    members, population = float(counted @ likely), float(weights[known] @ probability[known])
    worth = None if value is None else value[rows]
    expected = None if worth is None else likely * worth
    return Audience(
        segment=segment,
        name=name,
        rule=rule,
        rows=rows,
        probability=likely,
        value=worth,
        expected_value=expected,
        n_customers=int(known.sum()),
        reach=len(rows),
        share=_ratio(mass, total),
        expected_members=members,
        expected_share=_ratio(members, mass),
        coverage=_ratio(members, population),
        total_value=None if worth is None else float(counted @ worth),
        total_expected_value=None if expected is None else float(counted @ expected),
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
