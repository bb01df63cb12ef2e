"""Symmetric matrices as packed lower halves: (0,0) (1,0) (1,1) (2,0) ..., as kernels add them up."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mixtura._typing import FloatArray, IntArray

__all__ = ["diagonal_of_packed", "pack_lower", "unpack_lower"]


def unpack_lower(packed: FloatArray, n_features: int) -> FloatArray:
    """Return symmetric matrices (..., D, D) from packed lower halves (..., D(D+1)/2)."""
    return packed.take(_lower_positions(n_features), axis=-1)


def pack_lower(matrices: FloatArray) -> FloatArray:
    """Return packed lower halves (..., D(D+1)/2) of symmetric matrices (..., D, D)."""
    n_features = matrices.shape[-1]
    flat = matrices.reshape(*matrices.shape[:-2], n_features * n_features)
    return flat.take(_lower_entries(n_features), axis=-1)


@lru_cache(maxsize=64)
def diagonal_of_packed(n_features: int) -> IntArray:
    """Return where a packed lower half holds the diagonal, (D,)."""
    order = np.arange(n_features)
    return np.asarray(order * (order + 3) // 2, dtype=np.intp)


@lru_cache(maxsize=64)
def _lower_positions(n_features: int) -> IntArray:
    """Position in the packed lower half of each entry of a symmetric (D, D) matrix."""
    row, column = np.indices((n_features, n_features))
    high, low = np.maximum(row, column), np.minimum(row, column)
    return np.asarray(high * (high + 1) // 2 + low, dtype=np.intp)


@lru_cache(maxsize=64)
def _lower_entries(n_features: int) -> IntArray:
    """Position in a flattened (D, D) matrix of each entry of its packed lower half."""
    row, column = np.tril_indices(n_features)
    return np.asarray(row * n_features + column, dtype=np.intp)
