"""Rows whose component is known, as they are given: checked, and left out of what was learned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray, IntArray
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.parts.known_labels import known_levels, with_known, without_known
from mixtura.core.protocols import MixedRows, RowTable
from mixtura.exceptions import ParameterError

if TYPE_CHECKING:
    from mixtura.select.model_search.ranking import SearchResult

__all__ = [
    "as_known",
    "n_known_components",
    "of_later_rows",
    "require_columns_for",
    "sizes_for_kept",
    "sizes_for_known",
    "table_with_known",
]

_WHAT = "`known` must be the number of its component for each of the {} rows, -1 where it is not known; got {}. {}"
_FILL = "Number the groups from 0, and put -1 where nothing is known."


def as_known(known: npt.ArrayLike, n_rows: int, weights: FloatArray | None = None) -> IntArray | None:
    """Return the components that rows are known to belong to, (N,); None where no row of positive weight is known.

    Parameters
    ----------
    known : array-like of shape (N,)
        Whole numbers from 0; -1 where nothing is known.
    n_rows : int
    weights : ndarray of shape (N,), optional
        Known rows of weight zero say nothing.

    Raises
    ------
    ParameterError
        They are not whole numbers of at least -1, one per row.

    Examples
    --------
    >>> from mixtura.select.known_rows import as_known
    >>> as_known([0, -1, 1], 3).tolist(), as_known([-1, -1], 2)
    ([0, -1, 1], None)
    """
    given: Any = np.asarray(known)
    if given.shape != (n_rows,):
        raise ParameterError(_WHAT.format(n_rows, f"shape {given.shape!r}", "Give one number per row."))
    if not (np.issubdtype(given.dtype, np.number) or given.dtype == bool):
        raise ParameterError(_WHAT.format(n_rows, f"values such as {given.ravel()[:1].tolist()!r}", _FILL))
    if given.dtype == bool or not np.isfinite(given).all():
        other = "truth values" if given.dtype == bool else "missing or infinite values"
        raise ParameterError(_WHAT.format(n_rows, other, _FILL))
    if (given < -1).any() or (given != np.rint(given)).any():
        wrong = given[(given < -1) | (given != np.rint(given))][0].item()
        raise ParameterError(_WHAT.format(n_rows, f"{wrong!r}", _FILL))
    labels = given.astype(np.intp)
    if weights is not None:
        labels = np.where(weights > 0, labels, -1)
    return labels if (labels >= 0).any() else None


def table_with_known(
    table: RowTable, known: npt.ArrayLike | None, weights: FloatArray | None = None
) -> RowTable:
    """Return rows with what is known of them, see `as_known`; as they are where nothing is."""
    labels = None if known is None else as_known(known, len(table), weights)
    return table if labels is None else with_known(table, labels)


def sizes_for_known(sizes: list[int], table: RowTable | Data) -> list[int]:
    """Return the numbers of components that are at least those known.

    Raises
    ------
    ParameterError
        None is.
    """
    if isinstance(table, Data) or not (n_known := n_known_components(table)):
        return sizes
    free = _n_free(table)
    enough = [size for size in sizes if n_known <= size <= n_known + free]
    if not enough:
        raise ParameterError(
            f"`components` must be at least {n_known}, the number of those that rows are known to belong to, and at "
            f"most {n_known + free}, with the rows that are not known; got {sizes!r}. Try `components=[{n_known}]`."
        )
    return enough


def _n_free(table: RowTable) -> int:
    """Return of how many rows nothing is known."""
    if not isinstance(table, MixedRows):
        return len(table)
    return int((table.levels[:, -1] == table.discrete.size - 1).sum())


def n_known_components(table: RowTable) -> int:
    """Return how many components rows are known to belong to: the largest number and one; 0 without any."""
    levels = known_levels(table.discrete) if isinstance(table, MixedRows) else None
    return 0 if levels is None else levels.stop - levels.start


_NOT_WITH_KEPT = (
    ("criterion", ("cv",), "bic"),
    ("robust", ("noise", "t", "auto"), "none"),
    ("prior", ("conjugate",), "floor"),
)
"""Parameters, their values that do not go with kept components, and one that does."""


def sizes_for_kept(
    sizes: list[int], keep: Mixture | None, table: RowTable | Data, *others: object
) -> list[int]:
    """Return the numbers of components that are at least those kept.

    Parameters
    ----------
    sizes : list of int
    keep : Mixture or None
    table : RowTable or Data
    *others
        Of the search: `criterion`, `robust` and `prior`.

    Raises
    ------
    ParameterError
        None is; the mixture is of other columns; or it is to be kept with what does not go with it.
    """
    if keep is None:
        return sizes
    width = table.n_features if isinstance(table, Data) else table.shape[1]
    if keep.n_features != width:
        raise ParameterError(
            f"`keep` must be a mixture of the columns of the rows, {width}; got one of {keep.n_features}. Give the "
            "rows as those that it was learned from."
        )
    discrete = table.discrete if isinstance(table, Data | MixedRows) else None
    levels = None if keep.levels is None else keep.levels.columns
    if known_levels(discrete) is not None:
        raise ParameterError("`known` and `keep` cannot both be given. Leave one of them out.")
    if (None if discrete is None else discrete.size) != (None if levels is None else levels.size):
        raise ParameterError(
            "`keep` must be a mixture of the same discrete columns, with the same levels. Give the rows as those that "
            "it was learned from."
        )
    for (name, bad, better), value in zip(_NOT_WITH_KEPT, others, strict=True):
        if value in bad:
            raise ParameterError(f"`{name}` cannot be {value!r} with `keep`. Try `{name}={better!r}`.")
    enough = [size for size in sizes if size >= keep.n_components]
    if not enough:
        raise ParameterError(
            f"`components` must be at least {keep.n_components}, those that are kept; got {max(sizes)} as the largest. "
            f"Try `components=range({keep.n_components}, {keep.n_components + 4})`."
        )
    return enough


def require_columns_for(robust: str, n_features: int) -> None:
    """Raise `ParameterError` where outliers are to be modeled and no column is continuous."""
    if n_features == 0 and robust != "none":
        raise ParameterError(
            f"`robust` needs a continuous column, as outliers lie far from others; got {robust!r} for discrete columns "
            "alone. Try `robust='none'`."
        )


def of_later_rows(found: SearchResult) -> SearchResult:
    """Return a search whose mixtures are as rows meet them of which nothing is known."""
    return replace(
        found,
        candidates=tuple(
            replace(
                one,
                mixture=None if one.mixture is None else without_known(one.mixture),
                result=None
                if one.result is None
                else replace(one.result, mixture=without_known(one.result.mixture)),
            )
            for one in found.candidates
        ),
    )
