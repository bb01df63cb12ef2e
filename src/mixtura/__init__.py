"""Gaussian mixtures: soft clusters, densities, anomalies, customer segments.

The names below are imported when first used, so that ``import mixtura`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names

if TYPE_CHECKING:
    from mixtura import datasets, exceptions
    from mixtura.anomaly import GaussianMixtureOutlierDetector
    from mixtura.core.mixture import Mixture
    from mixtura.data import DatabaseTable
    from mixtura.estimators import GaussianMixture, GaussianMixtureIC, KMeans
    from mixtura.imputation import impute, multiple_imputations
    from mixtura.kernels import build_info
    from mixtura.run import get_threads, set_threads
    from mixtura.segmentation import Segmentation
    from mixtura.segmenter import Segmenter
    from mixtura.select import select_columns

    __version__: str

__all__ = [
    "DatabaseTable",
    "GaussianMixture",
    "GaussianMixtureIC",
    "GaussianMixtureOutlierDetector",
    "KMeans",
    "Mixture",
    "Segmentation",
    "Segmenter",
    "__version__",
    "build_info",
    "datasets",
    "exceptions",
    "get_threads",
    "impute",
    "multiple_imputations",
    "select_columns",
    "set_threads",
]

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    _get, __dir__ = lazy_names(
        __name__,
        {
            "anomaly": "GaussianMixtureOutlierDetector",
            "core.mixture": "Mixture",
            "data": "DatabaseTable",
            "estimators": "GaussianMixture GaussianMixtureIC KMeans",
            "imputation": "impute multiple_imputations",
            "kernels": "build_info",
            "run": "get_threads set_threads",
            "segmentation": "Segmentation",
            "segmenter": "Segmenter",
            "select": "select_columns",
        },
    )

    def __getattr__(name: str) -> object:
        if name == "__version__":
            globals()[name] = found = import_module("importlib.metadata").version("mixtura")
            return found
        if name in ("datasets", "exceptions"):
            return import_module(f"mixtura.{name}")
        return _get(name)
