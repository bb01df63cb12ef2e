"""Initializations of a fit; each is one class with one method, `prepare`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names

if TYPE_CHECKING:
    from mixtura.fit.init.base import Initialization, Initializer, InitialStatistics
    from mixtura.fit.init.by_name import INITIALIZATIONS
    from mixtura.fit.init.from_kmeans import FromKMeans
    from mixtura.fit.init.given import FromMixture, FromPartition, join_components, split_components
    from mixtura.fit.init.hierarchical.tree import FromHierarchy, FromTree, Tree, grow
    from mixtura.fit.init.known.with_known import FromKnown, WithKnown
    from mixtura.fit.init.random import FromRandomResponsibilities
    from mixtura.fit.init.rows import FromRandomRows, KMeansPlusPlus
    from mixtura.fit.init.sample import FromLabels, Sample, draw_sample
    from mixtura.fit.init.shared import FromSample, SharedStarts
    from mixtura.fit.init.small_em import ROBUST_KMEANS, BestOf, FromNearestRows, SmallEM

__all__ = [
    "INITIALIZATIONS",
    "ROBUST_KMEANS",
    "BestOf",
    "FromHierarchy",
    "FromKMeans",
    "FromKnown",
    "FromLabels",
    "FromMixture",
    "FromNearestRows",
    "FromPartition",
    "FromRandomResponsibilities",
    "FromRandomRows",
    "FromSample",
    "FromTree",
    "InitialStatistics",
    "Initialization",
    "Initializer",
    "KMeansPlusPlus",
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

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "base": "Initialization Initializer InitialStatistics",
            "by_name": "INITIALIZATIONS",
            "from_kmeans": "FromKMeans",
            "given": "FromMixture FromPartition join_components split_components",
            "hierarchical.tree": "FromHierarchy FromTree Tree grow",
            "known.with_known": "FromKnown WithKnown",
            "random": "FromRandomResponsibilities",
            "rows": "FromRandomRows KMeansPlusPlus",
            "sample": "FromLabels Sample draw_sample",
            "shared": "FromSample SharedStarts",
            "small_em": "ROBUST_KMEANS BestOf FromNearestRows SmallEM",
        },
    )
