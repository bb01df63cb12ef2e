"""Tables of customers to learn and to try things on; generated, seeded, the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, Literal, NamedTuple, overload

import narwhals as nw
import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import ParameterError

__all__ = ["customer_columns", "make_customers", "make_mall_customers", "make_purchases"]

Kind = Literal["three", "five"]
Backend = Literal["pandas", "polars", "pyarrow"]

_COLUMNS: dict[str, tuple[str, ...]] = {
    "three": ("income", "spending"),
    "five": ("income", "spending", "age"),
}


def customer_columns(kind: Kind = "three") -> tuple[str, ...]:
    """Return the names of the columns of `make_customers`, in its order.

    Raises
    ------
    ParameterError
        There is no such kind.
    """
    try:
        return _COLUMNS[kind]
    except (KeyError, TypeError):
        raise ParameterError(f"`kind` must be 'three' or 'five'; got {kind!r}. Try `kind='three'`.") from None


@overload
def make_customers(
    n_samples: int = ..., kind: Kind = ..., random_state: int = ..., *, as_frame: None = ...
) -> FloatArray: ...
@overload
def make_customers(
    n_samples: int = ..., kind: Kind = ..., random_state: int = ..., *, as_frame: Backend
) -> Any: ...
def make_customers(
    n_samples: int = 300,
    kind: Kind = "three",
    random_state: int = 42,
    *,
    as_frame: Backend | None = None,
) -> FloatArray | Any:
    """Make a table of customers whose segments are known to be there.

    Parameters
    ----------
    n_samples : int, default=300
        Customers; the row number, from 0, is the customer's number.
    kind : {"three", "five"}, default="three"
        ``"three"``: three overlapping segments on income (thousand a year) and spending (score): scikit-learn's
        ``make_blobs`` at (40, 60), (70, 30), (20, 80) with standard deviations 8, 10, 7, multiplied by
        ``[[0.8, -0.4], [0.3, 0.9]]``, plus (0, 30).
        ``"five"``: five clearly separated segments on income, spending and age (years).
    random_state : int, default=42
        Seed.
    as_frame : {"pandas", "polars", "pyarrow"} or None, default=None
        Return a table with named columns instead of an array.

    Returns
    -------
    ndarray of shape (n_samples, 2) or (n_samples, 3), or a table

    Raises
    ------
    ParameterError
        There is no such kind.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> customers = make_customers()
    >>> customers.shape
    (300, 2)
    >>> make_customers(2, kind="five", as_frame="polars").columns
    ['income', 'spending', 'age']
    """
    columns = customer_columns(kind)
    customers = _three(n_samples, random_state) if kind == "three" else _five(n_samples, random_state)
    if as_frame is None:
        return customers
    values = dict(zip(columns, customers.T, strict=True))
    return nw.from_dict(values, backend=as_frame).to_native()


def _three(n_samples: int, seed: int) -> FloatArray:
    from sklearn.datasets import make_blobs

    blobs, _ = make_blobs(
        n_samples=n_samples, centers=[[40, 60], [70, 30], [20, 80]], cluster_std=[8, 10, 7], random_state=seed
    )
    return np.ascontiguousarray(blobs @ np.array([[0.8, -0.4], [0.3, 0.9]]) + np.array([0, 30]))


def _five(n_samples: int, seed: int) -> FloatArray:
    from sklearn.datasets import make_blobs

    centers = [[25, 20, 33], [30, 80, 35], [60, 50, 53], [95, 20, 58], [95, 85, 41]]
    blobs, _ = make_blobs(n_samples=n_samples, centers=centers, cluster_std=5.3, random_state=seed)
    return np.ascontiguousarray(blobs)


class _Visitors(NamedTuple):
    """A group of a mall's customers: its share, and means and standard deviations of its columns."""

    share: float
    income: tuple[float, float]
    score: tuple[float, float]
    age: tuple[float, float]
    men: float
    skewed: bool = False
    """Few earn a lot more than the others of the group."""


_MALL: Final = (
    _Visitors(0.405, (55.0, 9.0), (49.5, 6.5), (42.7, 30.0), 0.41),
    _Visitors(0.195, (86.5, 16.0), (82.1, 9.4), (32.7, 3.7), 0.46, skewed=True),
    _Visitors(0.175, (88.2, 16.4), (17.1, 10.0), (41.1, 11.3), 0.54, skewed=True),
    _Visitors(0.115, (26.3, 7.9), (20.9, 13.0), (45.2, 13.2), 0.39),
    _Visitors(0.110, (25.7, 7.6), (79.4, 10.5), (25.3, 5.3), 0.41),
)
_INCOMES, _SCORES, _AGES = (15, 140), (1, 99), (18, 70)
_SHAPE = 1.2
"""Of the gamma distribution of skewed incomes, above the least of their group."""


def make_mall_customers(n_samples: int = 200, random_state: int = 42, *, as_frame: Backend = "pandas") -> Any:
    """Make a table like that of a shopping mall which many introductions to segmentation use.

    It has the columns, the ranges and the five groups of that table, and none of its customers: a large group in the
    middle of income and score, and one toward each corner, of which the two with a high income are skewed.

    Parameters
    ----------
    n_samples : int, default=200
        Customers.
    random_state : int, default=42
        Seed.
    as_frame : {"pandas", "polars", "pyarrow"}, default="pandas"

    Returns
    -------
    table of n_samples rows
        Ordered by income. ``CustomerID``: from 1. ``Gender``: "Female" or "Male". ``Age``: years, 18 to 70.
        ``Annual Income (k$)``: whole thousands, 15 to 140. ``Spending Score (1-100)``: 1 to 99.

    Raises
    ------
    ParameterError
        `n_samples` is not a positive whole number.

    Notes
    -----
    Shares, means and standard deviations of the groups are those of five clusters of the real table's 200 customers
    (Kaggle, "Mall Customer Segmentation Data"), rounded.

    Examples
    --------
    >>> from mixtura.datasets import make_mall_customers
    >>> make_mall_customers(3, as_frame="polars").rows()
    [(1, 'Male', 28, 33, 74), (2, 'Female', 51, 45, 52), (3, 'Female', 22, 77, 8)]
    """
    n_samples = _count("n_samples", n_samples)
    rng = np.random.RandomState(random_state)
    groups = rng.choice(len(_MALL), n_samples, p=[one.share for one in _MALL])
    people = [_visitor(_MALL[group], rng) for group in groups]
    people.sort(key=lambda person: person[0])
    incomes, scores, ages, genders = zip(*people, strict=True)
    columns = {
        "CustomerID": range(1, n_samples + 1),
        "Gender": genders,
        "Age": ages,
        "Annual Income (k$)": incomes,
        "Spending Score (1-100)": scores,
    }
    return _frame(columns, as_frame)


def _visitor(group: _Visitors, rng: np.random.RandomState) -> tuple[int, int, int, str]:
    """Return income, score, age and gender of one customer."""
    mean, spread = group.income
    least = mean - spread * _SHAPE**0.5

    def income() -> float:
        return least + rng.gamma(_SHAPE, spread / _SHAPE**0.5) if group.skewed else rng.normal(mean, spread)

    return (
        _within(_INCOMES, income),
        _within(_SCORES, lambda: rng.normal(*group.score)),
        _within(_AGES, lambda: rng.normal(*group.age)),
        "Male" if rng.uniform() < group.men else "Female",
    )


def _within(limits: tuple[int, int], draw: Callable[[], float]) -> int:
    """Draw until the value, rounded, lies within the limits; values moved onto a limit would be a spike there."""
    while True:
        value = round(draw())
        if limits[0] <= value <= limits[1]:
            return value


_FIRST_DAY, _LAST_DAY, _FIRST_DAYS = date(1997, 1, 1), date(1998, 6, 30), 84
_RATE, _DROPOUT, _AMOUNT = (0.243, 4.414), (0.793, 2.426), (6.25, 3.74, 15.44)
_PRICE = 15.0
"""Dollars per disc, about."""


def make_purchases(n_customers: int = 5000, random_state: int = 42, *, as_frame: Backend = "pandas") -> Any:
    """Make the purchases of a cohort of customers, as a shop's till records them: a row per purchase.

    Customers of a music shop who first bought in the first twelve weeks of 1997, until the end of June 1998. Some buy
    often, half never again, and nobody says goodbye: made by a process whose parameters were estimated from such a
    shop's real records.

    Parameters
    ----------
    n_customers : int, default=5000
    random_state : int, default=42
        Seed.
    as_frame : {"pandas", "polars", "pyarrow"}, default="pandas"

    Returns
    -------
    table
        ``customer_id``: from 1. ``date``: a whole number, yyyymmdd. ``number_of_cds``: discs bought, 1 or more.
        ``dollar_value``: of the purchase. Ordered by customer and date.

    Raises
    ------
    ParameterError
        `n_customers` is not a positive whole number.

    Notes
    -----
    A customer buys at a rate (per week) from Gamma(0.243, 4.414), and after each repeated purchase drops out with
    a probability from Beta(0.793, 2.426): the BG/NBD process and its estimates of Fader, Hardie and Lee (2005),
    Marketing Science 24, 275-284. The amounts follow the gamma-gamma model with p = 6.25, q = 3.74 and gamma = 15.44 of
    Fader, Hardie and Lee (2005), Journal of Marketing Research 42, 415-430. Both are of the CDNOW records.

    Examples
    --------
    >>> from mixtura.datasets import make_purchases
    >>> make_purchases(2, as_frame="polars").rows()[:3]
    [(1, 19970220, 2, 23.8), (2, 19970307, 2, 24.07), (2, 19980118, 2, 36.37)]
    """
    n_customers = _count("n_customers", n_customers)
    rng = np.random.RandomState(random_state)
    rows = [
        (customer, *purchase) for customer in range(1, n_customers + 1) for purchase in _purchases_of_one(rng)
    ]
    names = ("customer_id", "date", "number_of_cds", "dollar_value")
    return _frame(dict(zip(names, zip(*rows, strict=True), strict=True)), as_frame)


def _purchases_of_one(rng: np.random.RandomState) -> list[tuple[int, int, float]]:
    """Return date, discs and dollars of all purchases of one customer."""
    shape, weeks = _RATE
    per_day = rng.gamma(shape, 1 / (7 * weeks))
    leaves = rng.beta(*_DROPOUT)
    p, q, scale = _AMOUNT
    per_dollar = rng.gamma(q, 1 / scale)
    day, end = rng.uniform(0, _FIRST_DAYS), (_LAST_DAY - _FIRST_DAY).days + 1
    found = []
    while day < end:
        dollars = round(rng.gamma(p, 1 / per_dollar), 2)
        bought = _FIRST_DAY + timedelta(days=int(day))
        found.append((int(bought.strftime("%Y%m%d")), max(1, round(dollars / _PRICE)), dollars))
        if len(found) > 1 and rng.uniform() < leaves:
            break
        # A rate may be so small that the time to wait is beyond every number.
        day += rng.exponential() / max(per_day, 1e-12)
    return found


def _count(name: str, given: object) -> int:
    if not isinstance(given, int | np.integer) or isinstance(given, bool) or given < 1:
        raise ParameterError(
            f"`{name}` must be a whole number of at least 1; got {given!r}. Try `{name}=200`."
        )
    return int(given)


def _frame(columns: Mapping[str, Sequence[Any]], backend: Backend) -> Any:
    return nw.from_dict({name: list(values) for name, values in columns.items()}, backend=backend).to_native()
