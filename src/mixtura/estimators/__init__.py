"""scikit-learn faces: validate, call, copy results to attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names

if TYPE_CHECKING:
    from mixtura.estimators.gaussian_mixture import GaussianMixture
    from mixtura.estimators.gaussian_mixture_ic import GaussianMixtureIC
    from mixtura.estimators.kmeans import KMeans

__all__ = ["GaussianMixture", "GaussianMixtureIC", "KMeans"]

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "gaussian_mixture": "GaussianMixture",
            "gaussian_mixture_ic": "GaussianMixtureIC",
            "kmeans": "KMeans",
        },
    )
