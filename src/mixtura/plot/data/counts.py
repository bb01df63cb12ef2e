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
            f"`{what}` must be a matrix of finite numbers that are not negative; got shape {values.shape!r}, "
            f"{int((~((values >= 0) & np.isfinite(values))).sum())} of its values negative or not finite."
        )
    return values


def group_labels(what: str, names: Sequence[str] | None, count: int) -> list[str]:
    """Return number and name, as the legends of the other charts show them."""
    if names is None:
        return [str(k + 1) for k in range(count)]
    if len(names) != count:
        raise ParameterError(f"`{what}` must be {count} names, one each; got {list(names)!r}.")
    return [f"{k + 1}  {name}" for k, name in enumerate(names)]
