"""Which components are parts of one group: their merging, how much each two overlap, and where to stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import RowTable
from mixtura.segments.merging.grouped import Groups
from mixtura.segments.merging.merged_segments import drawn_customers, has_customers, merge_segments
from mixtura.segments.merging.valleys import Valleys
from mixtura.segments.model.robust_file import components_alone
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.select import Merging

__all__ = ["VALLEY", "MergeStep", "OneGroup", "SegmentMerging", "merging_of", "merging_of_model"]

_OVERLAP = 0.05
"""Share of the largest entropy that two clusters of one group reach: of equal Gaussians 4.5 deviations apart."""

_OVERLAP_OF_LEVELS = 0.24
"""The same where there are discrete columns, whose densities have no valleys: 3 deviations apart."""

VALLEY = 1 / 3
"""How high the density stays between parts of one group, as a share of the lower peak: 3.8 deviations apart."""

_NEARLY_ALL = 0.95
"""Share of the customers from which on a segment says no more than one of all would."""

_NO_VALLEY, _CLEAR_OVERLAP = 0.9, 0.39
"""From here on two components are one group even where nobody asked: 2.4 deviations apart. So much overlap is asked for
where there are discrete columns."""


@dataclass(frozen=True, slots=True)
class OneGroup:
    """When two clusters are one group: they overlap, and no valley lies between them.

    Parameters
    ----------
    continuous, discrete : bool
        Which columns there are: without continuous ones there are no valleys; with discrete ones more overlap is asked
        for, as these may lie apart where no valley is seen.
    """

    continuous: bool
    discrete: bool

    def holds(self, overlap: float, valley: float) -> bool:
        """Return whether the overlap is enough, and the density between is a third of the lower peak or more."""
        return overlap >= (_OVERLAP_OF_LEVELS if self.discrete else _OVERLAP) and not valley < VALLEY

    def is_clear(self, overlap: float, valley: float) -> bool:
        """Return whether it is so clear that it is said where nobody asked."""
        return not valley < _NO_VALLEY and (overlap >= _CLEAR_OVERLAP or not self.discrete)


@dataclass(frozen=True, slots=True)
class MergeStep:
    """Two clusters of components become one.

    Parameters
    ----------
    left, right : tuple of int
        Their components, from 0.
    n_segments : int
        How many clusters there are afterwards.
    overlap : float
        Entropy between the two, as a share of the most possible for two of their sizes: 0 apart, 1 where all
        customers are in both by the same proportion.
    valley : float
        How high the density stays between them, as a share of the lower peak, see `valley_between`; NaN without
        continuous columns.
    without_customers : bool
        Whether one of the two is the most probable of no customer, and so is one group with any other.
    n_empty : int
        Clusters without customers afterwards.
    """

    left: tuple[int, ...]
    right: tuple[int, ...]
    n_segments: int
    overlap: float
    valley: float
    without_customers: bool = False
    n_empty: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class SegmentMerging:
    """The merging of the components of a model.

    Parameters
    ----------
    merging : Merging
    steps : tuple of MergeStep
        In the order made.
    rule : OneGroup
        Which clusters are one group.
    shares : ndarray of shape (K,)
        Of the components, in the customers that are in a segment.
    may_offer : bool, default=True
        Whether merging goes with what else was asked for, so that it may be offered.
    """

    merging: Merging
    steps: tuple[MergeStep, ...]
    rule: OneGroup
    shares: FloatArray
    may_offer: bool = True

    def is_one_group(self, step: MergeStep) -> bool:
        """Return whether two clusters are parts of one group; a cluster without customers is one with any other."""
        return step.without_customers or self.rule.holds(step.overlap, step.valley)

    @property
    def suggested(self) -> int:
        """How many clusters are left once all that are one group are merged."""
        number = self.merging.n_components
        for step in self.steps:
            if not self.is_one_group(step):
                break
            number = step.n_segments
        return number

    @property
    def largest(self) -> float:
        """Share of the customers that is expected in the largest of the `suggested` clusters."""
        return max(float(self.shares[list(group)].sum()) for group in self.merging.groups(self.suggested))

    @property
    def is_one_cloud(self) -> bool:
        """Whether nearly all customers are one group: segments would be that one, and a few beside it."""
        return self.suggested < self.merging.n_components and self.largest >= _NEARLY_ALL

    @property
    def offered(self) -> int | None:
        """How many segments to offer where merging was not asked for; None where nothing speaks for it clearly.

        Two components with a valley between them may as well be two groups that overlap. Where there is hardly any
        valley, or three and more follow each other as in a bent group, they are parts of one.
        """
        number = self.suggested
        if not self.may_offer or self.is_one_cloud or not 1 < number < self.merging.n_components:
            return None
        made = [step for step in self.steps if step.n_segments >= number]
        is_bent = any(len(step.left + step.right) > 2 for step in made)
        return (
            number if is_bent or all(self.rule.is_clear(step.overlap, step.valley) for step in made) else None
        )

    def groups(self, asked: str | int | None) -> Groups:
        """Return the components of each segment; empty where nothing is merged.

        Parameters
        ----------
        asked : "auto", int or None
            With ``"auto"`` the number is `suggested`, unless that is one, or one of them has 95 % of the customers:
            such a segment would say nothing. Of the clusters that a number gives none is without customers: where one
            would be, there are fewer.
        """
        if asked == "auto" and self.is_one_cloud:
            return ()
        number = self.suggested if asked == "auto" else asked
        if number is None or int(number) >= self.merging.n_components:
            return ()
        empty = {step.n_segments: step.n_empty for step in self.steps}
        number = next((one for one in range(int(number), 1, -1) if empty[one] == 0), 1)
        return () if number == 1 else self.merging.groups(number)


def merging_of(
    mixture: Mixture, memberships: FloatArray, weights: FloatArray | None, seed: int
) -> SegmentMerging:
    """Return the merging of the components of a mixture.

    Parameters
    ----------
    mixture : Mixture
        Of scaled rows; K components.
    memberships : ndarray of shape (N, K)
        Of those in a segment; with noise they may sum to less than one.
    weights : ndarray of shape (N,) or None
    seed : int
        Of the sample that is looked at.
    """
    shares = memberships / memberships.sum(axis=1, keepdims=True)
    chosen = drawn_customers(shares, seed)
    if chosen is not None:
        shares, weights = shares[chosen], None if weights is None else weights[chosen]
    valleys = Valleys(replace(components_alone(mixture), levels=None))
    rule = OneGroup(mixture.n_features > 0, mixture.levels is not None)
    found = merge_segments(
        shares, weights, lambda pair: rule.holds(pair.overlap, valleys.between(pair.left, pair.right))
    )
    return SegmentMerging(found, tuple(_steps(found, valleys)), rule, components_alone(mixture).weights)


def merging_of_model(
    model: SegmentModel, rows: RowTable, memberships: FloatArray, weights: FloatArray | None
) -> SegmentMerging:
    """Return the merging of the components of a model, given its rows and their memberships of its segments."""
    if model.groups:
        memberships = model.mixture.responsibilities(model.scaling.seen(rows))
    return merging_of(model.mixture, memberships, weights, model.training.seed)


def _steps(found: Merging, valleys: Valleys) -> Iterator[MergeStep]:
    filled = has_customers(found.component_memberships)
    for one in found.merges:
        had = dict(zip(found.groups(one.n_clusters + 1), filled, strict=True))
        filled = has_customers(found.memberships(one.n_clusters))
        yield MergeStep(
            left=one.left,
            right=one.right,
            n_segments=one.n_clusters,
            overlap=one.overlap,
            valley=valleys.between(one.left, one.right),
            without_customers=not (had[one.left] and had[one.right]),
            n_empty=int(np.count_nonzero(~filled)),
        )
