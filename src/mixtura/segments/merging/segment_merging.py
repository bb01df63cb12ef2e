"""Which components are parts of one group: their merging, how much each two overlap, and where to stop."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import RowTable
from mixtura.segments.merging.grouped import Groups
from mixtura.segments.merging.merged_segments import merge_segments
from mixtura.segments.merging.valleys import valley_between
from mixtura.segments.model.robust_file import components_alone
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.select import Merge, Merging

__all__ = ["VALLEY", "MergeStep", "SegmentMerging", "merging_of", "merging_of_model"]

_OVERLAP = 0.05
"""Share of the largest entropy that two clusters of one group reach: of equal Gaussians 4.5 deviations apart."""

_OVERLAP_OF_LEVELS = 0.24
"""The same where there are discrete columns, whose densities have no valleys: 3 deviations apart."""

VALLEY = 1 / 3
"""How high the density stays between parts of one group, as a share of the lower peak: 3.8 deviations apart."""

_NO_VALLEY = 0.9
"""From here on two components that overlap are one group even where nobody asked: 2.4 deviations apart."""


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
        How high the density stays between them, as a share of the lower peak, see `valley_between`; one without
        continuous columns.
    """

    left: tuple[int, ...]
    right: tuple[int, ...]
    n_segments: int
    overlap: float
    valley: float


@dataclass(frozen=True, slots=True, eq=False)
class SegmentMerging:
    """The merging of the components of a model.

    Parameters
    ----------
    merging : Merging
    steps : tuple of MergeStep
        In the order made.
    least_overlap : float
        Share of the largest entropy from which on two clusters may be one group.
    """

    merging: Merging
    steps: tuple[MergeStep, ...]
    least_overlap: float = _OVERLAP

    def is_one_group(self, step: MergeStep) -> bool:
        """Return whether two clusters overlap, and the density between them is a third of the lower peak or more."""
        return step.overlap >= self.least_overlap and step.valley >= VALLEY

    @property
    def suggested(self) -> int:
        """How many clusters are left once all that are one group are merged, in the order of the entropy."""
        number = self.merging.n_components
        for step in self.steps:
            if not self.is_one_group(step):
                break
            number = step.n_segments
        return number

    @property
    def offered(self) -> int | None:
        """How many segments to offer where merging was not asked for; None where nothing speaks for it clearly.

        Two components with a valley between them may as well be two groups that overlap. Where there is hardly any
        valley, or three and more follow each other as in a bent group, they are parts of one.
        """
        number = self.suggested
        if not 1 < number < self.merging.n_components:
            return None
        made = [step for step in self.steps if step.n_segments >= number]
        is_bent = any(len(step.left + step.right) > 2 for step in made)
        return number if is_bent or all(step.valley >= _NO_VALLEY for step in made) else None

    def groups(self, asked: str | int | None) -> Groups:
        """Return the components of each segment; empty where nothing is merged.

        Parameters
        ----------
        asked : "auto", int or None
            With ``"auto"`` the number is `suggested`, unless that is one: a single segment would say nothing.
        """
        number = self.suggested if asked == "auto" else asked
        if number is None or number == 1 or int(number) >= self.merging.n_components:
            return ()
        return self.merging.groups(int(number))


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
    found, alone = merge_segments(shares, weights, seed), replace(components_alone(mixture), levels=None)
    steps = tuple(_step(one, alone) for one in found.merges)
    return SegmentMerging(found, steps, _OVERLAP if mixture.levels is None else _OVERLAP_OF_LEVELS)


def merging_of_model(
    model: SegmentModel, rows: RowTable, memberships: FloatArray, weights: FloatArray | None
) -> SegmentMerging:
    """Return the merging of the components of a model, given its rows and their memberships of its segments."""
    if model.groups:
        memberships = model.mixture.responsibilities(model.scaling.seen(rows))
    return merging_of(model.mixture, memberships, weights, model.training.seed)


def _step(merge: Merge, mixture: Mixture) -> MergeStep:
    most = max(merge.largest_drop, np.finfo(np.float64).tiny)
    valley = valley_between(mixture, merge.left, merge.right) if mixture.n_features else 1.0
    return MergeStep(merge.left, merge.right, merge.n_clusters, float(merge.drop / most), valley)
