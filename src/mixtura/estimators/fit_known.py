"""Rows whose component is known, as estimators are given them."""

from __future__ import annotations

from typing import Any

import numpy as np

import mixtura.fit.init as starts
from mixtura._typing import FloatArray, IntArray, RowArray
from mixtura.core.data import Data
from mixtura.core.parts.known_labels import known_levels
from mixtura.engine import as_data
from mixtura.exceptions import ParameterError
from mixtura.select.known_rows import n_known_components, table_with_known

__all__ = ["data_with_known", "keep_known", "start_with_known"]


def data_with_known(
    data: Data, rows: RowArray | None, weights: FloatArray | None, known: Any, n_components: int
) -> Data:
    """Return rows to fit with what is known of them.

    Raises
    ------
    ParameterError
        Rows are on a cluster, or `known` is not a number from -1 to K-1 for each.
    """
    if known is None:
        return data
    if rows is None:
        raise ParameterError(
            "`known` takes rows in memory; got rows that are read in blocks. Try a sample with all that are known."
        )
    table = table_with_known(rows, known, weights)
    if n_known_components(table) > n_components:
        raise ParameterError(
            f"`known` must be from -1 to {n_components - 1}, with {n_components} components; got "
            f"{n_known_components(table) - 1}. Ask for more components, or number groups from 0."
        )
    return data if table is rows else as_data(table, weights)


def start_with_known(start: starts.Initialization, data: Data, init_params: Any) -> starts.Initialization:
    """Return a start that keeps known rows where they belong; for ``"kmeans"`` from these rows, too."""
    if known_levels(data.discrete) is None:
        return start
    if isinstance(init_params, str) and init_params == "kmeans":
        return starts.BestOf([starts.FromKnown(), starts.WithKnown(start)])
    return starts.WithKnown(start)


def keep_known(labels: IntArray, known: Any) -> IntArray:
    """Return labels, (N,), in which known rows have theirs."""
    if known is None:
        return labels
    given: Any = np.asarray(known)
    return np.where(given >= 0, given, labels).astype(labels.dtype)
