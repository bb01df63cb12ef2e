"""Segments of several components: memberships added up, and the components of each put together by their moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.core.parts.discrete import LevelTable
from mixtura.core.protocols import RowTable
from mixtura.exceptions import ParameterError
from mixtura.validation import Interval, require

__all__ = [
    "Groups",
    "check_merge",
    "grouped",
    "grouped_labels",
    "in_sequence",
    "require_single_components",
    "segment_labels",
    "united",
]

Groups: TypeAlias = tuple[tuple[int, ...], ...]
"""The components of each segment, from 0; empty where each component is a segment."""


def grouped(memberships: FloatArray, groups: Groups) -> FloatArray:
    """Return the probabilities of segments, shape (N, G), from those of components, shape (N, K).

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.merging.grouped import grouped
    >>> grouped(np.array([[0.5, 0.25, 0.25]]), ((0, 2), (1,)))
    array([[0.75, 0.25]])
    """
    if not groups:
        return memberships
    return np.stack([memberships[:, list(group)].sum(axis=1) for group in groups], axis=1)


def grouped_labels(memberships: FloatArray, *, noise: bool = False) -> IntArray:
    """Return the most probable segment of each row, (N,); with noise -1 where an outlier is more probable than any."""
    labels = np.asarray(memberships.argmax(axis=1), dtype=np.intp)
    if not noise:
        return labels
    return np.where(1.0 - memberships.sum(axis=1) > memberships.max(axis=1), -1, labels)


def segment_labels(mixture: Mixture, rows: RowTable, groups: Groups) -> IntArray:
    """Return the most probable segment of each row, as the mixture sees it, shape (N,)."""
    if not groups:
        return mixture.predict(rows)
    return grouped_labels(grouped(mixture.responsibilities(rows), groups))


def in_sequence(mixture: Mixture, groups: Groups, order: Sequence[int]) -> tuple[list[int], Groups]:
    """Return the order of the components in which those of a segment follow each other, and the groups in it.

    Parameters
    ----------
    mixture : Mixture
    groups : tuple of tuple of int
        The components of each segment.
    order : sequence of int
        Of the segments; components of a segment are ordered by their weight.
    """
    if not groups:
        return list(order), ()
    found, numbers = list[tuple[int, ...]](), list[int]()
    for segment in order:
        members = sorted(groups[segment], key=lambda k: -mixture.weights[k])
        found.append(tuple(range(len(numbers), len(numbers) + len(members))))
        numbers += members
    return numbers, tuple(found)


def united(mixture: Mixture, groups: Groups) -> Mixture:
    """Return a mixture with a component for each segment that has the mean and covariance of its parts together.

    It says where segments lie and how wide they are; densities are those of the mixture itself. With
    ``w_g = sum_k w_k``, ``mu_g = sum_k w_k mu_k / w_g`` and
    ``Sigma_g = sum_k w_k (Sigma_k + (mu_k - mu_g)(mu_k - mu_g)') / w_g``; levels have the mean probabilities.
    """
    if not groups:
        return mixture
    total = float(mixture.weights.sum())
    parts = [_shares(mixture, group) for group in groups]
    weights = np.array([mixture.weights[list(group)].sum() for group in groups])
    means = np.array([part @ mixture.means[list(group)] for part, group in zip(parts, groups, strict=True)])
    covariances, spreads = mixture.full_covariances(), list[FloatArray]()
    for part, group, mean in zip(parts, groups, means, strict=True):
        apart = mixture.means[list(group)] - mean
        within = np.einsum("k,kij->ij", part, covariances[list(group)])
        spreads.append(within + np.einsum("k,ki,kj->ij", part, apart, apart))
    found = Mixture.from_parameters(weights / total, means, np.array(spreads), "full")
    if mixture.background is not None:
        found = replace(found, weights=weights, offsets=None, background=mixture.background)
    return replace(found, levels=_levels(mixture.levels, groups, parts))


def _shares(mixture: Mixture, group: tuple[int, ...]) -> FloatArray:
    """Return the share of each component in its segment; equal ones where none has weight."""
    weights = mixture.weights[list(group)]
    return np.asarray(weights / weights.sum() if weights.sum() > 0 else np.full(len(group), 1 / len(group)))


def _levels(table: LevelTable | None, groups: Groups, parts: Sequence[FloatArray]) -> LevelTable | None:
    if table is None:
        return None
    logs = [
        np.log(np.exp(table.logs[:, list(group)]) @ part) for part, group in zip(parts, groups, strict=True)
    ]
    return LevelTable(table.columns, np.ascontiguousarray(np.stack(logs, axis=1)))


def require_single_components(groups: Groups, what: str) -> None:
    """Raise `ParameterError` where segments have several components, which `what` cannot do with."""
    if any(len(group) > 1 for group in groups):
        raise ParameterError(
            f"{what} needs segments of one component each; this model has segments that were merged. Segment without "
            "`merge`."
        )


def check_merge(asked: object, *, known: str | None = None, keep: object = None) -> None:
    """Raise `ParameterError` where `merge` is neither "auto" nor a number from 2, or goes with `known` or `keep`."""
    if asked is None:
        return
    if asked != "auto":
        if isinstance(asked, str):
            raise ParameterError(
                f"`merge` must be 'auto' or a number of segments from 2; got {asked!r}. Try `merge='auto'`."
            )
        require("merge", asked, Interval(2, whole=True), "Try `merge='auto'`.")
    for name, given in (("known", known), ("keep", keep)):
        if given is not None:
            raise ParameterError(
                f"`merge` cannot be given with `{name}`, which says what a component is. Leave one of them out."
            )
