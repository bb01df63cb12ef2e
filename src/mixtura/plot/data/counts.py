"""Matrices of counts between two groupings, and the labels of their groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.exceptions import ParameterError

__all__ = ["group_labels", "non_negative_matrix"]


def non_negative_matrix(what: str, given: npt.ArrayLike) -> FloatArray:
    """Return the matrix as an array; `what` names the parameter in the error."""
    values = np.array(given, dtype=np.float64)
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all() or values.min() < 0:
        raise ParameterError(
            f"{what} of shape {values.shape!r} was given; a matrix of numbers that are finite and not negative is "
            "required."
        )
    return values


def group_labels(what: str, names: Sequence[str] | None, count: int) -> list[str]:
    """Return number and name, as the legends of the other charts show them."""
    if names is None:
        return [str(k + 1) for k in range(count)]
    if len(names) != count:
        raise ParameterError(f"{what}={list(names)!r} were given; {count} names are required, one each.")
    return [f"{k + 1}  {name}" for k, name in enumerate(names)]
