"""Tables of customers to learn and to try things on; generated, seeded, the same everywhere."""

from __future__ import annotations

from typing import Any, Literal, overload

import narwhals as nw
import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import ParameterError

__all__ = ["customer_columns", "make_customers"]

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
        raise ParameterError(f"kind={kind!r} was given; it must be 'three' or 'five'. Try 'three'.") from None


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
