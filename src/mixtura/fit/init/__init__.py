"""Initializations of a fit; each is one class with one method, `prepare`."""

from mixtura.fit.init.base import Initialization, Initializer, InitialStatistics
from mixtura.fit.init.from_kmeans import FromKMeans
from mixtura.fit.init.given import FromMixture, FromPartition, join_components, split_components
from mixtura.fit.init.hierarchical.tree import FromHierarchy, FromTree, Tree, grow
from mixtura.fit.init.known.with_known import FromKnown, WithKnown
from mixtura.fit.init.random import FromRandomResponsibilities
from mixtura.fit.init.rows import FromRandomRows, KMeansPlusPlus
from mixtura.fit.init.sample import FromLabels, Sample, draw_sample
from mixtura.fit.init.shared import FromSample, SharedStarts
from mixtura.fit.init.small_em import BestOf, FromNearestRows, SmallEM

__all__ = [
    "INITIALIZATIONS",
    "ROBUST_KMEANS",
    "BestOf",
    "FromHierarchy",
    "FromKnown",
    "FromLabels",
    "FromMixture",
    "FromNearestRows",
    "FromPartition",
    "FromSample",
    "FromTree",
    "InitialStatistics",
    "Initialization",
    "Initializer",
    "Sample",
    "SharedStarts",
    "SmallEM",
    "Tree",
    "WithKnown",
    "draw_sample",
    "grow",
    "join_components",
    "split_components",
]

INITIALIZATIONS: dict[str, Initialization] = {
    "kmeans": FromKMeans(),
    "k-means++": KMeansPlusPlus(),
    "random": FromRandomResponsibilities(),
    "random_from_data": FromRandomRows(),
    "hierarchical": FromHierarchy(),
    "small_em": SmallEM(),
}
"""Every initialization by the name that ``init_params`` uses."""

ROBUST_KMEANS: Initialization = BestOf([FromSample(5, dense=True), FromKMeans()])
"""What ``"kmeans"`` is where there may be outliers: of the rows that lie densely, or of all, whichever goes better."""
