"""Ways to begin a fit; each is one class with one method, `draw`."""

from mixtura.fit.init.base import Deferred, Initialization, Start
from mixtura.fit.init.given import FromMixture, FromPartition
from mixtura.fit.init.kmeans import FromKMeans
from mixtura.fit.init.random import FromRandomResponsibilities
from mixtura.fit.init.rows import FromFarRows, FromRandomRows
from mixtura.fit.init.sample import FromLabels, Sample, draw_sample
from mixtura.fit.init.shared import SharedStarts
from mixtura.fit.init.small_em import BestOf, FromNearestRows, SmallEM
from mixtura.fit.init.tree import FromHierarchy, FromTree, Tree, grow

__all__ = [
    "INITIALIZATIONS",
    "BestOf",
    "Deferred",
    "FromHierarchy",
    "FromLabels",
    "FromMixture",
    "FromNearestRows",
    "FromPartition",
    "FromTree",
    "Initialization",
    "Sample",
    "SharedStarts",
    "SmallEM",
    "Start",
    "Tree",
    "draw_sample",
    "grow",
]

INITIALIZATIONS: dict[str, Initialization] = {
    "kmeans": FromKMeans(),
    "k-means++": FromFarRows(),
    "random": FromRandomResponsibilities(),
    "random_from_data": FromRandomRows(),
    "hierarchical": FromHierarchy(),
    "small_em": SmallEM(),
}
"""Every initialization by the name that ``init_params`` uses."""
