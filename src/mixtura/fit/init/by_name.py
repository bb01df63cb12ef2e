"""Initializations by name, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import mixtura.fit.init as starts
from mixtura.fit.init.base import Initialization

__all__ = ["INITIALIZATIONS"]

_CLASSES = {
    "kmeans": "FromKMeans",
    "k-means++": "KMeansPlusPlus",
    "random": "FromRandomResponsibilities",
    "random_from_data": "FromRandomRows",
    "hierarchical": "FromHierarchy",
    "small_em": "SmallEM",
}


class _ByName(Mapping[str, Initialization]):
    def __getitem__(self, name: str) -> Initialization:
        made: Initialization = getattr(starts, _CLASSES[name])()
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(_CLASSES)

    def __len__(self) -> int:
        return len(_CLASSES)


INITIALIZATIONS: Mapping[str, Initialization] = _ByName()
"""Every initialization by the name that ``init_params`` uses."""
